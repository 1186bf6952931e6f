"""Who stands above whom in a column, so that few lines cross.

Sweeps to and fro over the columns that put each vertex at the mean place of its neighbours (Sugiyama, Tagawa, Toda:
Methods for visual understanding of hierarchical system structures, 1981), from several starts; then neighbours change
places while that helps. The best order met on the way is kept.
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence

from .proper import Proper

Rows = list[list[int]]

_SEED = 1
_EFFORT = ((150, 24, 12), (1_500, 4, 8), (6_000, 2, 4))
"""Up to so many vertices: starts, round trips. More vertices get one start and two trips."""
_SWAPS = 8
"""Rounds of changing places, at most."""
_IDLE = 3
"""Round trips without gain after which a start has given what it has."""


def order(graph: Proper) -> Rows:
    """Return the vertices of each column from top to bottom."""
    vertices = len(graph.left)
    starts, trips = next(((starts, trips) for most, starts, trips in _EFFORT if vertices <= most), (1, 2))
    best: Rows = graph.rows
    fewest = -1
    for start in _starts(graph, starts):
        rows, count = _swept(graph, start, trips)
        if fewest < 0 or count < fewest:
            best, fewest = rows, count
        if fewest == 0:
            break
    if fewest > 0:
        _swap(graph, best)
    _sort_twins(graph, best)
    return best


def crossings(graph: Proper, rows: Rows) -> int:
    """Return how many links cross. Cost: O(links · log links), and a fast move of memory for each."""
    place = places(rows)
    total = 0
    for row in rows:
        seen: list[int] = []  # where the links of the vertices above end
        for vertex in row:
            ends = sorted(place[other] for other in graph.right[vertex])
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def places(rows: Rows) -> dict[int, int]:
    """Return vertex -> its place in its column."""
    return {vertex: place for row in rows for place, vertex in enumerate(row)}


def _starts(graph: Proper, count: int) -> Iterator[Rows]:
    yield _walked(graph, graph.right, graph.rows)
    if count > 1:
        yield _walked(graph, graph.left, graph.rows[::-1])
    dice = random.Random(_SEED)  # noqa: S311 - the same for the same network is what is wanted
    for _ in range(count - 2):
        yield [dice.sample(row, len(row)) for row in graph.rows]


def _walked(graph: Proper, onward: list[list[int]], rows: Rows) -> Rows:
    """Return the columns in the order in which a walk into the depth meets their vertices."""
    met: dict[int, int] = {}
    todo = [vertex for row in reversed(rows) for vertex in reversed(row)]  # the first column on top
    while todo:
        vertex = todo.pop()
        if vertex not in met:
            met[vertex] = len(met)
            todo.extend(other for other in reversed(onward[vertex]) if other not in met)
    return [sorted(row, key=met.__getitem__) for row in graph.rows]


def _swept(graph: Proper, rows: Rows, trips: int) -> tuple[Rows, int]:
    rows = [row[:] for row in rows]
    best, fewest, idle = [row[:] for row in rows], crossings(graph, rows), 0
    place = places(rows)
    for trip in range(trips):
        for row in rows[1:]:
            _by_mean(row, graph.left, place, trip % 2 == 1)
        for row in reversed(rows[:-1]):
            _by_mean(row, graph.right, place, trip % 2 == 1)
        count = crossings(graph, rows)
        idle += 1
        if count < fewest:
            best, fewest, idle = [row[:] for row in rows], count, 0
        if fewest == 0 or idle == _IDLE:
            break
    return best, fewest


def _by_mean(row: list[int], links: Sequence[list[int]], place: dict[int, int], turned: bool) -> None:
    """Sort ``row`` by the mean place of the neighbours; who has none stays. ``turned``: ties the other way round."""
    slots: list[int] = []
    keyed: list[tuple[float, int, int]] = []
    for slot, vertex in enumerate(row):
        near = links[vertex]
        if near:
            slots.append(slot)
            keyed.append((sum([place[other] for other in near]) / len(near), -slot if turned else slot, vertex))
    keyed.sort()
    for slot, (_mean, _tie, vertex) in zip(slots, keyed, strict=True):
        row[slot] = vertex
        place[vertex] = slot


def _swap(graph: Proper, rows: Rows) -> None:
    """Let neighbours in a column change places where fewer lines cross then."""
    place = places(rows)
    for _ in range(_SWAPS):
        gained = False
        for row in rows:
            ends = {
                vertex: (
                    sorted(place[other] for other in graph.left[vertex]),
                    sorted(place[other] for other in graph.right[vertex]),
                )
                for vertex in row
            }
            for slot in range(len(row) - 1):
                upper, lower = row[slot], row[slot + 1]
                gain = sum(
                    _above(mine, yours) - _above(yours, mine)
                    for mine, yours in zip(ends[upper], ends[lower], strict=True)
                )
                if gain > 0:
                    row[slot], row[slot + 1] = lower, upper
                    place[upper], place[lower] = slot + 1, slot
                    gained = True
        if not gained:
            return


def _above(upper: list[int], lower: list[int]) -> int:
    """Return how many pairs cross when the vertex with the ends ``upper`` stands above the one with ``lower``."""
    return sum(bisect_left(lower, end) for end in upper)


def _sort_twins(graph: Proper, rows: Rows) -> None:
    """Put servers that have all neighbours in common in their own order, which crosses no line more or less."""
    for row in rows:
        twins: dict[tuple[tuple[int, ...], tuple[int, ...]], list[int]] = {}
        for slot, vertex in enumerate(row):
            if vertex < graph.servers:
                key = tuple(sorted(graph.left[vertex])), tuple(sorted(graph.right[vertex]))
                twins.setdefault(key, []).append(slot)
        for slots in twins.values():
            for slot, vertex in zip(slots, sorted(row[slot] for slot in slots), strict=True):
                row[slot] = vertex
