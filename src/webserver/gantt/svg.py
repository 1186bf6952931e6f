"""Rows as SVG. It has classes and no styles: a strict policy takes no others, and the theme decides on colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import Markup, escape

from ..texts import _
from .axis import clock, ticks
from .rows import PLANNED, Row

ROW, BAR, TOP, PAD = 30, 16, 34, 12
CHART = 640
"""Width of the axis in pixels."""
GAP = 10
CHAR = 7.6
"""About the width of a character in pixels: SVG cannot measure text before it is drawn."""
LONGEST_NAME = 28
HATCH = (
    '<defs><pattern id="gantt-hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
    'patternTransform="rotate(45)"><rect class="hatch-ground" width="6" height="6"/>'
    '<path class="hatch-line" d="M1 0V6"/></pattern></defs>'
)


def draw(rows: Sequence[Row], title: str, now: float | None = None) -> Markup:
    """Return ``rows`` as an ``<svg>``; ``now``: seconds since the begin, for a line, None without one."""
    total = max([0.001, now or 0.0, *(row.last for row in rows)])
    left = PAD + CHAR * max((len(_label(row)) for row in rows), default=0) + GAP
    right = GAP + CHAR * max((len(_time(row)) for row in rows), default=0)  # no label is ever cut off
    width, height = left + CHART + right, TOP + ROW * len(rows) + 10

    def x(seconds: float) -> float:
        return round(left + CHART * min(seconds, total) / total, 1)

    lines = [
        f'<svg class="gantt" xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
        f'viewBox="0 0 {width:.0f} {height}" role="img" aria-label="{escape(title)}">{HATCH}'
    ]
    for tick in ticks(total):
        lines.append(f'<path class="grid" d="M{x(tick)} {TOP - 6}V{height - 6}"/>')
        lines.append(f'<text class="axis" text-anchor="middle" x="{x(tick)}" y="{TOP - 12}">{clock(tick)}</text>')
    for number, row in enumerate(rows):
        lines += _row(row, TOP + ROW * number, left, x)
    if now is not None:
        lines.append(f'<path class="now" d="M{x(now)} {TOP - 6}V{height - 6}"/>')
        lines.append(f'<text class="now-text" x="{x(now) + 4}" y="{height - 1}">{escape(_("now"))}</text>')
    return Markup("\n".join([*lines, "</svg>"]))  # noqa: S704 - every text in it was escaped above


def _row(row: Row, top: float, left: float, x: Callable[[float], float]) -> list[str]:
    y, middle = top + (ROW - BAR) / 2, top + ROW / 2
    lines = [
        f'<g class="row step-{escape(row.state)}"><title>{escape(_tooltip(row))}</title>',
        f'<text class="name" text-anchor="end" x="{left - 10:.1f}" y="{middle + 5}">{escape(_label(row))}</text>',
    ]
    reach = left
    if row.has_plan:
        begin, end, reach = x(row.begin), x(row.end), x(row.worst_end)
        lines.append(_rect(_kind(row), begin, end, y, BAR))
        if reach > end:
            lines.append(f'<path class="whisker" d="M{end} {middle}H{reach}M{reach} {middle - 5}V{middle + 5}"/>')
    if row.real_begin is not None and row.real_end is not None:
        real = "real" if row.has_plan or not row.critical else "real critical"
        lines.append(_rect(real, x(row.real_begin), x(row.real_end), y + 3, BAR - 6))
        reach = max(reach, x(row.real_end))
    lines.append(f'<text class="label" x="{reach + 8:.1f}" y="{middle + 5}">{escape(_time(row))}</text></g>')
    return lines


def _kind(row: Row) -> str:
    """Return the classes of the bar of the plan; that of a run stands back behind what is real."""
    guess = "" if row.learned or row.state != PLANNED else " guess"
    return "bar" + (" critical" if row.critical else "") + guess + ("" if row.state == PLANNED else " past")


def _rect(kind: str, begin: float, end: float, y: float, height: float) -> str:
    return f'<rect class="{kind}" x="{begin}" y="{y}" width="{max(end - begin, 2):.1f}" height="{height}" rx="3"/>'


def _label(row: Row) -> str:
    name = row.server if len(row.server) <= LONGEST_NAME else f"{row.server[: LONGEST_NAME - 1]}…"
    return f"{name} {row.action}"


def _tooltip(row: Row) -> str:
    after = _(", after {}").format(", ".join(row.needs)) if row.needs else ""
    return f"{row.server} {row.action}{after}" + (f": {row.why}" if row.why else "")


def _time(row: Row) -> str:
    """Return what stands right of the bar: ``0:20 · critical``, ``0:31 · done``; a guess says that it is one."""
    if row.real_begin is not None and row.real_end is not None:
        text = clock(row.real_end - row.real_begin)
    else:
        text = clock(row.seconds) if row.learned else _("about {}").format(clock(row.seconds))
    state = "" if row.state in ("planned", "waiting") else _(row.state)
    parts = [text, _("critical") if row.critical else "", state]
    return " · ".join(filter(None, parts))
