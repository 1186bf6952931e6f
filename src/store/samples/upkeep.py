"""What keeps the samples small: finer steps become coarser ones, and the oldest go."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import sqlalchemy as sa

from .blocks import decode, encode
from .buckets import Bucket, fold
from .levels import DAY_S, LEVELS, Level, first_to_keep, periods_to_fold, to_drop
from .sample_tables import Block, blocks, load


@dataclass(frozen=True, slots=True)
class Keep:
    """How many days that have samples are kept of each level, and how many bytes of all of them at most."""

    raw_days: int = 1
    minute_days: int = 7
    quarter_days: int = 90
    hour_days: int = 730
    most_bytes: int = 200_000_000

    def periods(self, level: Level) -> int:
        days = (self.raw_days, self.minute_days, self.quarter_days, self.hour_days)[LEVELS.index(level)]
        return days * DAY_S // level.period


def put(connection: sa.Connection, block: Block) -> None:
    """Write a block in place of one that is there."""
    start_ms, end_ms = round(block.start * 1000), round(block.end * 1000)
    same = (blocks.c.step == block.step, blocks.c.start_ms == start_ms, blocks.c.shard == block.shard)
    connection.execute(blocks.delete().where(*same))
    connection.execute(
        blocks.insert().values(step=block.step, start_ms=start_ms, end_ms=end_ms, shard=block.shard, body=block.body)
    )


def passed(connection: sa.Connection, finer: Level, level: Level, now: float) -> list[float]:
    """Return the starts of the periods whose ``finer`` blocks are to be folded into blocks of ``level``."""
    return periods_to_fold(_starts(connection, finer), _starts(connection, level), level.period, now)


def fold_period(connection: sa.Connection, finer: Level, level: Level, start: float) -> None:
    """Make blocks of ``level`` of the ``finer`` ones that begin in the period from ``start`` on."""
    found: dict[int, dict[int, list[Bucket]]] = defaultdict(lambda: defaultdict(list))
    end = start + level.period
    for block in load(connection, finer.step, start, end):
        if start <= block.start < end:
            for number, buckets in decode(block.start, finer.step, block.body).items():
                found[number // level.shard][number] += buckets
    for shard, series in found.items():
        folded = {number: fold(sorted(buckets), level.step) for number, buckets in series.items()}
        put(connection, Block(level.step, start, end, shard, encode(start, folded, single=False)))


def expire(connection: sa.Connection, keep: Keep) -> None:
    """Drop the oldest periods of each level, and as many blocks as it takes to stay below the limit."""
    for level in LEVELS:
        first = first_to_keep(_starts(connection, level), level.period, keep.periods(level))
        if first is not None:
            older = (blocks.c.step == level.step, blocks.c.start_ms < round(first * 1000))
            connection.execute(blocks.delete().where(*older))
    for step, start_ms in to_drop(sizes(connection), keep.most_bytes):
        connection.execute(blocks.delete().where(blocks.c.step == step, blocks.c.start_ms == round(start_ms)))


def sizes(connection: sa.Connection) -> list[tuple[int, float, int]]:
    """Return step, start in milliseconds and bytes of all blocks that begin together."""
    size = sa.func.sum(sa.func.length(blocks.c.body))
    query = sa.select(blocks.c.step, blocks.c.start_ms, size).group_by(blocks.c.step, blocks.c.start_ms)
    return [(step, start, int(found)) for step, start, found in connection.execute(query)]


def _starts(connection: sa.Connection, level: Level) -> list[float]:
    query = sa.select(blocks.c.start_ms).where(blocks.c.step == level.step).distinct()
    return [start / 1000 for start in connection.execute(query).scalars()]
