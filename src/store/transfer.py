"""Copies a whole store into another database: SQLite to PostgreSQL, back, or into the file of a backup."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from ..common.errors import StoreError
from . import tables
from .connect import make_engine, sqlite_file, without_password
from .critical import SEQUENCE
from .faults import store_error
from .lease import Lease
from .schema import STATE, Schema

CHUNK = 500
LEFT_OUT = frozenset({"lease", "meta"})
"""Tables that are not copied as they are: the first belongs to one database, of the second most rows do."""
META_LEFT_OUT = frozenset({"schema", "log_schema", SEQUENCE, "starts"})


@contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    """Yield a connection in a transaction that sees one moment, and is committed at the end. Raises StoreError."""
    try:
        engine = make_engine(url)
        if engine.dialect.name == "postgresql":
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()
    except (SQLAlchemyError, OSError) as error:
        raise store_error(without_password(url), error) from error


def copy_database(
    source: str, target: str, schema: Schema = STATE, *, replace: bool = False, in_use: bool = False
) -> dict[str, int]:
    """Copy all rows in one transaction of the target, read them back there, and compare; return rows by table.

    ``replace``  what the target holds goes; else only an empty one is taken
    ``in_use``   a daemon may be writing the source
    Nobody else may use the target. Raises StoreError, and then the target is as it was.
    """
    with connected(source) as read, connected(target) as write:
        found = schema.found(read)
        if found != schema.version:
            what = (
                "holds no store"
                if found is None
                else f"is of schema {found}, not {schema.version}: start the daemon once"
            )
            raise StoreError(f"{without_password(source)} {what}")
        schema.prepare(write)
        if "lease" in schema.metadata.tables:
            _check_unused(write, target)
            if not in_use:
                _check_unused(read, source)
        names = [name for name in schema.metadata.tables if name not in LEFT_OUT]
        return {name: _copy_table(read, write, name, target, replace=replace) for name in names} | {
            "meta": _copy_meta(read, write)
        }


def exists(url: str) -> bool:
    """Tell whether there is a database at all; a server's is taken to be there."""
    file = sqlite_file(url)
    return file is None or file.exists()


def _check_unused(connection: sa.Connection, url: str) -> None:
    if connection.dialect.name == "sqlite":
        return  # the caller has its lock
    try:
        lease = Lease()
        lease.take(connection)
        lease.release(connection)
    except StoreError as error:
        raise StoreError(f"{without_password(url)}: {error}; stop it first") from error


def _copy_table(read: sa.Connection, write: sa.Connection, name: str, target: str, *, replace: bool) -> int:
    table = tables.TABLES[name]
    if replace:
        write.execute(table.delete())
    elif write.execute(sa.select(table).limit(1)).first() is not None:
        raise StoreError(f"{without_password(target)} is not empty: its table {name} has rows")
    rows = tables.select(read, name, tables.KEYS[name])
    for start in range(0, len(rows), CHUNK):
        write.execute(table.insert(), rows[start : start + CHUNK])
    written = tables.select(write, name)
    if len(written) != len(rows) or digest(written, name) != digest(rows, name):
        raise StoreError(f"the table {name} did not arrive as it was: {len(rows)} rows, {len(written)} there")
    return len(rows)


def _copy_meta(read: sa.Connection, write: sa.Connection) -> int:
    rows = [row for row in tables.select(read, "meta") if row["name"] not in META_LEFT_OUT]
    if rows:
        tables.upsert(write, "meta", rows)
    return len(rows)


def digest(rows: list[dict[str, Any]], name: str) -> str:
    """Return a hash of rows that depends neither on their order nor on the database they come from."""
    key = tables.KEYS[name]
    total = hashlib.sha256()
    for row in sorted(rows, key=lambda row: str(row[key])):
        total.update(json.dumps(row, sort_keys=True, default=str).encode())
    return total.hexdigest()
