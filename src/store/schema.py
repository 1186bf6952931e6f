"""Versions of the tables: a new database gets the newest, an older one is brought up to it, a newer one is refused.

All of it happens in one transaction, so a store is of one version or of the next, also when the power goes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from ..common.errors import StoreError
from . import tables

Migration = Callable[[sa.Connection], None]


@dataclass(frozen=True)
class Schema:
    """``row`` of the table meta holds the version; ``migrations``: version -> what leads to it from the one before."""

    metadata: sa.MetaData
    row: str
    version: int
    migrations: Mapping[int, Migration]

    def found(self, connection: sa.Connection) -> int | None:
        """Return the version of the database, None for an empty one. Raises StoreError when it makes no sense."""
        names = set(sa.inspect(connection).get_table_names())
        if not names & (set(self.metadata.tables) - {"meta"}):
            return None
        if "meta" not in names:
            return 1  # the first version made its tables one by one, and may have been interrupted
        value = connection.execute(
            sa.select(tables.meta.c.value).where(tables.meta.c.name == self.row)
        ).scalar_one_or_none()
        if value is None:
            return 1
        if not str(value).isdecimal():
            raise StoreError(f"its version of the tables is {value!r}: restore a backup")
        return int(value)

    def prepare(self, connection: sa.Connection) -> None:
        """Make the tables what this version of Ockle knows; the caller commits. Raises StoreError."""
        found = self.found(connection)
        if found is not None and found > self.version:
            raise StoreError(
                f"it was written by a newer Ockle (schema {found}, this one knows {self.version}): "
                "install that version again, or restore a backup"
            )
        for version in range((found or self.version) + 1, self.version + 1):
            self.migrations[version](connection)
        self.metadata.create_all(connection)
        if found != self.version:
            tables.upsert(connection, "meta", [{"name": self.row, "value": str(self.version)}])


def add_columns(connection: sa.Connection, table: str, *columns: sa.Column[object]) -> None:
    """Add columns that are empty in the rows that are there."""
    dialect = connection.dialect
    holder = sa.Table(table, sa.MetaData(), *columns)
    name = dialect.identifier_preparer.format_table(holder)
    for column in holder.columns:
        definition = sa.schema.CreateColumn(column).compile(dialect=dialect)
        connection.execute(sa.text(f"ALTER TABLE {name} ADD COLUMN {definition}"))


def _to_2(connection: sa.Connection) -> None:
    """Who forced what how long; which boot was shut down; what is known of outlets. (The lease is a new table.)"""
    add_columns(
        connection,
        "servers",
        sa.Column("forced_by", sa.Text),
        sa.Column("forced_since", sa.Float),
        sa.Column("forced_left", sa.Float),
        sa.Column("forced_noted", sa.String),
        sa.Column("forced_open", sa.Boolean),
        sa.Column("poison_boot", sa.String),
    )
    add_columns(
        connection,
        "outlets",
        sa.Column("marks", sa.JSON),
        sa.Column("noted", sa.String),
    )
    connection.execute(sa.text("ALTER TABLE outlets DROP COLUMN off_at"))  # a moment of a clock that may step


def _to_3(_connection: sa.Connection) -> None:
    """Users, tokens, sessions and the audit: all of them are new tables."""


ORIGINAL = ("meta", "servers", "outlets", "intents", "runs")
"""The state's tables in every version."""

STATE = Schema(tables.STATE, "schema", 3, {2: _to_2, 3: _to_3})
LOG = Schema(tables.LOG, "log_schema", 1, {})


def move_log(state: sa.Engine, log: sa.Engine) -> None:
    """Move events and durations out of a state database that still holds them; nothing to do for most.

    They are in the other database before they are dropped here; interrupted, it is simply done again.
    """
    with state.connect() as connection:
        names = set(sa.inspect(connection).get_table_names()) & {"events", "durations"}
        rows = {name: tables.select(connection, name) for name in names}
    if not names:
        return
    with log.begin() as connection:
        for name in names:
            for start in range(0, len(rows[name]), 500):
                tables.upsert(connection, name, rows[name][start : start + 500])
    with state.begin() as connection:
        for name in names:
            tables.TABLES[name].drop(connection)
