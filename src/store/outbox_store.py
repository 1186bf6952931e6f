"""What waits to be sent about alerts, in an SQLite file; one row per message and channel."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .small_file import SmallFile

log = logging.getLogger(__name__)

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
        self._file = SmallFile(path, _TABLES)

    def load(self) -> tuple[list[Row], list[ChannelRow]]:
        """Return all rows in the order of their numbers; one that nobody can read is left out, and told."""
        rows: list[Row] = []
        with self._file.transaction() as connection:
            for seq, channel, text, stamp, over in connection.execute(
                "SELECT seq, channel, message, stamp, is_over FROM outbox ORDER BY seq"
            ):
                try:
                    rows.append(Row(seq, channel, json.loads(text), stamp, bool(over)))
                except ValueError as error:
                    log.warning("%s: message %s of channel %s cannot be read: %s", self._file.path, seq, channel, error)
            found = connection.execute("SELECT channel, sent_at, lost FROM outbox_channel").fetchall()
        return rows, [ChannelRow(*one) for one in found]

    def change(
        self, added: Iterable[Row], removed: Iterable[int], channels: Iterable[ChannelRow] = (), *, anew: bool = False
    ) -> None:
        """Write rows, in place of those with the same number, and remove others; ``anew``: after removing all."""
        with self._file.transaction() as connection:
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

    def close(self) -> None:
        self._file.close()
