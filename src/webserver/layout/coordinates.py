"""How far down each vertex stands: near the mean of its neighbours, nobody on anybody's toes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from .model import Metrics
from .ordering import Rows
from .proper import Proper

_PASSES = 8
_STRAIGHT = 4.0
"""Weight of a piece of line between two passages, against 1 of a piece that ends at a server: they run straight."""
_STAY = 0.01
"""Weight of staying where it is, for who has no neighbour on the side that is looked at."""


def heights(graph: Proper, rows: Rows, metrics: Metrics) -> list[int]:
    """Return how far below the upper edge the middle of each vertex is."""
    gaps = [_gaps(row, graph.servers, metrics) for row in rows]
    middle = [0.0] * len(graph.left)
    for row, gap in zip(rows, gaps, strict=True):
        for vertex, down in zip(row, _spread(gap), strict=True):
            middle[vertex] = down
    both = [left + right for left, right in zip(graph.left, graph.right, strict=True)]
    columns = range(len(rows))
    for turn in range(_PASSES):
        last = turn >= _PASSES - 2
        links = both if last else graph.right if turn % 2 else graph.left
        for column in reversed(columns) if turn % 2 else columns:
            _settle_row(graph, rows[column], gaps[column], links, middle)
    top = min((middle[vertex] - _half(vertex, graph, metrics) for row in rows for vertex in row), default=0.0)
    return [math.floor(down - top + 0.5) for down in middle]  # whole gaps stay as wide: each is a whole number


def _half(vertex: int, graph: Proper, metrics: Metrics) -> int:
    return metrics.height // 2 if vertex < graph.servers else metrics.line_gap // 2


def _gaps(row: Sequence[int], servers: int, metrics: Metrics) -> list[int]:
    """Return the least distance of each vertex from the one above; the first has none."""
    found = [0] if row else []
    for upper, lower in pairwise(row):
        boxes = (upper < servers) + (lower < servers)
        space = metrics.row_gap if boxes == 2 else metrics.line_gap
        found.append(boxes * (metrics.height // 2) + space)
    return found


def _spread(gaps: Sequence[int]) -> list[float]:
    """Return a column as close as it may be, its middle at 0."""
    down, found = 0.0, []
    for gap in gaps:
        down += gap
        found.append(down)
    return [one - down / 2 for one in found]


def _settle_row(
    graph: Proper, row: list[int], gaps: list[int], links: Sequence[list[int]], middle: list[float]
) -> None:
    wanted, weights = [], []
    for vertex in row:
        total = weight = 0.0
        for other in links[vertex]:
            pull = _STRAIGHT if vertex >= graph.servers and other >= graph.servers else 1.0
            total += pull * middle[other]
            weight += pull
        wanted.append(total / weight if weight else middle[vertex])
        weights.append(weight or _STAY)
    for vertex, down in zip(row, settle(wanted, weights, gaps), strict=True):
        middle[vertex] = down


def settle(wanted: Sequence[float], weights: Sequence[float], gaps: Sequence[int]) -> list[float]:
    """Return the places nearest to ``wanted`` (least squares) of which each is at least its gap below the one before.

    ``gaps``  the first is not looked at. Pools adjacent violators: O(places).
    """
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many; means rise
    offsets: list[float] = []
    offset = 0.0
    for index, want in enumerate(wanted):
        offset += gaps[index] if index else 0
        offsets.append(offset)
        mean, weight, count = want - offset, weights[index], 1
        while pools and pools[-1][0] >= mean:
            above, heavier, more = pools.pop()
            mean = (above * heavier + mean * weight) / (heavier + weight)
            weight += heavier
            count += more
        pools.append((mean, weight, count))
    means = [mean for mean, _weight, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]
