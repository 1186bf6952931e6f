"""What waits to be sent about alerts, in an SQLite file; one row per message and channel.

A commit reaches the system and not always the disk at once (``synchronous = NORMAL``): a crash of the daemon loses
nothing, one of the machine the last moments at most.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .faults import store_error

log = logging.getLogger(__name__)

BUSY_S = 5.0
"""How long another connection to the file may keep a transaction waiting."""

_TABLES = """
CREATE TABLE IF NOT EXISTS outbox (
    seq INTEGER PRIMARY KEY, channel TEXT NOT NULL, message TEXT NOT NULL, stamp TEXT NOT NULL, is_over INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS outbox_channel (channel TEXT PRIMARY KEY, sent_at REAL, lost INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Row:
    """``message``: as JSON can hold it."""

    seq: int
    channel: str
    message: dict[str, Any]
    stamp: str
    over: bool


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """``sent_at``: when the last message arrived, seconds since 1970; ``lost``: how many since then did not."""

    channel: str
    sent_at: float | None = None
    lost: int = 0


class OutboxStore:
    """Opened at its first use, and anew after an error. Its methods raise StoreError; used by one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def load(self) -> tuple[list[Row], list[ChannelRow]]:
        """Return all rows in the order of their numbers; one that nobody can read is left out, and told."""
        rows: list[Row] = []
        with self._transaction() as connection:
            for seq, channel, text, stamp, over in connection.execute(
                "SELECT seq, channel, message, stamp, is_over FROM outbox ORDER BY seq"
            ):
                try:
                    rows.append(Row(seq, channel, json.loads(text), stamp, bool(over)))
                except ValueError as error:
                    log.warning("%s: message %s of channel %s cannot be read: %s", self._path, seq, channel, error)
            found = connection.execute("SELECT channel, sent_at, lost FROM outbox_channel").fetchall()
        return rows, [ChannelRow(*one) for one in found]

    def change(
        self, added: Iterable[Row], removed: Iterable[int], channels: Iterable[ChannelRow] = (), *, anew: bool = False
    ) -> None:
        """Write rows, in place of those with the same number, and remove others; ``anew``: after removing all."""
        with self._transaction() as connection:
            if anew:
                connection.execute("DELETE FROM outbox")
                connection.execute("DELETE FROM outbox_channel")
            connection.executemany("DELETE FROM outbox WHERE seq = ?", [(seq,) for seq in removed])
            connection.executemany(
                "INSERT OR REPLACE INTO outbox VALUES (?, ?, ?, ?, ?)",
                [(row.seq, row.channel, json.dumps(row.message), row.stamp, row.over) for row in added],
            )
            connection.executemany(
                "INSERT OR REPLACE INTO outbox_channel VALUES (?, ?, ?)",
                [(one.channel, one.sent_at, one.lost) for one in channels],
            )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._connection or self._opened()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise store_error(f"cannot use {self._path}", error) from error

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None)
        self._connection = connection
        self._path.chmod(0o600)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(_TABLES)
        return connection

    def close(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
