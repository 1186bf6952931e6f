"""Whether a state database can be trusted: SQLite's own check, the types of all rows, and the second copy."""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from ..common.errors import StoreError
from . import schema, tables
from .connect import make_engine
from .critical import SEQUENCE, Content, Critical
from .faults import first_line

LARGE = 64 * 1024 * 1024
"""From this size on (bytes) the quick check has to do: it leaves out whether each index fits its table."""
CHECK_TIMEOUT_S = 10.0
EMPTY = "it has no tables"

_ALLOWED: dict[tuple[str, str], frozenset[Any]] = {
    ("servers", "desired"): frozenset({None, "on", "off"}),
    ("servers", "forced"): frozenset({None, "on", "off"}),
}


def damage(file: Path, critical: Critical | None = None) -> str:
    """Return what is wrong with a database that may have been in use when the power went; "" when it is sound.

    ``critical``  the second copy to compare with
    Nobody else may use the file. A version of the tables that is not known here is not damage.
    """
    try:
        structure = _structure(file)
        if structure:
            return structure
        engine = make_engine(f"sqlite:///{file}")
        try:
            with engine.connect() as connection:
                return _content(connection, critical)
        finally:
            engine.dispose()
    except (sqlite3.Error, SQLAlchemyError, OSError) as error:
        return first_line(error)
    except StoreError as error:
        return str(error)
    except (ValueError, TypeError, LookupError) as error:  # garbage where a text, a number or a name was
        return f"it cannot be read: {first_line(error)}"


def is_sqlite(file: Path) -> bool:
    """Tell whether a file begins as an SQLite database does. Raises OSError."""
    with file.open("rb") as raw:
        return raw.read(16) == b"SQLite format 3\0"


def _structure(file: Path) -> str:
    check = "integrity_check" if file.stat().st_size < LARGE else "quick_check"
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=rw", uri=True, timeout=CHECK_TIMEOUT_S)) as database:
        rows = database.execute(f"PRAGMA {check}(3)").fetchall()
    return "" if rows == [("ok",)] else "; ".join(str(row[0]) for row in rows).replace("\n", " ")


def _content(connection: sa.Connection, critical: Critical | None) -> str:
    found = schema.STATE.found(connection)
    if found is None:
        return EMPTY
    if found > schema.STATE.version:
        return ""
    names = set(sa.inspect(connection).get_table_names())
    if missing := set(schema.ORIGINAL) - names:
        return f"the table {min(missing)} is missing"
    for name in sorted(names & set(tables.STATE.tables)):
        for row in _rows(connection, name):
            if problem := _row_damage(name, row):
                return problem
    copy = critical.read() if critical is not None else None
    return _compare(connection, *copy) if copy is not None else ""


def _rows(connection: sa.Connection, name: str) -> Iterator[dict[str, Any]]:
    """Yield the rows with the columns that are there: an older version has fewer."""
    there = {column["name"] for column in sa.inspect(connection).get_columns(name)}
    columns = [column for column in tables.STATE.tables[name].columns if column.name in there]
    try:
        for row in connection.execute(sa.select(*columns)).mappings():
            yield dict(row)
    except (ValueError, TypeError) as error:  # a JSON column that holds no JSON, say
        raise StoreError(f"the table {name} holds a row that cannot be read: {error}") from error


def _row_damage(name: str, row: dict[str, Any]) -> str:
    table = tables.STATE.tables[name]
    for column, value in row.items():
        kind = table.c[column].type
        allowed = _ALLOWED.get((name, column))
        if (allowed is not None and value not in allowed) or not _fits(kind, value):
            return f"the table {name} holds {column} = {value!r} for {row[tables.KEYS[name]]!r}"
    return ""


def _fits(kind: sa.types.TypeEngine[Any], value: Any) -> bool:
    if value is None or isinstance(kind, sa.JSON):
        return True
    if isinstance(kind, sa.Boolean):
        return isinstance(value, bool)
    if isinstance(kind, sa.Integer):
        return type(value) is int
    if isinstance(kind, sa.Float):
        return isinstance(value, float | int) and not isinstance(value, bool)
    return isinstance(value, str)


def _compare(connection: sa.Connection, number: int, copy: Content) -> str:
    meta = tables.select(connection, "meta")
    noted = int(next((row["value"] for row in meta if row["name"] == SEQUENCE), None) or 0)
    if noted < number:
        return f"it lost its newest changes (it knows change {noted}, the second copy {number})"
    if noted > number:
        return ""  # the power went before the copy was written
    here = Content.of(tables.select(connection, "servers"), meta)
    names = {name for name in {*here.servers, *copy.servers} if here.servers.get(name) != copy.servers.get(name)}
    if names or here.meta != copy.meta:
        return f"it differs from the second copy: {', '.join(sorted(names)[:5]) or 'the settings of the daemon'}"
    return ""


def age_text(file: Path) -> str:
    """Return when a file was written, for a person."""
    return datetime.datetime.fromtimestamp(file.stat().st_mtime).astimezone().strftime("%Y-%m-%d %H:%M")
