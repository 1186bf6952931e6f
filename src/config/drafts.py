"""Drafts: changes that a person collects before they are applied, kept beside the configuration.

One JSON file per user in ``etc/.drafts``, readable by its owner only, for it may hold plain passwords. A draft knows
of every file that it changes how it was before, so that what others change meanwhile is noticed, even by hand.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..common.errors import CommandError, ConfigError
from .atomic import write_atomic

MAX_BYTES = 8 * 1024 * 1024
"""Of one draft, as it is stored."""
MAX_DRAFTS = 100

Pair = tuple[str | None, str | None]
"""Text before and after; None: no file."""


@dataclass(slots=True)
class Draft:
    """What one user wants to change. ``when``: seconds since 1970 of its last change; ``base``: revision it began at.

    ``renames``  (folder, new name) -> name that the object has on disk, so that its state can follow
    """

    who: str
    base: int = 0
    when: float = 0.0
    files: dict[str, Pair] = field(default_factory=dict)
    renames: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def after(self) -> dict[str, str | None]:
        """File -> its text with the draft."""
        return {file: pair[1] for file, pair in self.files.items()}

    @property
    def stamp(self) -> str:
        """Another text after each change."""
        return hashlib.sha256(json.dumps(_content(self), sort_keys=True).encode()).hexdigest()[:16]

    def put(self, texts: Mapping[str, str | None], on_disk: Mapping[str, str | None]) -> None:
        """Take over new texts; a file that is again as it was leaves the draft."""
        for file, text in texts.items():
            before = self.files[file][0] if file in self.files else on_disk[file]
            if text == before:
                self.files.pop(file, None)
            else:
                self.files[file] = (before, text)

    def note_rename(self, folder: str, old: str, new: str) -> None:
        """Remember that an object has another name now."""
        first = self.renames.pop((folder, old), old)
        if first != new:
            self.renames[folder, new] = first

    def renamed(self, folder: str) -> dict[str, str]:
        """Return new name -> name on disk of the objects of a folder whose renaming still stands."""
        return {
            new: old
            for (where, new), old in self.renames.items()
            if where == folder
            and self.after.get(f"{folder}/{new}.ini") is not None
            and f"{folder}/{old}.ini" in self.files
            and self.files[f"{folder}/{old}.ini"][0] is not None
        }


class Drafts:
    """The drafts of one configuration folder. Not for several threads at once: the caller has a lock."""

    def __init__(self, etc: Path) -> None:
        self._folder = etc / ".drafts"

    def load(self, who: str) -> Draft:
        """Return the draft of ``who``, an empty one if there is none. Raises ConfigError when it cannot be read."""
        path = self._path(who)
        if not path.exists():
            return Draft(who)
        return self._read(path)

    def save(self, draft: Draft) -> None:
        """Write the draft durably; an empty one is deleted. Raises ConfigError, CommandError when it is too large."""
        path = self._path(draft.who)
        if not draft.files:
            path.unlink(missing_ok=True)
            return
        if not path.exists() and len(list(self._paths())) >= MAX_DRAFTS:
            names = ", ".join(sorted(one.who for one in self.all())[:5])
            raise CommandError(f"there are {MAX_DRAFTS} drafts already ({names} …); discard one first", "refused")
        draft.when = time.time()
        text = json.dumps({"who": draft.who, "when": draft.when, **_content(draft)}, ensure_ascii=False, indent=1)
        if len(text.encode()) > MAX_BYTES:
            raise CommandError(
                f"the draft would be larger than {MAX_BYTES >> 20} MiB; apply a part of it first", "refused"
            )
        self._folder.mkdir(mode=0o700, exist_ok=True)
        write_atomic(path, text + "\n", mode=0o600)

    def forget(self, who: str) -> None:
        """Delete the draft of ``who``, also one that cannot be read. Raises CommandError "not_found"."""
        try:
            self._path(who).unlink()
        except FileNotFoundError:
            raise CommandError(f"{who} has no draft", "not_found") from None

    def all(self) -> list[Draft]:
        """Return all drafts that can be read, the newest first."""
        found = []
        for path in self._paths():
            try:
                found.append(self._read(path))
            except ConfigError:
                continue
        return sorted(found, key=lambda draft: -draft.when)

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("*.json"))

    def _path(self, who: str) -> Path:
        # The name of a user may be anything; that of a file may not.
        return self._folder / f"{hashlib.sha256(who.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}.json"

    @staticmethod
    def _read(path: Path) -> Draft:
        try:
            data: dict[str, Any] = json.loads(path.read_text("utf-8"))
            files = {str(file): (pair[0], pair[1]) for file, pair in data["files"].items()}
            renames = {(str(folder), str(new)): str(old) for folder, new, old in data["renames"]}
            return Draft(str(data["who"]), int(data["base"]), float(data["when"]), files, renames)
        except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise ConfigError(f"the draft {path.name} cannot be read: {error}; discard it") from error


def _content(draft: Draft) -> dict[str, Any]:
    return {
        "base": draft.base,
        "files": {file: list(pair) for file, pair in draft.files.items()},
        "renames": [[folder, new, old] for (folder, new), old in draft.renames.items()],
    }
