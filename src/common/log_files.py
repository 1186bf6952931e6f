"""Log files with the date in their names, bounded in number and size."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import BinaryIO


class DatedFiles:
    """``NAME-2026-11-21.log``; the next one at midnight, or ``NAME-2026-11-21.001.log`` when one is full.

    ``keep``         files at most, the open one included
    ``total_bytes``  all together at most (on the SD card of a Raspberry Pi a talkative day must not fill the disk);
                     one file is full at an eighth of it
    ``today``        the local date
    Raises           OSError from every method when the disk refuses; the next write tries again
    Thread safety    none; a logging handler holds its lock around each write
    """

    def __init__(self, folder: Path, name: str, *, keep: int, total_bytes: int, today: Callable[[], date]) -> None:
        self._folder, self._name = folder, name
        self._keep, self._total = max(keep, 1), total_bytes
        self._full = max(total_bytes // 8, 1)
        self._today = today
        self._pattern = re.compile(re.escape(name) + r"-(\d{4}-\d{2}-\d{2})(?:\.(\d{3,}))?\.log")
        self._day = date.min
        self._file: BinaryIO | None = None
        self._size = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._open(today())

    def write(self, text: str) -> None:
        """Append ``text``; it is in the operating system's hands when this returns."""
        data = text.encode("utf-8", "backslashreplace")
        day = self._today()
        if self._file is None or day != self._day or (self._size and self._size + len(data) > self._full):
            self._open(day, len(data))
        if self._file is not None:
            self._file.write(data)
            self._size += len(data)

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def paths(self) -> list[Path]:
        """The files there are, oldest first."""
        found = ((match, path) for path in self._folder.iterdir() if (match := self._pattern.fullmatch(path.name)))
        return [path for _, path in sorted(((match[1], int(match[2] or 0)), path) for match, path in found)]

    def _open(self, day: date, need: int = 0) -> None:
        """Go on in the last file of ``day``, or begin the next one when ``need`` bytes don't fit; then make room."""
        self.close()
        stem = f"{self._name}-{day.isoformat()}"
        last = next((path for path in reversed(self.paths()) if path.name.startswith(stem)), None)
        path = last or self._folder / f"{stem}.log"
        if last is not None and (size := last.stat().st_size) > 0 and size + need > self._full:
            match = self._pattern.fullmatch(last.name)
            number = int(match[2] or 0) + 1 if match else 1
            path = self._folder / f"{stem}.{number:03}.log"
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        # unbuffered: a crash loses nothing that was logged before it
        self._file = os.fdopen(descriptor, "ab", buffering=0)
        self._day, self._size = day, path.stat().st_size
        self._prune(path)

    def _prune(self, current: Path) -> None:
        """Remove the oldest files until number and size hold, with room for one more full file."""
        others = [path for path in self.paths() if path != current]
        sizes = [path.stat().st_size for path in others]
        while others and (len(others) >= self._keep or sum(sizes) + self._full > self._total):
            others.pop(0).unlink(missing_ok=True)
            sizes.pop(0)
