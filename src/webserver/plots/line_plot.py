"""A plot of lines as SVG: all grey, up to three that stand out by colour, dashes and a letter at their end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from markupsafe import Markup, escape

from .axes import CHAR, apart, labels, time_ticks, value_ticks
from .lines import STAND_OUT, Line, Point

TOP, BOTTOM, RIGHT = 12, 28, 30
LETTERS = "ABC"
LETTER_ROOM = 15
Place = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Frame:
    """Where on the picture the plot itself is."""

    left: float
    top: float
    right: float
    bottom: float


def plot_svg(
    lines: Sequence[Line],
    since: float,
    until: float,
    title: str,
    *,
    width: int = 880,
    height: int = 220,
    zone: tzinfo | None = None,
) -> Markup:
    """Return the lines as an ``<svg>``; the first three stand out, so they are ``lines.order``-ed before.

    Behind a line stands the area from the least to the greatest values, so that no peak gets lost however much was put
    together; a stretch without samples is left empty.
    """
    ticks = value_ticks(*_range(lines))
    texts = labels(ticks, lines[0].unit if lines else "")
    frame = Frame(12 + CHAR * max(map(len, texts)), TOP, width - RIGHT, height - BOTTOM)

    def x(time: float) -> float:
        return round(frame.left + (frame.right - frame.left) * (time - since) / (until - since), 1)

    def y(value: float) -> float:
        share = value / (ticks[-1] - ticks[0]) - ticks[0] / (ticks[-1] - ticks[0])
        return round(frame.bottom - (frame.bottom - frame.top) * share, 1)

    out = [
        f'<svg class="plot" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="{escape(title)}" data-left="{frame.left:.0f}" '
        f'data-right="{frame.right:.0f}" data-since="{since:.0f}" data-until="{until:.0f}">'
    ]
    for value, text in zip(ticks, texts, strict=True):
        out.append(f'<path class="grid" d="M{frame.left:.1f} {y(value)}H{frame.right}"/>')
        out.append(
            f'<text class="axis" text-anchor="end" x="{frame.left - 6:.1f}" y="{y(value) + 4:.1f}">{text}</text>'
        )
    out += time_axis(frame, since, until, x, zone)
    for number, line in reversed(list(enumerate(lines))):  # those that stand out are drawn last
        kind = f"line-{LETTERS[number].lower()}" if number < STAND_OUT else "line-other"
        if spread := "".join(_spread(part, x, y) for part in line.parts):
            out.append(f'<path class="spread {kind}" d="{spread}"/>')
        out.append(f'<path class="line {kind}" d="{"".join(_stretch(part, x, y) for part in line.parts)}"/>')
    out += _letters(lines[:STAND_OUT], frame, y)
    out.append(f'<path class="crosshair" d="M0 {frame.top}V{frame.bottom}" visibility="hidden"/>')
    return Markup("".join([*out, "</svg>"]))  # noqa: S704 - every text in it is a number or was escaped above


def time_axis(frame: Frame, since: float, until: float, x: Place, zone: tzinfo | None) -> list[str]:
    """Return the marks of the time below a plot; a text that would be cut at an edge is left out."""
    out = []
    for tick in time_ticks(since, until, frame.right - frame.left, zone):
        at, half = x(tick.at), CHAR * len(tick.text) / 2
        out.append(f'<path class="grid" d="M{at} {frame.top}V{frame.bottom + 4}"/>')
        if at - half >= 0 and at + half <= frame.right + RIGHT:
            out.append(f'<text class="axis" text-anchor="middle" x="{at}" y="{frame.bottom + 18}">{tick.text}</text>')
    return out


def _range(lines: Sequence[Line]) -> tuple[float, float]:
    if not lines:
        return 0.0, 1.0
    return min(line.low for line in lines), max(line.high for line in lines)


def _stretch(part: Sequence[Point], x: Place, y: Place) -> str:
    """Return a line through the means; a single point becomes a dot: a line of no length with round ends."""
    places = [f"{x(point.middle):g} {y(point.mean):g}" for point in part]
    return f"M{'L'.join(places)}{'h0' if len(part) == 1 else ''}"


def _spread(part: Sequence[Point], x: Place, y: Place) -> str:
    """Return the area from the least to the greatest values, nothing where all of them are within a pixel."""
    if all(y(point.low) - y(point.high) < 1 for point in part):
        return ""
    above = [f"{x(point.middle):g} {y(point.high):g}" for point in part]
    below = [f"{x(point.middle):g} {y(point.low):g}" for point in reversed(part)]
    return f"M{'L'.join([*above, *below])}Z"


def _letters(lines: Sequence[Line], frame: Frame, y: Place) -> list[str]:
    places = apart([y(line.last.mean) for line in lines], LETTER_ROOM, frame.top + 4, frame.bottom)
    return [
        f'<text class="letter line-{letter.lower()}" x="{frame.right + 8}" y="{place + 4:.1f}">{letter}</text>'
        for letter, place in zip(LETTERS, places, strict=False)
    ]
