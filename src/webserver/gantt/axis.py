"""The axis of time: where its ticks are and how they are written."""

from __future__ import annotations

STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
MOST_TICKS = 8


def clock(seconds: float) -> str:
    """Return a time as a clock shows it: ``0:31``, ``12:05``, ``1:02:03``."""
    minutes, rest = divmod(round(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def ticks(total: float) -> list[int]:
    """Return the moments of the axis, at most MOST_TICKS + 1 of them unless it is longer than a week."""
    step = next((one for one in STEPS_S if total / one <= MOST_TICKS), STEPS_S[-1])
    return list(range(0, int(total) + 1, step))
