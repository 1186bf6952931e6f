"""The lines of a plot: what the daemon's ``samples`` gives, and who of them stands out. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

STAND_OUT = 3
"""More colours than these cannot be told apart; all others are grey."""


@dataclass(frozen=True, slots=True)
class Point:
    start: float
    end: float
    low: float
    high: float
    mean: float
    samples: int

    @property
    def middle(self) -> float:
        return (self.start + self.end) / 2


@dataclass(frozen=True, slots=True)
class Line:
    """A series: ``parts`` are its stretches without a gap, none of them empty."""

    name: str
    unit: str
    parts: tuple[tuple[Point, ...], ...]

    @property
    def points(self) -> list[Point]:
        return [point for part in self.parts for point in part]

    @property
    def low(self) -> float:
        return min(point.low for point in self.points)

    @property
    def high(self) -> float:
        return max(point.high for point in self.points)

    @property
    def mean(self) -> float:
        points = self.points
        total = sum(point.samples for point in points)
        return sum(point.mean * (point.samples / total) for point in points)

    @property
    def last(self) -> Point:
        return self.parts[-1][-1]


def line_of(series: Mapping[str, Any], name: str) -> Line | None:
    """Return a line from one of the ``series`` of the daemon's reply; None when it has no samples."""
    parts = tuple(tuple(Point(*bucket) for bucket in part) for part in series["segments"] if part)
    return Line(name, str(series["unit"]), parts) if parts else None


def order(lines: Iterable[Line], wanted: Sequence[str] = ()) -> list[Line]:
    """Return the lines with those first that are to stand out: the ones wanted by name, else the largest."""
    found = list(lines)
    ranks = {name: number for number, name in enumerate(wanted[:STAND_OUT])}
    return sorted(found, key=lambda line: (ranks.get(line.name, len(ranks)), -line.mean, line.name))


def thinner(line: Line, points: int, since: float, until: float) -> list[tuple[float, Point | None]]:
    """Return for each of ``points`` equal parts of a time its begin, and what the line has in it, None for nothing."""
    width = (until - since) / points
    found: list[list[Point]] = [[] for _ in range(points)]
    for point in line.points:
        found[min(max(int((point.middle - since) / width), 0), points - 1)].append(point)
    return [(since + number * width, _one(group) if group else None) for number, group in enumerate(found)]


def fewer(line: Line, points: int, since: float, until: float) -> Line:
    """Return the line with at most about ``points`` points and the same gaps and extremes."""
    width = (until - since) / points
    parts = (groupby(part, lambda point: int((point.middle - since) // width)) for part in line.parts)
    return replace(line, parts=tuple(tuple(_one(list(group)) for _number, group in part) for part in parts))


def _one(points: Sequence[Point]) -> Point:
    total = sum(point.samples for point in points)
    mean = sum(point.mean * (point.samples / total) for point in points)
    low, high = min(point.low for point in points), max(point.high for point in points)
    return Point(points[0].start, points[-1].end, low, high, min(max(mean, low), high), total)
