"""What has to be on disk before replies leave, done in a thread: no card may keep the other services waiting."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..boards import Boards
from ..stages import Stage
from .lease_store import LeaseStore, Row

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be noted of a board; ``stage`` None: only that it lives, and where."""

    mac: str
    stage: Stage | None
    text: str
    known: dict[str, str]


class Chores:
    """Leases and notes of one batch at a time."""

    def __init__(self, store: LeaseStore, boards: Boards) -> None:
        self._store, self._boards = store, boards
        self._thread = ThreadPoolExecutor(1, "dhcp-leases")

    def submit(self, rows: list[Row], notes: list[Note], done: Callable[[str], None]) -> None:
        """Write; then ``done`` is called on the loop, with why the leases could not be written, "" = they are."""
        loop = asyncio.get_running_loop()

        def work() -> None:
            fault = "it was broken off"
            try:
                fault = self._write(rows)
                for note in notes:
                    self._note(note)
            except Exception:  # the loop waits for an end of each batch
                log.exception("the leases and notes of a batch were broken off")
            finally:
                with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                    loop.call_soon_threadsafe(done, fault)

        self._thread.submit(work)

    def _write(self, rows: list[Row]) -> str:
        try:
            if rows:
                self._store.write(rows)
        except sqlite3.Error as error:
            return str(error)
        return ""

    def _note(self, note: Note) -> None:
        if note.stage is None:
            self._boards.touch(note.mac, **note.known)
        else:
            self._boards.note(note.mac, note.stage, note.text, **note.known)

    def close(self) -> None:
        """Finish what was begun, and close the store."""
        self._thread.shutdown(wait=True)
        self._store.close()
