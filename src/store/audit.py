"""The table audit as a chain: each row holds the hash of the row before it, so none can be changed, added or left out.

Two rows of meta belong to it. ``audit_head`` has number and hash of the newest row, so that rows taken off the end are
missed; ``audit_start`` has those of the newest row that retention has removed, so that the rest still verifies. Who can
write the database can compute a whole new chain; the daemon's log has each hash as well.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from . import tables

HEAD, START = "audit_head", "audit_start"
_COLUMNS = tuple(column.name for column in tables.audit.columns)
_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Link:
    """A row's number and hash; number 0 stands before the first row of all."""

    id: int = 0
    hash: str = ""

    def __str__(self) -> str:
        return f"{self.id} {self.hash}"

    @classmethod
    def parse(cls, text: str | None) -> Link:
        """Return the link that ``str`` made a text of; what is none counts as the first one."""
        number, _, digest = (text or "").partition(" ")
        return cls(int(number), digest) if number.isdecimal() else cls()


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows are wanted; "" and None: any. ``before_id``: older ones than that; ``since``: 1970 seconds."""

    who: str = ""
    server: str = ""
    command: str = ""
    before_id: int | None = None
    since: float | None = None


def link(row: Mapping[str, Any]) -> Link:
    """Return number and hash of a row; the hash covers all columns, the hash of the row before among them."""
    text = json.dumps([row[name] for name in _COLUMNS], ensure_ascii=True, separators=(",", ":"))
    return Link(row["id"], hashlib.sha256(text.encode()).hexdigest())


def head(connection: sa.Connection) -> Link:
    """Return the newest row's link, as the next row has to have it."""
    return _noted(connection, HEAD)


def problem(connection: sa.Connection) -> str:
    """Return where the chain is broken, "" when it is whole. Reads all rows: about 10 µs for each on a PC."""
    before = _noted(connection, START)
    newest = _noted(connection, HEAD)
    query = sa.select(tables.audit).order_by(tables.audit.c.id)
    for found in connection.execute(query.execution_options(yield_per=_CHUNK)).mappings():
        row = dict(found)
        if row["id"] != before.id + 1:
            return f"entries {before.id + 1} to {row['id'] - 1} are missing"
        if row["before"] != before.hash:
            return f"entry {before.id} is not as it was written" if before.id else f"entry {row['id']} was added"
        before = link(row)
    if before.id < newest.id:
        return f"entries {before.id + 1} to {newest.id} are missing"
    if before != newest:
        return f"entry {before.id} is not as it was written"
    return ""


def newest(connection: sa.Connection, limit: int, wanted: Filter) -> list[dict[str, Any]]:
    """Return rows, newest first."""
    table = tables.audit
    query = sa.select(table).order_by(table.c.id.desc()).limit(limit)
    if wanted.who:
        query = query.where(sa.func.lower(table.c.who).contains(wanted.who.lower(), autoescape=True))
    if wanted.server:
        names = sa.literal(", ") + table.c.object + sa.literal(", ")
        query = query.where(names.contains(f", {wanted.server}, ", autoescape=True))
    if wanted.command:
        query = query.where(table.c.command == wanted.command)
    if wanted.before_id is not None:
        query = query.where(table.c.id < wanted.before_id)
    if wanted.since is not None:
        query = query.where(table.c.time >= wanted.since)
    return [dict(row) for row in connection.execute(query).mappings()]


def prune(connection: sa.Connection, keep: int) -> None:
    """Delete all but the newest ``keep`` rows, and note where the rest begins."""
    table = tables.audit
    query = sa.select(table).order_by(table.c.id.desc()).offset(keep).limit(1)
    last = connection.execute(query).mappings().first()
    if last is not None:
        connection.execute(table.delete().where(table.c.id <= last["id"]))
        tables.upsert(connection, "meta", [{"name": START, "value": str(link(dict(last)))}])


def _noted(connection: sa.Connection, name: str) -> Link:
    query = sa.select(tables.meta.c.value).where(tables.meta.c.name == name)
    return Link.parse(connection.execute(query).scalar_one_or_none())
