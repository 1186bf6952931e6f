"""Lines that pass columns, cut into pieces from one column to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Proper:
    """A graph whose links join neighbouring columns.

    ``servers``  vertices below this number are servers, the others places where a line passes a column
    ``rows``     column -> its vertices, as they come: servers by number, then passages
    ``left``, ``right``  vertex -> the vertices that it is linked to, in the column before and after
    ``passages`` edge -> the vertices between its ends, from left to right
    """

    servers: int
    rows: list[list[int]]
    left: list[list[int]]
    right: list[list[int]]
    passages: list[list[int]]


def make_proper(column: Sequence[int], edges: Sequence[tuple[int, int, str]]) -> Proper:
    """Return the graph with all ``edges`` cut up.

    ``edges``  (left end, right end, kind). Those of one kind that leave the same server share their passages: they run
               as one line for as long as they can, which spares the eye crossings that mean nothing.
    """
    count = len(column)
    rows: list[list[int]] = [[] for _ in range(max(column, default=-1) + 1)]
    for server, number in enumerate(column):
        rows[number].append(server)
    left: list[list[int]] = [[] for _ in range(count)]
    right: list[list[int]] = [[] for _ in range(count)]
    trunks: dict[tuple[int, str], list[int]] = {}
    passages: list[list[int]] = []
    for source, target, kind in edges:
        trunk = trunks.setdefault((source, kind), [])
        length = column[target] - column[source] - 1
        while len(trunk) < length:
            vertex = len(left)
            before = trunk[-1] if trunk else source
            rows[column[source] + 1 + len(trunk)].append(vertex)
            left.append([before])
            right.append([])
            right[before].append(vertex)
            trunk.append(vertex)
        last = trunk[length - 1] if length else source
        left[target].append(last)
        right[last].append(target)
        passages.append(trunk[:length])
    return Proper(count, rows, left, right, passages)
