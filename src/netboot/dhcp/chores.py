"""What has to be on disk before replies leave, done in a thread: no card may keep the other services waiting."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..boards import Boards
from ..stages import Stage
from .lease_store import LeaseStore, Row


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
            fault = ""
            try:
                if rows:
                    self._store.write(rows)
            except sqlite3.Error as error:
                fault = str(error)
            for note in notes:
                if note.stage is None:
                    self._boards.touch(note.mac, **note.known)
                else:
                    self._boards.note(note.mac, note.stage, note.text, **note.known)
            if not loop.is_closed():
                loop.call_soon_threadsafe(done, fault)

        self._thread.submit(work)

    def close(self) -> None:
        """Finish what was begun, and close the store."""
        self._thread.shutdown(wait=True)
        self._store.close()
