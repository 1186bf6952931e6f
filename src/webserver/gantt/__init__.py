"""Plans and runs on an axis of time: pure functions from the daemon's replies to rows, and from rows to SVG."""

from __future__ import annotations

from .rows import Row, rows_of_plan, rows_of_run
from .svg import draw

__all__ = ["Row", "draw", "rows_of_plan", "rows_of_run"]
