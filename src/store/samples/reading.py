"""Answers a question for samples from whatever levels have something of its time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection

import sqlalchemy as sa

from .blocks import decode
from .buckets import Bucket
from .levels import Level, Span, join, overlap, preferred, without
from .sample_tables import blocks, load

MANY = 400_000
"""Buckets of all series together that are held before they are made fewer."""
Shrink = Callable[[list[Bucket]], list[Bucket]]


def read_buckets(
    connection: sa.Connection, numbers: Collection[int], wanted: Span, width: float, shrink: Shrink
) -> dict[int, list[Bucket]]:
    """Return what ``SampleStore.read`` does. Raises StoreError for a damaged block, SQLAlchemyError."""
    found: dict[int, list[Bucket]] = defaultdict(list)
    left = [wanted]
    for level in preferred(width):
        spans = _spans(connection, level, *wanted)
        for begin, end in overlap(left, spans):
            for block in load(connection, level.step, begin, end, {number // level.shard for number in numbers}):
                for number, buckets in decode(block.start, level.step, block.body, numbers).items():
                    known = found[number]
                    known += [one for one in buckets if begin <= one.start < end]
                    if len(known) * len(numbers) > MANY:
                        found[number] = shrink(sorted(known))
        left = without(left, spans)
        if not left:
            break
    return {number: shrink(sorted(buckets)) for number, buckets in found.items()}


def _spans(connection: sa.Connection, level: Level, since: float, until: float) -> list[Span]:
    """Return the times of which a level has blocks; of single samples also those between its blocks."""
    query = sa.select(blocks.c.start_ms, blocks.c.end_ms).where(
        blocks.c.step == level.step, blocks.c.end_ms > round(since * 1000), blocks.c.start_ms < round(until * 1000)
    )
    rows = connection.execute(query.distinct()).all()
    return join(((start / 1000, end / 1000) for start, end in rows), level.period if level.step == 0 else 0.0)
