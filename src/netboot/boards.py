"""What is known of each board: how far its boot has come, what it said, whether it is to be installed anew. Durable.

The boot server writes here and the daemon reads, in one process or in two: both sides open the same file.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ..common.clock import Clock
from ..common.errors import OckleError
from .board_tables import connect
from .stages import MarkState, Stage

log = logging.getLogger(__name__)

LINES_KEPT = 500
"""Of the journal, per board."""
LINES_PER_MINUTE = 300
"""A board that says more is cut short."""
LINE_LENGTH = 500
TOUCH_EVERY_S = 10.0
FIELDS = frozenset({"ip", "kind", "serial", "arch", "image", "hostname"})


@dataclass(frozen=True, slots=True)
class Board:
    """A board as it was seen last. Times are seconds since 1970, 0 = never; ``…_stamp`` as ``Clock.stamp`` has them.

    ``kind``  what the firmware is: "Raspberry Pi 4", "UEFI x86-64", "iPXE" …
    ``note``  what goes with the stage, for a person
    ``reinstall``  whether it is to be installed anew (WANTED), or that has begun and is not confirmed yet (STARTED)
    """

    mac: str
    ip: str = ""
    stage: Stage = Stage.NEW
    stage_at: float = 0.0
    stage_stamp: str = ""
    note: str = ""
    kind: str = ""
    serial: str = ""
    arch: str = ""
    image: str = ""
    hostname: str = ""
    first_seen: float = 0.0
    last_seen: float = 0.0
    booted_at: float = 0.0
    booted_stamp: str = ""
    installed_at: float = 0.0
    reinstall: MarkState = MarkState.NONE
    reinstall_id: str = ""
    reinstall_image: str = ""
    reinstall_by: str = ""
    reinstall_at: float = 0.0


_COLUMNS = tuple(one.name for one in fields(Board))


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the journal. ``stage`` is "" for one that a board said or asked; else the stage that it came to."""

    id: int
    at: float
    mac: str
    stage: str
    text: str


