"""Samples and what becomes of them when there are too many to keep or to draw. Pure functions.

Nothing here makes up a value: a bucket is there only when a sample fell into it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

GAP_AFTER = 2.5
"""So many times the usual distance without a sample is a gap: one that came late or got lost is none."""


class Bucket(NamedTuple):
    """What was measured from ``start`` to ``end``, seconds since 1970; a single sample starts and ends at its moment.

    ``low <= mean <= high``, and ``samples`` is at least 1.
    """

    start: float
    end: float
    low: float
    high: float
    mean: float
    samples: int


def sample(time: float, value: float) -> Bucket:
    """Return a single sample."""
    return Bucket(time, time, value, value, value, 1)


def merge(buckets: Sequence[Bucket]) -> Bucket:
    """Return some buckets, at least one and in the order of time, as one."""
    if len(buckets) == 1:
        return buckets[0]
    count = sum(one.samples for one in buckets)
    low, high = min(one.low for one in buckets), max(one.high for one in buckets)
    mean = math.fsum(one.mean * (one.samples / count) for one in buckets)  # shares: no sum can overflow
    return Bucket(buckets[0].start, max(one.end for one in buckets), low, high, min(max(mean, low), high), count)


def fold(buckets: Iterable[Bucket], step: float) -> list[Bucket]:
    """Return one bucket for each step of ``step`` seconds, counted from 1970, in which ``buckets`` have something.

    ``buckets``  in the order of time
    """
    return [
        merge(group)._replace(start=number * step, end=(number + 1) * step)
        for number, group in _grouped(buckets, lambda one: math.floor(one.start / step))
    ]


def regroup(buckets: Iterable[Bucket], since: float, until: float, points: int) -> list[Bucket]:
    """Return at most ``points`` buckets, one for each of as many equal parts of ``since`` to ``until``.

    Each lasts from the first to the last of what it holds, so that a gap beside it keeps its width.

    ``buckets``  in the order of time, all of them within
    """
    width = (until - since) / points
    if width <= 0:
        return []
    numbered = _grouped(buckets, lambda one: min(max(int((one.start - since) / width), 0), points - 1))
    return [merge(group) for _number, group in numbered]


def segments(buckets: Iterable[Bucket], every: float) -> list[list[Bucket]]:
    """Return the stretches without a gap. ``every``: the usual seconds from one sample to the next."""
    found: list[list[Bucket]] = []
    for one in buckets:
        if found and one.start - found[-1][-1].end <= GAP_AFTER * every:
            found[-1].append(one)
        else:
            found.append([one])
    return found


def _grouped(buckets: Iterable[Bucket], number: Callable[[Bucket], int]) -> Iterable[tuple[int, list[Bucket]]]:
    return ((key, list(group)) for key, group in groupby(buckets, number))
