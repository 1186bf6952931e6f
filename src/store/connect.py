"""Connections to the databases that Ockle knows: SQLite and PostgreSQL, by SQLAlchemy's URLs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from ..common.errors import StoreError

LOCK_WAIT_S = 10
"""How long SQLite waits for somebody else who reads or writes the file."""
CACHE_KB = 512
"""Pages of a file that SQLite holds for a connection; its own default would let each grow to 2 MB, slowly.
What is read seldom comes from the system's cache as well."""
SERVER_OPTIONS = {
    "connect_timeout": "10",
    "tcp_user_timeout": "15000",
    "options": "-c statement_timeout=20000 -c lock_timeout=10000",
}
"""PostgreSQL: nothing waits for ever. Each of them may be set in the URL instead."""

Sync = Literal["FULL", "NORMAL"]


def make_engine(url: str, sync: Sync = "FULL", *, any_backend: bool = False) -> sa.Engine:
    """Return an engine; nothing is connected yet.

    ``sync``         SQLite: FULL = what is committed survives a power cut; NORMAL = the newest commits may go with it
    ``any_backend``  take whatever database SQLAlchemy has a driver for: what is stored needs nothing special
    Raises StoreError for a URL that makes no sense, SQLAlchemyError when a driver is missing.
    """
    parsed = parse(url)
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        given = {name: value for name, value in SERVER_OPTIONS.items() if name not in parsed.query}
        return sa.create_engine(parsed, pool_pre_ping=True, json_serializer=json.dumps, connect_args=given)
    if backend != "sqlite" and any_backend:
        return sa.create_engine(parsed, pool_pre_ping=True)
    if backend != "sqlite":
        raise StoreError(f"{backend} is not a database that Ockle can use: sqlite or postgresql")
    file = sqlite_file(url)
    if file is None:
        engine = sa.create_engine(parsed, poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        engine = sa.create_engine(parsed, connect_args={"timeout": LOCK_WAIT_S})
    _set_up_sqlite(engine, sync, in_memory=file is None)
    return engine


def _set_up_sqlite(engine: sa.Engine, sync: Sync, *, in_memory: bool) -> None:
    @sa.event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the module would begin no transaction before a change of the tables
        cursor = connection.cursor()
        if not in_memory:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute(f"PRAGMA synchronous={sync}")
            cursor.execute("PRAGMA journal_size_limit=16777216")
            cursor.execute(f"PRAGMA cache_size=-{CACHE_KB}")  # negative: kB instead of pages
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")


def parse(url: str) -> sa.URL:
    """Return the URL taken apart; raises StoreError."""
    try:
        return sa.make_url(url)
    except SQLAlchemyError:
        raise StoreError(
            f"{url.partition(':')[0]}:…: not a database URL, such as postgresql+psycopg://user@host/db"
        ) from None


def sqlite_file(url: str) -> Path | None:
    """Return the file behind an SQLite URL; None for one in memory and for other databases."""
    parsed = parse(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(parsed.database or "")


def log_url(url: str) -> str:
    """Return where the log belongs when nobody says otherwise: a file beside SQLite's, else the same database."""
    file = sqlite_file(url)
    if file is None:
        return url
    name = "log.db" if file.name == "state.db" else f"{file.stem}-log.db"
    return f"sqlite:///{file.with_name(name)}"


def without_password(url: str) -> str:
    return parse(url).render_as_string(hide_password=True)
