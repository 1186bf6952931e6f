"""Former versions of the configuration: who changed what, when, and how to go back.

One JSON file per revision in ``etc/.history``, with the full text of every changed file before and after: whole texts
rather than patches, so that one damaged revision never makes another unreadable. The files may hold plain passwords,
so only their owner can read them.
"""

from __future__ import annotations

import difflib
import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..common.errors import ConfigError
from .atomic import sync_folder, write_atomic
from .names import confine

Change = tuple[str | None, str | None]
"""Text before and after; None: the file did not (does not) exist."""


@dataclass(frozen=True, slots=True)
class Revision:
    """One change of the configuration. ``when`` is in seconds since 1970, UTC; ``files`` are relative to etc."""

    rev: int
    when: float
    who: str
    message: str
    files: dict[str, Change]


Revisions = list[Revision]


class History:
    """The revisions of one configuration folder, the newest ``keep`` of them. May be used from several threads."""

    def __init__(self, etc: Path, keep: int = 50) -> None:
        self._etc = etc
        self._folder = etc / ".history"
        self._keep = keep
        self._lock = threading.RLock()

    def record(
        self, before: Mapping[str, str | None], after: Mapping[str, str | None], who: str, message: str = ""
    ) -> int:
        """Note a change that has been, or is about to be, written; return the number of its revision.

        ``before``, ``after``  file relative to etc -> its text, None without one; unchanged ones are dropped
        """
        files = {
            name: (before.get(name), after.get(name))
            for name in sorted({*before, *after})
            if before.get(name) != after.get(name)
        }
        with self._lock:
            numbers = self._numbers()
            rev = numbers[-1] + 1 if numbers else 1
            content = {"when": time.time(), "who": who, "message": message, "files": files}
            self._prepare()
            write_atomic(self._path(rev), json.dumps(content, ensure_ascii=False, indent=1) + "\n", mode=0o600)
            for old in numbers[: max(0, len(numbers) + 1 - self._keep)]:
                self._path(old).unlink(missing_ok=True)
            sync_folder(self._folder)
        return rev

    def forget(self, rev: int) -> None:
        """Remove a revision whose change could not be written after all."""
        with self._lock:
            self._path(rev).unlink(missing_ok=True)

    def newest(self) -> int:
        """Return the number of the newest revision, 0 without any."""
        with self._lock:
            return max(self._numbers(), default=0)

    def list(self) -> Revisions:
        """Return all kept revisions, the oldest first. Raises ConfigError when one cannot be read."""
        with self._lock:
            return [self._load(rev) for rev in self._numbers()]

    def texts_at(self, rev: int) -> dict[str, str | None]:
        """Return how files have to be for the state right after ``rev``: only those changed by later revisions.

        The number before the oldest kept revision stands for the state before that one. Raises ConfigError if unknown.
        """
        revisions = self.list()
        if not revisions or not revisions[0].rev - 1 <= rev <= revisions[-1].rev:
            raise ConfigError(f"there is no revision {rev} of the configuration")
        texts: dict[str, str | None] = {}
        for revision in reversed(revisions):
            if revision.rev > rev:
                texts.update({name: change[0] for name, change in revision.files.items()})
        return texts

    def diff(self, a: int, b: int | None = None) -> str:
        """Return a unified diff from the state after revision ``a`` to that after ``b`` (None: the files as they are).

        It shows the files as they are, plain passwords included: show it to those who may read etc.
        """
        old = self.texts_at(a)
        new = {} if b is None else self.texts_at(b)
        names = sorted({*old, *new})
        now = {name: self._current(name) for name in names}
        return "".join(unified(name, old.get(name, now[name]), new.get(name, now[name])) for name in names)

    def restore(self, rev: int, who: str = "") -> int:
        """Write the files as they were right after ``rev``, and record that as a new revision; return its number.

        Files that no later revision changed stay as they are. Whether the result loads is for the caller to check
        first, with ``texts_at``.
        """
        with self._lock:
            texts = self.texts_at(rev)
            before = {name: self._current(name) for name in texts}
            new = self.record(before, texts, who, f"back to revision {rev}")
            for name, text in texts.items():
                path = confine(self._etc, name)
                if text is None:
                    path.unlink(missing_ok=True)
                else:
                    write_atomic(path, text)
            return new

    def _current(self, name: str) -> str | None:
        try:
            return confine(self._etc, name).read_bytes().decode("utf-8", "replace")
        except FileNotFoundError:
            return None

    def _prepare(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{self._folder.name} cannot be made: {error.strerror or error}") from error

    def _path(self, rev: int) -> Path:
        return self._folder / f"{rev:06}.json"

    def _numbers(self) -> Sequence[int]:
        return sorted(int(path.stem) for path in self._folder.glob("*.json") if path.stem.isdecimal())

    def _load(self, rev: int) -> Revision:
        try:
            data: dict[str, Any] = json.loads(self._path(rev).read_text("utf-8"))
            files = {str(name): (change[0], change[1]) for name, change in data["files"].items()}
            return Revision(rev, float(data["when"]), str(data["who"]), str(data["message"]), files)
        except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise ConfigError(f"revision {rev} of the configuration cannot be read: {error}") from error


def unified(name: str, old: str | None, new: str | None) -> str:
    """Return the unified diff of one file, "" when nothing changed; None stands for no file."""
    lines = difflib.unified_diff(
        (old or "").splitlines(keepends=True),
        (new or "").splitlines(keepends=True),
        "/dev/null" if old is None else f"a/{name}",
        "/dev/null" if new is None else f"b/{name}",
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
