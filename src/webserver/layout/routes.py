"""How far right the columns stand, and the points that a line runs through."""

from __future__ import annotations

from collections.abc import Sequence

from .model import Box, Metrics
from .ordering import Rows
from .proper import Proper

_STEEP = 0.12
"""Space between two columns for each pixel that a line between them goes up or down."""


def columns(graph: Proper, rows: Rows, middle: Sequence[int], metrics: Metrics) -> list[int]:
    """Return the left edge of each column; steep lines get more room in front of it."""
    found: list[int] = []
    x = 0
    for row in rows:
        found.append(x)
        steepest = max((abs(middle[one] - middle[other]) for one in row for other in graph.right[one]), default=0)
        room = int(steepest * _STEEP / 2) * 2 + metrics.column_gap
        x += metrics.width + min(room, metrics.most_column_gap)
    return found


def between(source: Box, target: Box, passages: Sequence[tuple[int, int]], metrics: Metrics) -> list[tuple[int, int]]:
    """Return the points of a line to a column further right; ``passages``: left edge and height where it passes one."""
    points = [(source.right, source.middle)]
    for x, down in passages:
        points += [(x, down), (x + metrics.width, down)]
    return [*points, (target.x, target.middle)]


def beside(source: Box, target: Box) -> list[tuple[int, int]]:
    """Return the points of a line between two servers of one column: it leaves and ends on the right."""
    return [(source.right, source.middle), (target.right, target.middle)]
