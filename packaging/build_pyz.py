"""Builds ockle.pyz: Ockle and every library it needs in one file that Python runs.

    python packaging/build_pyz.py [FILE]

The libraries are those installed beside this Python (the ones the tests ran with); nothing is downloaded. Some have
compiled parts, which no Python can import out of a zip file: the first start unpacks all into a cache folder named
after the content (see pyz_main.py). So a file runs on the Python version and platform that it was built on, and says
so elsewhere. Same content, same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import re
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = ("demo", "completion")
SKIPPED = re.compile(
    r"(^|/)(__pycache__|tests?|\.[^/]+)/|\.py[cod]$|^\.\.|(^|/)(direct_url\.json|INSTALLER|REQUESTED|RECORD)$"
)
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest time that a zip file can hold


def requirements() -> Iterator[Requirement]:
    """What pyproject.toml asks for, with the extras that a stranger needs for the demo."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lists = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in EXTRAS)]
    return (Requirement(line) for lines in lists for line in lines)


def distributions() -> list[Distribution]:
    """The installed distributions behind ``requirements``, with all that they need in turn.

    Raises  SystemExit when one is not installed
    """
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = list(requirements())
    while waiting:
        wanted = waiting.pop()
        key = (canonicalize_name(wanted.name), frozenset(wanted.extras))
        if key in seen or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
            continue
        seen.add(key)
        try:
            found[key[0]] = distribution(wanted.name)
        except PackageNotFoundError:
            raise SystemExit(f"{wanted} is not installed beside {sys.executable}: make install") from None
        for line in found[key[0]].requires or ():
            needed = Requirement(line)
            marker, needed.marker = needed.marker, None
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *wanted.extras)):
                waiting.append(needed)
    return [found[name] for name in sorted(found)]


def library_files() -> Iterator[tuple[str, bytes]]:
    """(path below site-packages, content) of every library."""
    for library in distributions():
        for path in library.files or ():
            name = path.as_posix()
            if not SKIPPED.search(name) and (file := Path(str(path.locate()))).is_file():
                yield name, file.read_bytes()


def own_files() -> Iterator[tuple[str, bytes]]:
    """(path, content) of the package ``ockle`` with its data; simulator/site is a link and is followed."""
    for top in (ROOT / "src", ROOT / "src/simulator/site"):
        for file in sorted(top.rglob("*")):
            name = (Path("ockle") / file.relative_to(ROOT / "src")).as_posix()
            if file.is_file() and not SKIPPED.search(name):
                yield name, file.read_bytes()
    yield "ockle/LICENSE", (ROOT / "LICENSE").read_bytes()


def archive(files: dict[str, bytes]) -> bytes:
    """A zip file of ``files``, the same bytes for the same content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, files[name])
    return buffer.getvalue()


def build(target: Path) -> int:
    """Write ``target``; returns its size in bytes."""
    payload = archive({**dict(library_files()), **dict(own_files())})
    about = {
        "digest": hashlib.sha256(payload).hexdigest(),
        "python": sys.implementation.cache_tag,
        "platform": sysconfig.get_platform(),
        "libc": platform.libc_ver()[0],
    }
    outer = archive({
        "__main__.py": Path(__file__).with_name("pyz_main.py").read_bytes(),
        "about.json": json.dumps(about, indent=1, sort_keys=True).encode(),
        "payload.zip": payload,
    })  # fmt: skip
    target.write_bytes(b"#!/usr/bin/env python3\n" + outer)
    target.chmod(0o755)
    return target.stat().st_size


if __name__ == "__main__":
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "ockle.pyz")
    print(f"{path}: {build(path) / 1e6:.1f} MB")