class Boards:
    """May be used from any thread.

    ``path``  the database; several processes may have it open
    What is asked of the file, and reinstall marks, raise OckleError when the disk refuses. Stages and lines do not:
    that is told once in the log, and the stages go on in memory.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self._lock = threading.RLock()
        self._database = connect(path, durable=False)  # no sync per line: a card would make all boards wait
        self._durable = connect(path)
        self._version = -1
        self._boards: dict[str, Board] = {}
        self._seen: dict[str, float] = {}
        self._spoken: dict[str, tuple[float, int]] = {}
        self.problem = ""
        self.poll()

    def close(self) -> None:
        with self._lock:
            self._database.close()
            self._durable.close()

    def connect(self, *, durable: bool) -> sqlite3.Connection:
        """Return another connection to the same file, for a service's own tables."""
        return connect(self.path, durable=durable)

    # -- looking

    def poll(self) -> bool:
        """Take in what another process has written; tell whether there was something."""
        with self._lock, self._told():
            version = self._database.execute("PRAGMA data_version").fetchone()[0]
            if version == self._version:
                return False
            self._version = version
            rows = self._database.execute(f"SELECT {', '.join(_COLUMNS)} FROM boards").fetchall()  # noqa: S608
            self._boards = {row[0]: _board(row) for row in rows}
        return True

    def get(self, mac: str) -> Board | None:
        return self._boards.get(mac)

    def all(self) -> list[Board]:
        with self._lock:
            return list(self._boards.values())

    def lines(self, mac: str, after: int = 0, limit: int = 200) -> list[Line]:
        """Return the newest ``limit`` lines of a board's journal after the line ``after``, oldest first."""
        query = "SELECT id, at, mac, stage, text FROM journal WHERE mac = ? AND id > ? ORDER BY id DESC LIMIT ?"
        with self._lock, self._told():
            return [Line(*row) for row in reversed(self._database.execute(query, (mac, after, limit)).fetchall())]

    def journal_since(self, after: int, limit: int = 1000) -> list[Line]:
        """Return the lines of all boards after the line ``after``, oldest first."""
        query = "SELECT id, at, mac, stage, text FROM journal WHERE id > ? ORDER BY id LIMIT ?"
        with self._lock, self._told():
            return [Line(*row) for row in self._database.execute(query, (after, limit)).fetchall()]

    def journal_end(self) -> int:
        """Return the number of the newest line, 0 = there is none."""
        with self._lock, self._told():
            return int(self._database.execute("SELECT coalesce(max(id), 0) FROM journal").fetchone()[0])

    # -- what a board does

    def note(self, mac: str, stage: Stage, text: str = "", **known: str) -> None:
        """Note that a board has come to a stage, and what else is known of it (``FIELDS``).

        The same stage again with the same text is only a sign of life.
        """
        before = self._boards.get(mac) or Board(mac)
        changes: dict[str, Any] = {name: value for name, value in known.items() if getattr(before, name) != value}
        if unknown := known.keys() - FIELDS:
            raise TypeError(f"no fields of a board: {sorted(unknown)}")
        if before.stage is stage and before.note == text and not changes and before.first_seen:
            self.touch(mac)
            return
        now, stamp = self._clock.wall(), self._clock.stamp()
        changes |= {"last_seen": now, "note": text[:LINE_LENGTH]}
        if not before.first_seen:
            changes["first_seen"] = now
        if before.stage is not stage:
            changes |= {"stage": stage.key, "stage_at": now, "stage_stamp": stamp}
        if stage.ok and not before.stage.ok:
            changes |= {"booted_at": now, "booted_stamp": stamp}
        if stage is Stage.INSTALLED:
            changes["installed_at"] = now
        self._change(mac, changes, (stage.key, text or stage.value))

    def log(self, mac: str, text: str) -> None:
        """Write a line of a board's console; a board that says too much is cut short, once a minute with a word."""
        now = self._clock.now()
        with self._lock:
            begun, count = self._spoken.get(mac, (now, 0))
            if now - begun > 60:
                begun, count = now, 0
            self._spoken[mac] = (begun, count + 1)
        if count >= LINES_PER_MINUTE:
            return
        shown = "… says too much; the rest of this minute is left out" if count == LINES_PER_MINUTE - 1 else text
        try:
            with self._told(), self._lock:
                self._write_line(self._database, mac, "", shown)
        except OckleError as error:
            log.debug("%s", error)  # told with the stages

    def touch(self, mac: str, **known: str) -> None:
        """Note a sign of life, and what is known; written at most every ten seconds."""
        now = self._clock.wall()
        board = self._boards.get(mac)
        changes: dict[str, Any] = {name: value for name, value in known.items() if getattr(board, name, "") != value}
        if board is not None and not changes and abs(now - board.last_seen) < TOUCH_EVERY_S:
            return
        changes["last_seen"] = now
        if board is None or not board.first_seen:
            changes["first_seen"] = now
        self._change(mac, changes)

    # -- installing anew: wanted once, begun once

    def want_reinstall(self, mac: str, image: str = "", who: str = "") -> str:
        """Mark a board to be formatted and installed at its next hello; durable when this returns. Returns its id.

        ``image``  the root file system to install, "" = that of its profile
        """
        mark = secrets.token_hex(4)
        changes = {
            "reinstall": MarkState.WANTED.value,
            "reinstall_id": mark,
            "reinstall_image": image,
            "reinstall_by": who,
            "reinstall_at": self._clock.wall(),
        }
        self._change(mac, changes, ("", f"marked to be installed anew{f' by {who}' if who else ''}"), must=True)
        return mark

    def take_reinstall(self, mac: str) -> Board | None:
        """Begin what is WANTED: the mark is STARTED, durably, before this returns the board; None: nothing is wanted.

        Two that ask at the same time get it once.
        """
        with self._told(), self._lock:
            taken = self._durable.execute(
                "UPDATE boards SET reinstall = ? WHERE mac = ? AND reinstall = ?",
                (MarkState.STARTED.value, mac, MarkState.WANTED.value),
            ).rowcount
            if not taken:
                return None
            self._read(mac)
            return self._boards[mac]

    def confirm_reinstall(self, mac: str) -> bool:
        """Take away a mark that was STARTED: the board says that it is installed. Tell whether there was one."""
        board = self._fresh(mac)
        if board is None or board.reinstall is not MarkState.STARTED:
            return False
        self._change(mac, _NO_MARK, must=True)
        return True

    def drop_reinstall(self, mac: str) -> bool:
        """Take a mark away, whatever has become of it. Tell whether there was one."""
        board = self._fresh(mac)
        if board is None or board.reinstall is MarkState.NONE:
            return False
        self._change(mac, _NO_MARK, ("", "is no longer marked to be installed anew"), must=True)
        return True

    def forget(self, mac: str) -> None:
        """Forget a board and its journal."""
        with self._told(), self._lock, self._database:
            self._database.execute("DELETE FROM boards WHERE mac = ?", (mac,))
            self._database.execute("DELETE FROM journal WHERE mac = ?", (mac,))
            self._boards.pop(mac, None)

    # -- the file

    def _fresh(self, mac: str) -> Board | None:
        with self._lock, self._told():
            self._read(mac)
            return self._boards.get(mac)

    def _read(self, mac: str) -> None:
        row = self._database.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM boards WHERE mac = ?",  # noqa: S608 - names of our own fields
            (mac,),
        ).fetchone()
        if row is not None:
            self._boards[mac] = _board(row)

    def _change(
        self, mac: str, changes: dict[str, Any], line: tuple[str, str] | None = None, *, must: bool = False
    ) -> None:
        """Write columns of a board, and a line of its journal.

        ``must``  it is durable when this returns, or OckleError is raised; else a disk that refuses is only told, once
        """
        with self._lock:
            try:
                with self._told():
                    self._write(self._durable if must else self._database, mac, changes, line)
                    self._read(mac)
            except OckleError as error:
                if must:
                    raise
                if str(error) != self.problem:
                    log.error("%s; what the boards do is not kept meanwhile", error)
                self.problem = str(error)
                if "stage" in changes:
                    changes = {**changes, "stage": Stage[changes["stage"].upper()]}
                self._boards[mac] = replace(self._boards.get(mac) or Board(mac), **changes)
            else:
                self.problem = ""

    def _write(
        self, database: sqlite3.Connection, mac: str, changes: dict[str, Any], line: tuple[str, str] | None
    ) -> None:
        columns = ", ".join(f"{name} = ?" for name in changes)
        database.execute("BEGIN IMMEDIATE")
        with database:
            database.execute("INSERT OR IGNORE INTO boards (mac) VALUES (?)", (mac,))
            database.execute(
                f"UPDATE boards SET {columns} WHERE mac = ?",  # noqa: S608 - names of our own fields
                (*changes.values(), mac),
            )
            if line is not None:
                self._write_line(database, mac, *line)

    def _write_line(self, database: sqlite3.Connection, mac: str, stage: str, text: str) -> None:
        clean = "".join(letter if letter.isprintable() else "·" for letter in text[:LINE_LENGTH])
        number = database.execute(
            "INSERT INTO journal (at, mac, stage, text) VALUES (?, ?, ?, ?)", (self._clock.wall(), mac, stage, clean)
        ).lastrowid
        if number is not None and number % 50 == 0:
            database.execute(
                "DELETE FROM journal WHERE mac = ? AND id <="
                " (SELECT id FROM journal WHERE mac = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
                (mac, mac, LINES_KEPT),
            )

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise OckleError(f"{self.path.name}: {error}") from error


_NO_MARK: dict[str, Any] = {
    "reinstall": "",
    "reinstall_id": "",
    "reinstall_image": "",
    "reinstall_by": "",
    "reinstall_at": 0.0,
}


def _board(row: tuple[Any, ...]) -> Board:
    values = dict(zip(_COLUMNS, row, strict=True))
    values["stage"] = Stage[values["stage"].upper()]
    values["reinstall"] = MarkState(values["reinstall"])
    return Board(**values)
