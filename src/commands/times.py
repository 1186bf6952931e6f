"""Times and counts in the data of commands that look back."""

from __future__ import annotations

from math import isfinite
from typing import Any

from ..common.errors import CommandError

SINCE, UNTIL = "seconds since 1970, or negative: seconds before until", "seconds since 1970; default: now"
LONGEST_S = 100 * 366 * 86400.0


def span_of(data: dict[str, Any], now: float, default_s: float) -> tuple[float, float]:
    """Return since and until. ``default_s``: how far back without ``since``. Raises CommandError."""
    until = _seconds(data, "until", now)
    since = _seconds(data, "since", -default_s)
    since = until + since if since < 0 else since
    if not until - LONGEST_S <= since < until:
        raise CommandError("since has to be before until, by up to 100 years")
    return since, until


def count_of(data: dict[str, Any], key: str, default: int, most: int) -> int:
    """Return a whole number from 1 to ``most``. Raises CommandError."""
    value: Any = data.get(key, default)
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10 else value
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= most:
        raise CommandError(f"{key} is {value!r}: a whole number from 1 to {most} is needed")
    return number


def _seconds(data: dict[str, Any], key: str, default: float) -> float:
    value: Any = data.get(key)
    if value is None:
        return default
    try:
        seconds = float(value) if not isinstance(value, bool) else None
    except (TypeError, ValueError, OverflowError):
        seconds = None
    if seconds is None or not isfinite(seconds):
        raise CommandError(f"{key} is {value!r}: {SINCE if key == 'since' else UNTIL}")
    return seconds
