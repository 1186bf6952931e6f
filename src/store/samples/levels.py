"""The levels at which samples are kept, and which of them answers a question. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HOUR_S, DAY_S = 3600, 86400

Span = tuple[float, float]
"""From, until (seconds since 1970), without the latter."""


@dataclass(frozen=True, slots=True)
class Level:
    """``step``: seconds of a bucket, 0 for single samples; ``period``: seconds that its blocks are counted in.

    ``shard``: so many series share a block. Single samples are written again and again, and each row costs a page; they
    are read for the last hours only. Of all others a question should not have to read much that it does not ask for.
    """

    step: int
    period: int
    shard: int = 64


LEVELS = (Level(0, HOUR_S, 1024), Level(60, HOUR_S), Level(900, DAY_S), Level(3600, DAY_S))
"""From the finest on; each is made from the one before when a period has passed."""


def preferred(width: float) -> list[Level]:
    """Return the levels in the order in which they are asked for buckets of ``width`` seconds.

    First the coarsest that is fine enough, then what is finer and not yet made into it, then what is all that is left.
    """
    best = max(number for number, level in enumerate(LEVELS) if level.step <= max(width, 0))
    return [*LEVELS[best::-1], *LEVELS[best + 1 :]]


def join(spans: Iterable[Span], most_between: float = 0.0) -> list[Span]:
    """Return spans in order, those with at most ``most_between`` seconds between them as one."""
    found: list[Span] = []
    for since, until in sorted(span for span in spans if span[0] < span[1]):
        if found and since - found[-1][1] <= most_between:
            found[-1] = (found[-1][0], max(found[-1][1], until))
        else:
            found.append((since, until))
    return found


def overlap(wanted: Sequence[Span], there: Sequence[Span]) -> list[Span]:
    """Return what both have; each of them is joined."""
    both = ((max(a, c), min(b, d)) for a, b in wanted for c, d in there)
    return join(span for span in both if span[0] < span[1])


def without(wanted: Sequence[Span], there: Sequence[Span]) -> list[Span]:
    """Return what ``wanted`` has and ``there`` has not; each of them is joined."""
    left = list(wanted)
    for since, until in there:
        left = [
            part
            for begin, end in left
            for part in ((begin, min(end, since)), (max(begin, until), end))
            if part[0] < part[1]
        ]
    return left


def periods_to_fold(finer: Iterable[float], made: Iterable[float], period: int, now: float) -> list[float]:
    """Return the starts of the periods that have passed, and whose blocks are to be folded.

    ``finer``  starts of the blocks of the level before; ``made`` of those of the level itself
    """
    there = {start // period * period for start in finer}
    return sorted(start for start in there - set(made) if start + period <= now)


def first_to_keep(starts: Iterable[float], period: int, most: int) -> float | None:
    """Return the start of the first of the newest ``most`` periods that have blocks, None when there are fewer.

    What counts is how many there are, not how old they are: a clock that was wrong for a while takes nothing away.
    """
    periods = sorted({start // period * period for start in starts}, reverse=True)
    return periods[most - 1] if len(periods) > most else None


def to_drop(sizes: Iterable[tuple[int, float, int]], most: int) -> list[tuple[int, float]]:
    """Return which blocks have to go so that no more than ``most`` bytes stay.

    The oldest of the finest steps go first, single samples last: what is still to be made is made of these.
    ``sizes``  step, start, bytes
    """
    blocks = list(sizes)
    too_much = sum(size for _step, _start, size in blocks) - most
    found = []
    for step, start, size in sorted(blocks, key=lambda block: (block[0] == 0, block[0], block[1])):
        if too_much <= 0:
            break
        found.append((step, start))
        too_much -= size
    return found
