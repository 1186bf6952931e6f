"""``boards.db``: the tables, and connections to them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ..common.errors import OckleError

VERSION = 1
BUSY_S = 5.0

TABLES = """
CREATE TABLE IF NOT EXISTS boards (
    mac TEXT PRIMARY KEY,
    ip TEXT NOT NULL DEFAULT '',
    stage TEXT NOT NULL DEFAULT 'new',
    stage_at REAL NOT NULL DEFAULT 0,
    stage_stamp TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    kind TEXT NOT NULL DEFAULT '',
    serial TEXT NOT NULL DEFAULT '',
    arch TEXT NOT NULL DEFAULT '',
    image TEXT NOT NULL DEFAULT '',
    hostname TEXT NOT NULL DEFAULT '',
    first_seen REAL NOT NULL DEFAULT 0,
    last_seen REAL NOT NULL DEFAULT 0,
    booted_at REAL NOT NULL DEFAULT 0,
    booted_stamp TEXT NOT NULL DEFAULT '',
    installed_at REAL NOT NULL DEFAULT 0,
    reinstall TEXT NOT NULL DEFAULT '',
    reinstall_id TEXT NOT NULL DEFAULT '',
    reinstall_image TEXT NOT NULL DEFAULT '',
    reinstall_by TEXT NOT NULL DEFAULT '',
    reinstall_at REAL NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    mac TEXT NOT NULL,
    stage TEXT NOT NULL DEFAULT '',
    text TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS journal_mac ON journal (mac, id);
"""


def connect(path: Path, *, durable: bool = True) -> sqlite3.Connection:
    """Open the database, made if need be; usable from any thread, by one at a time.

    ``durable``  True: what is committed survives a power cut; False: it survives the end of the process
    Raises OckleError for a file that is none, or one of a newer Ockle.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise OckleError(f"{path} cannot be opened: {error}") from error
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found > VERSION:
            raise OckleError(f"{path} was written by a newer Ockle (version {found}, this one knows {VERSION})")
        if found < VERSION:
            connection.executescript(f"BEGIN IMMEDIATE;{TABLES}PRAGMA user_version={VERSION};COMMIT;")
    except sqlite3.Error as error:
        connection.close()
        raise OckleError(f"{path} cannot be used: {error}; it may be moved away, boards then begin anew") from error
    except OckleError:
        connection.close()
        raise
    return connection
