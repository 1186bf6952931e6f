"""A small SQLite file of its own, for what may be lost: opened when it is needed, and anew after an error.

A commit reaches the system and not always the disk at once (``synchronous = NORMAL``): a crash of the daemon loses
nothing, one of the machine the last moments at most. Several may have the same file open, each with its tables.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..common.errors import StoreError
from .faults import code_of, store_error
from .files import set_aside

log = logging.getLogger(__name__)

BUSY_S = 5.0
"""How long another connection to the file may keep a transaction waiting."""
DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")


class SmallFile:
    """``tables``: SQL that makes what is missing. Used by one thread."""

    def __init__(self, path: Path, tables: str) -> None:
        self.path = path
        self._tables = tables
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit what is done within, or nothing of it. Raises StoreError."""
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
            raise self._error(error) from error

    def _error(self, error: sqlite3.Error | OSError) -> StoreError:
        return store_error(f"cannot use {self.path}", error)

    def _opened(self) -> sqlite3.Connection:
        try:
            return self._open()
        except sqlite3.DatabaseError as error:
            if not code_of(error).startswith(DAMAGED):
                raise
            self.close()
            log.error("%s; it is set aside, and a new one is begun", self._error(error))
            set_aside(self.path)
            return self._open()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None)
        self._connection = connection
        self.path.chmod(0o600)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(self._tables)
        return connection

    def close(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
