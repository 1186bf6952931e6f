"""A plan as a picture: one bar per step on a common axis of time, as SVG that stands on its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from .output import clock, duration

ROW, BAR, TOP, LEFT_PAD = 28, 18, 56, 12
CHART = 640
"""Width of the axis in pixels; names stand left of it, labels may reach RIGHT beyond it."""
RIGHT = 150
CHAR = 7.2
"""About the width of a character, in pixels: SVG cannot measure text before it is drawn."""
STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
MOST_TICKS = 8

_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1f2328}.axis{fill:#57606a;font-size:12px}.grid{stroke:#d0d7de}"
    ".bar{fill:#9ec5f0;stroke:#0969da}.critical{fill:#bc4c00;stroke:#bc4c00}.title{font-size:16px;font-weight:600}"
)


def draw(plan: dict[str, Any]) -> str:
    """Return ``plan``, as the daemon's command of that name replies, as an SVG document."""
    steps = plan["steps"]
    total: float = max(plan["total_s"], 0.001)
    left = LEFT_PAD + CHAR * max((len(_name(step)) for step in steps), default=0) + 12
    height = TOP + ROW * len(steps) + 16
    width = left + CHART + RIGHT

    def x(seconds: float) -> float:
        return round(left + CHART * seconds / total, 1)

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" role="img" '
        f'viewBox="0 0 {width:.0f} {height}">',
        f"<title>{escape(_title(plan))}</title><style>{_STYLE}</style>",
        f'<rect width="100%" height="100%" fill="#fff"/><text class="title" x="{LEFT_PAD}" y="22">'
        f"{escape(_title(plan))}</text>",
    ]
    for tick in _ticks(total):
        lines.append(f'<path class="grid" d="M{x(tick)} {TOP - 4}V{height - 12}"/>')
        lines.append(f'<text class="axis" text-anchor="middle" x="{x(tick)}" y="{TOP - 10}">{clock(tick)}</text>')
    for row, step in enumerate(steps):
        lines += _row(step, TOP + ROW * row, left, x)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _row(step: dict[str, Any], y: float, left: float, x: Callable[[float], float]) -> list[str]:
    begin, end = x(step["start_s"]), x(step["start_s"] + step["eta_s"])
    kind = "bar critical" if step["critical"] else "bar"
    label = duration(step["eta_s"]) + (" · critical" if step["critical"] else "")
    needs = f", after {', '.join(step['needs'])}" if step["needs"] else ""
    middle = y + ROW / 2 + 5
    return [
        f"<g><title>{escape(_name(step) + needs)}</title>",
        f'<text text-anchor="end" x="{left - 10:.1f}" y="{middle}">{escape(_name(step))}</text>',
        f'<rect class="{kind}" x="{begin}" y="{y + (ROW - BAR) / 2}" width="{max(end - begin, 2):.1f}" '
        f'height="{BAR}" rx="3"/>',
        f'<text x="{max(end, begin + 2) + 6:.1f}" y="{middle}">{escape(label)}</text></g>',
    ]


def _name(step: dict[str, Any]) -> str:
    return f"{step['server']} {step['action']}"


def _title(plan: dict[str, Any]) -> str:
    steps = len(plan["steps"])
    return f"{plan['action']}: {steps} step{'' if steps == 1 else 's'}, about {duration(plan['total_s'])}"


def _ticks(total: float) -> list[int]:
    step = next((one for one in STEPS_S if total / one <= MOST_TICKS), STEPS_S[-1])
    return list(range(0, int(total) + 1, step))
