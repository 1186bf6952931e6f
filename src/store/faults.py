"""What a database's error means for the daemon: wait, make room, or end."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import SQLAlchemyError

from ..common.errors import StoreBroken, StoreError, StoreFull

FULL = frozenset({"SQLITE_FULL", "SQLITE_IOERR_SHMSIZE", "53100"})
"""No room. SQLite gives SHMSIZE when the index of its write-ahead log cannot grow; 53100 is PostgreSQL's disk_full."""

BROKEN = ("SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_NOTADB", "58030", "XX001", "XX002")
"""The disk failed, or what is on it is damaged: what was written before may not be there either.

After a failed fsync Linux forgets that the pages were not written, so a second one succeeds without having written.
"""

RETRY = frozenset({"40001", "40P01"})
"""PostgreSQL: serialization failure, deadlock. The same transaction may succeed at once."""


def code_of(error: BaseException) -> str:
    """Return SQLite's name of an error, or the SQLSTATE of another database; "" without one."""
    origin = getattr(error, "orig", None) or error
    return str(getattr(origin, "sqlite_errorname", "") or getattr(origin, "sqlstate", "") or "")


def store_error(doing: str, error: SQLAlchemyError | sqlite3.Error | OSError) -> StoreError:
    """Return the StoreError that says what went wrong while ``doing``, such as "cannot write the store"."""
    code = code_of(error)
    text = f"{doing}: {first_line(error)}"
    if code in FULL:
        return StoreFull(text)
    if code.startswith(BROKEN):
        return StoreBroken(f"{text} ({code})")
    return StoreError(text)


def first_line(error: BaseException) -> str:
    return (str(getattr(error, "orig", None) or error) or type(error).__name__).splitlines()[0]
