"""Daily copies of the state database, the newest few of which are kept."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

from ..common.errors import StoreError
from .files import copy_sqlite

log = logging.getLogger(__name__)

EVERY_S = 24 * 3600.0
LOOK_S = 600.0
"""How often it is looked whether one is due."""


class Snapshots:
    """Copies of ``file`` in the folder ``snapshots`` beside it. ``start`` has them made by a thread of its own.

    ``keep``  how many; 0: none are made
    """

    def __init__(self, file: Path, keep: int = 7) -> None:
        self._file = file
        self.folder = file.parent / "snapshots"
        self._keep = keep
        self._leave = threading.Event()
        self._thread: threading.Thread | None = None

    def list(self) -> list[Path]:
        """Return the snapshots, newest first: their names hold a number that rises."""
        return sorted(self.folder.glob(f"{self._file.stem}-*{self._file.suffix}"), reverse=True)

    def take(self) -> Path:
        """Make one now, and remove the oldest. Raises StoreError."""
        found = self.list()
        number = int(found[0].stem.rpartition("-")[2]) + 1 if found else 1
        target = self.folder / f"{self._file.stem}-{number:06}{self._file.suffix}"
        copy_sqlite(self._file, target)
        for old in self.list()[self._keep :]:
            old.unlink(missing_ok=True)
        return target

    def due(self) -> bool:
        """Tell whether the newest is a day old, or none is there, or the clock says that it is from the future."""
        found = self.list()
        return not found or not 0 <= time.time() - found[0].stat().st_mtime < EVERY_S

    def start(self) -> None:
        if self._keep:
            self._thread = threading.Thread(target=self._run, name="snapshots", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._leave.set()

    def _run(self) -> None:
        while True:
            try:
                if self.due():
                    log.info("snapshot of the store: %s", self.take())
            except (StoreError, OSError, ValueError) as error:  # the last: a file of somebody else's making
                log.warning("no snapshot of the store: %s", error)
            if self._leave.wait(LOOK_S):
                return
