"""The tables of the store, and the few statements on them. No SQL that only one database knows.

What must survive is in ``STATE``; events and learned durations, which may be lost, are in ``LOG``.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

STATE = sa.MetaData()
LOG = sa.MetaData()

meta = sa.Table("meta", STATE, sa.Column("name", sa.String, primary_key=True), sa.Column("value", sa.Text))
servers = sa.Table(
    "servers",
    STATE,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("desired", sa.String),
    sa.Column("desired_gen", sa.BigInteger),
    sa.Column("held", sa.Text),
    sa.Column("forced", sa.String),
    sa.Column("forced_note", sa.Text),
    sa.Column("forced_by", sa.Text),
    sa.Column("forced_since", sa.Float),
    sa.Column("forced_left", sa.Float),
    sa.Column("forced_noted", sa.String),
    sa.Column("forced_open", sa.Boolean),
    sa.Column("start_attempts", sa.Integer),
    sa.Column("stop_attempts", sa.Integer),
    sa.Column("retry_in", sa.Float),
    sa.Column("shutdown_sent", sa.Boolean),
    sa.Column("poison_boot", sa.String),
    sa.Column("failure", sa.String),
    sa.Column("error", sa.Text),
)
outlets = sa.Table(
    "outlets",
    STATE,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("marks", sa.JSON),
    sa.Column("noted", sa.String),
)
intents = sa.Table(
    "intents",
    STATE,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("run", sa.BigInteger),
    sa.Column("server", sa.String),
    sa.Column("object", sa.String),
    sa.Column("verb", sa.String),
    sa.Column("at", sa.Float),
    sa.Column("outcome", sa.Text),
    sa.Column("done_at", sa.Float),
)
runs = sa.Table(
    "runs",
    STATE,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("state", sa.String),
    sa.Column("created", sa.Float),
    sa.Column("body", sa.JSON),
)
lease = sa.Table(
    "lease",
    STATE,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("owner", sa.String),
    sa.Column("host", sa.String),
    sa.Column("pid", sa.BigInteger),
    sa.Column("place", sa.String),
    sa.Column("beat", sa.Float),
)
users = sa.Table(
    "users",
    STATE,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("role", sa.String),
    sa.Column("hash", sa.Text),
    sa.Column("created", sa.Float),
    sa.Column("changed", sa.Float),
    sa.Column("disabled", sa.Boolean),
)
tokens = sa.Table(
    "tokens",
    STATE,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String),
    sa.Column("user", sa.String),
    sa.Column("role", sa.String),
    sa.Column("hash", sa.String),
    sa.Column("created", sa.Float),
    sa.Column("last_used", sa.Float),
    sa.Column("expires", sa.Float),
)
sessions = sa.Table(
    "sessions",
    STATE,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("user", sa.String),
    sa.Column("hash", sa.String),
    sa.Column("created", sa.Float),
    sa.Column("last_used", sa.Float),
    sa.Column("address", sa.String),
    sa.Column("agent", sa.Text),
)
audit = sa.Table(
    "audit",
    STATE,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("time", sa.Float),
    sa.Column("who", sa.Text),
    sa.Column("role", sa.String),
    sa.Column("via", sa.String),
    sa.Column("address", sa.String),
    sa.Column("reported", sa.String),
    sa.Column("command", sa.String),
    sa.Column("object", sa.Text),
    sa.Column("run", sa.String),
    sa.Column("result", sa.String),
    sa.Column("text", sa.Text),
    sa.Column("details", sa.Text),
    sa.Column("before", sa.String),
)
durations = sa.Table(
    "durations",
    LOG,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("seconds", sa.JSON),
)
events = sa.Table(
    "events",
    LOG,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("time", sa.Float),
    sa.Column("kind", sa.String),
    sa.Column("server", sa.String),
    sa.Column("text", sa.Text),
    sa.Column("data", sa.JSON),
)
meta.to_metadata(LOG)

TABLES = {**LOG.tables, **STATE.tables}
KEYS = {name: next(iter(table.primary_key)).name for name, table in TABLES.items()}


def upsert(connection: sa.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    """Insert ``rows``, which have the same columns, or update those that are there already."""
    target = TABLES[table]
    key = KEYS[table]
    insert: Any = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(target)
    columns = {name: insert.excluded[name] for name in rows[0] if name != key}
    connection.execute(insert.on_conflict_do_update(index_elements=[key], set_=columns), rows)


def select(
    connection: sa.Connection,
    table: str,
    order: str | None = None,
    limit: int | None = None,
    unset: str | None = None,
    equal: tuple[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Return rows as dicts.

    ``order`` is a column, newest first with a leading "-"; ``unset`` one that is NULL; ``equal`` one and its value
    """
    target = TABLES[table]
    query = sa.select(target)
    if unset is not None:
        query = query.where(target.c[unset].is_(None))
    if equal is not None:
        query = query.where(target.c[equal[0]] == equal[1])
    if order is not None:
        column = target.c[order.lstrip("-")]
        query = query.order_by(column.desc() if order.startswith("-") else column)
    if limit is not None:
        query = query.limit(limit)
    return [dict(row) for row in connection.execute(query).mappings()]


def delete(connection: sa.Connection, table: str, keys: list[Any]) -> None:
    """Delete the rows with these keys, if they are there."""
    target = TABLES[table]
    connection.execute(target.delete().where(target.c[KEYS[table]].in_(keys)))


def prune(connection: sa.Connection, table: str, keep: int) -> None:
    """Delete all but the ``keep`` rows with the highest keys."""
    target = TABLES[table]
    key = target.c[KEYS[table]]
    edge = connection.execute(sa.select(key).order_by(key.desc()).offset(keep).limit(1)).scalar_one_or_none()
    if edge is not None:
        connection.execute(target.delete().where(key <= edge))


def writable(value: Any) -> Any:
    """Replace what no database takes in a text: lone surrogates, which JSON can bring, and NUL."""
    if isinstance(value, str) and not (value.isascii() and value.isprintable()):
        return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    return value
