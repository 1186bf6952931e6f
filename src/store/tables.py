"""The tables of the store, and the few statements on them. No SQL that only one database knows."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

SCHEMA = 1
"""Version of the tables; a store of a higher one is refused."""

metadata = sa.MetaData()

meta = sa.Table("meta", metadata, sa.Column("name", sa.String, primary_key=True), sa.Column("value", sa.Text))
servers = sa.Table(
    "servers",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("desired", sa.String),
    sa.Column("desired_gen", sa.BigInteger),
    sa.Column("held", sa.Text),
    sa.Column("forced", sa.String),
    sa.Column("forced_note", sa.Text),
    sa.Column("start_attempts", sa.Integer),
    sa.Column("stop_attempts", sa.Integer),
    sa.Column("retry_in", sa.Float),
    sa.Column("shutdown_sent", sa.Boolean),
    sa.Column("failure", sa.String),
    sa.Column("error", sa.Text),
)
outlets = sa.Table(
    "outlets",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("off_at", sa.Float),
)
intents = sa.Table(
    "intents",
    metadata,
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
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("state", sa.String),
    sa.Column("created", sa.Float),
    sa.Column("body", sa.JSON),
)
durations = sa.Table(
    "durations",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("seconds", sa.JSON),
)
events = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("time", sa.Float),
    sa.Column("kind", sa.String),
    sa.Column("server", sa.String),
    sa.Column("text", sa.Text),
    sa.Column("data", sa.JSON),
)

KEYS = {table.name: next(iter(table.primary_key)).name for table in metadata.sorted_tables}


def upsert(connection: sa.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    """Insert ``rows``, which have the same columns, or update those that are there already."""
    target = metadata.tables[table]
    key = KEYS[table]
    insert: Any = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(target)
    columns = {name: insert.excluded[name] for name in rows[0] if name != key}
    connection.execute(insert.on_conflict_do_update(index_elements=[key], set_=columns), rows)


def select(connection: sa.Connection, table: str, order: str | None, limit: int | None) -> list[dict[str, Any]]:
    """Return rows as dicts; ``order`` is a column, newest first with a leading "-"."""
    target = metadata.tables[table]
    query = sa.select(target)
    if order is not None:
        column = target.c[order.lstrip("-")]
        query = query.order_by(column.desc() if order.startswith("-") else column)
    if limit is not None:
        query = query.limit(limit)
    return [dict(row) for row in connection.execute(query).mappings()]


def prune(connection: sa.Connection, table: str, keep: int) -> None:
    """Delete all but the ``keep`` rows with the highest keys."""
    target = metadata.tables[table]
    key = target.c[KEYS[table]]
    edge = connection.execute(sa.select(key).order_by(key.desc()).offset(keep).limit(1)).scalar_one_or_none()
    if edge is not None:
        connection.execute(target.delete().where(key <= edge))
