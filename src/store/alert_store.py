"""Alerts and silences in an SQLite file, one row each."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .small_file import SmallFile

log = logging.getLogger(__name__)

_TABLES = """
CREATE TABLE IF NOT EXISTS alerts (id INTEGER PRIMARY KEY, opened REAL NOT NULL, closed REAL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS alerts_open ON alerts (closed) WHERE closed IS NULL;
CREATE TABLE IF NOT EXISTS silences (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class AlertRow:
    """``opened``, ``closed``: seconds since 1970, None = it is open; ``body``: all of it, as JSON can hold it."""

    id: int
    opened: float
    closed: float | None
    body: dict[str, Any]


class AlertStore:
    """Opened at its first use, and anew after an error. Its methods raise StoreError; used by one thread.

    ``keep``  so many closed alerts stay, the newest
    """

    def __init__(self, path: Path, keep: int = 5000) -> None:
        self._file = SmallFile(path, _TABLES)
        self._keep = keep

    def load(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
        """Return the open alerts, the silences, and the highest number of an alert."""
        with self._file.transaction() as connection:
            alerts = self._bodies(connection, "SELECT body FROM alerts WHERE closed IS NULL ORDER BY id")
            silences = self._bodies(connection, "SELECT body FROM silences ORDER BY id")
            newest = connection.execute("SELECT max(id) FROM alerts").fetchone()[0]
        return alerts, silences, newest or 0

    def put(self, alerts: Iterable[AlertRow], silences: Iterable[dict[str, Any]] | None = None) -> None:
        """Write alerts, in place of those with the same number; ``silences``: all that there are now."""
        with self._file.transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?)",
                [(one.id, one.opened, one.closed, json.dumps(one.body)) for one in alerts],
            )
            if silences is not None:
                connection.execute("DELETE FROM silences")
                rows = [(one["id"], json.dumps(one)) for one in silences]
                connection.executemany("INSERT INTO silences VALUES (?, ?)", rows)
            connection.execute(
                "DELETE FROM alerts WHERE closed IS NOT NULL AND id <= (SELECT max(id) FROM alerts) - ?", (self._keep,)
            )

    def closed(self, since: float, limit: int) -> list[dict[str, Any]]:
        """Return alerts that were open at ``since`` or later and are closed, newest first."""
        query = "SELECT body FROM alerts WHERE closed >= ? ORDER BY id DESC LIMIT ?"
        with self._file.transaction() as connection:
            return self._bodies(connection, query, (since, limit))

    def get(self, number: int) -> dict[str, Any] | None:
        with self._file.transaction() as connection:
            found = self._bodies(connection, "SELECT body FROM alerts WHERE id = ?", (number,))
        return found[0] if found else None

    def _bodies(self, connection: sqlite3.Connection, query: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        found = []
        for (text,) in connection.execute(query, values):
            try:
                found.append(json.loads(text))
            except ValueError as error:
                log.warning("%s: a row cannot be read and is left out: %s", self._file.path, error)
        return found

    def close(self) -> None:
        self._file.close()
