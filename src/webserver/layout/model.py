"""What a layout is made of, and the measures that it keeps. All lengths in pixels, y grows downwards."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from .topology import Kind


@dataclass(frozen=True, slots=True)
class Metrics:
    """Sizes of a picture. All even, so that halves are whole numbers."""

    width: int = 160
    """of a box"""
    height: int = 44
    row_gap: int = 14
    """least space between two boxes of a column"""
    line_gap: int = 12
    """least distance of two lines that pass a column, and of a line from a box"""
    column_gap: int = 56
    """least space between columns; grows up to ``most_column_gap`` where lines are steep"""
    most_column_gap: int = 128
    part_gap: int = 36
    """space between parts that nothing joins"""
    page: int = 1200
    """small parts stand side by side up to this width"""
    margin: int = 16


@dataclass(frozen=True, slots=True)
class Box:
    """A server; ``x`` and ``y`` are those of its upper left corner."""

    name: str
    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> int:
        return self.y + self.height // 2

    @property
    def right(self) -> int:
        return self.x + self.width

    def moved(self, dx: int, dy: int) -> Box:
        return Box(self.name, self.x + dx, self.y + dy, self.width, self.height)


@dataclass(frozen=True, slots=True)
class Route:
    """A line from the right side of ``source`` to the left side of ``target``, except between mates of one column.

    ``points``  an even number of them. Between the first and the second of each pair the line goes from one column to
                the next and may bend; from there to the next pair it passes a column, level. Mates of one column: from
                the right side of one to the right side of the other.
    """

    source: str
    target: str
    kind: Kind
    points: tuple[tuple[int, int], ...]

    def moved(self, dx: int, dy: int) -> Route:
        points = tuple((x + dx, y + dy) for x, y in self.points)
        return Route(self.source, self.target, self.kind, points)


@dataclass(frozen=True)
class Layout:
    """A picture: ``boxes`` in natural order of their names, ``routes`` in the order of the topology's edges."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    routes: tuple[Route, ...]

    @cached_property
    def box(self) -> dict[str, Box]:
        return {box.name: box for box in self.boxes}
