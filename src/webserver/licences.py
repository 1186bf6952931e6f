"""What the GUI and the daemon are made of: installed libraries with version and licence."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution

OWN = "ockle"
NOT_IN_USE = re.compile(r"extra == .(dev|test|fuzz)\b")
OWN_LICENCE = "GPL-2.0-or-later"


@dataclass(frozen=True, slots=True)
class Library:
    name: str
    version: str
    licence: str


@functools.cache
def libraries() -> tuple[Library, ...]:
    """Return Ockle's requirements that are installed here, and theirs, by name."""
    found: dict[str, Library] = {}
    todo = [OWN]
    for name in todo:  # grows while it is walked
        try:
            one = distribution(name)
        except PackageNotFoundError:
            continue  # an extra that nobody asked for, or another system's
        if name != OWN:
            found[_plain(name)] = Library(one.name, one.version, licence_of(one))
        not_wanted = NOT_IN_USE if name == OWN else re.compile("extra ==")
        wanted = (re.match(r"[\w.-]+", text) for text in one.requires or () if not not_wanted.search(text))
        todo += [match[0] for match in wanted if match and _plain(match[0]) not in {_plain(known) for known in todo}]
    return tuple(sorted(found.values(), key=lambda library: library.name.lower()))


def licence_of(one: Distribution) -> str:
    """Return the licence as the package names it: an expression, else its classifier, else a short text."""
    data = one.metadata
    if "License-Expression" in data:
        return data["License-Expression"].removeprefix("LicenseRef-")
    names = [text.rpartition(" :: ")[2] for text in data.get_all("Classifier") or () if text.startswith("License ::")]
    names = [name for name in names if name not in ("OSI Approved", "DFSG approved")]
    if names:
        return ", ".join(names)
    text = data["License"].strip() if "License" in data else ""
    return text if text and len(text) < 80 and "\n" not in text else "see its files"


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
