"""The tables of the samples. Nothing in them that only one database knows; their names may stand beside others."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import sqlalchemy as sa

FORMAT = 1

METADATA = sa.MetaData()

meta = sa.Table(
    "sample_meta",
    METADATA,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.String(255)),
)
series = sa.Table(
    "sample_series",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("server", sa.String(255), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("object", sa.String(255), nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("every", sa.Float, nullable=False),
)
blocks = sa.Table(
    "sample_blocks",
    METADATA,
    sa.Column("step", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("start_ms", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("shard", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("end_ms", sa.BigInteger, nullable=False),
    sa.Column("body", sa.LargeBinary(2**24 - 1), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Block:
    """A row of ``sample_blocks``, with times in seconds since 1970; ``end`` is no part of it."""

    step: int
    start: float
    end: float
    shard: int
    body: bytes


def load(
    connection: sa.Connection, step: int, since: float, until: float, shards: Collection[int] | None = None
) -> Iterator[Block]:
    """Yield the blocks of a step that have something of a time, in its order."""
    query = sa.select(blocks).where(
        blocks.c.step == step, blocks.c.end_ms > round(since * 1000), blocks.c.start_ms < round(until * 1000)
    )
    if shards is not None:
        query = query.where(blocks.c.shard.in_(sorted(shards)))
    for row in connection.execute(query.order_by(blocks.c.start_ms)):
        yield Block(row.step, row.start_ms / 1000, row.end_ms / 1000, row.shard, row.body)
