"""Where the marks of an axis stand and what they say. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise

CHAR = 7.2
"""About the width of a character in pixels: SVG cannot measure text before it is drawn."""
MINUTE, HOUR, DAY = 60, 3600, 86400
_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(MINUTE * n for n in (1, 2, 5, 10, 15, 30)),
    *(HOUR * n for n in (1, 2, 3, 6, 12)),
    *(DAY * n for n in (1, 2, 7, 14, 28, 56, 112, 364, 728, 3640)),
)
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_PREFIXED = frozenset({"W", "Wh", "VA", "var", "B", "Hz"})


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    text: str


def value_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return about ``most`` round values of which the first is at most ``low`` and the last at least ``high``.

    The axis begins at 0 where that is not far away: a small change is not to look like a large one.
    """
    if low > 0 and low < 0.75 * high:
        low = 0.0
    if high < 0 and high > 0.75 * low:
        high = 0.0
    if high - low < 1e-9 * max(abs(low), abs(high), 1e-9):
        margin = abs(high) * 0.1 or 1.0
        low, high = (0.0, high + margin) if 0 <= low <= margin * 10 else (low - margin, high + margin)
    rough = high / max(most - 1, 1) - low / max(most - 1, 1)  # each by itself: their difference may be infinite
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * (1 - 1e-9))
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    return [number * step for number in range(first, last + 1)]


def labels(values: list[float], unit: str) -> list[str]:
    """Return the texts of round values, all with the same prefix and as many digits as tell them apart."""
    most = max(abs(one) for one in values)
    factor, prefix = next(((f, p) for f, p in _PREFIXES if unit in _PREFIXED and most >= 2 * f), (1.0, ""))
    step = (values[1] - values[0]) / factor if len(values) > 1 else most or 1.0
    if most / factor >= 1e6 or step < 1e-4:
        return [f"{one / factor:.3g} {prefix}{unit}".strip() for one in values]
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return [f"{one / factor:.{digits}f} {prefix}{unit}".strip() for one in values]


def figure(value: float, unit: str) -> str:
    """Return a value for reading: three digits or so, and its unit."""
    factor, prefix = next(((f, p) for f, p in _PREFIXES if unit in _PREFIXED and abs(value) >= f), (1.0, ""))
    shown = value / factor
    text = f"{shown:.0f}" if 1e3 <= abs(shown) < 1e7 else f"{shown:.4g}" if abs(shown) >= 100 else f"{shown:.3g}"
    return f"{text} {prefix}{unit}".strip()


def time_ticks(since: float, until: float, width: float, zone: tzinfo | None = None) -> list[Tick]:
    """Return marks at round local times, so far apart that their texts do not touch on an axis of ``width`` pixels.

    ``zone``  default: that of this machine, its summer time included
    """
    span = until - since
    if span <= 0:
        return []
    for step in _STEPS:
        if span / step <= 40:
            found = [Tick(at, _time_text(at, step, zone)) for at in _round_times(since, until, step, zone)]
            if all((b.at - a.at) / span * width >= _room(a, b) for a, b in pairwise(found)):
                return found
    return []


def _room(one: Tick, other: Tick) -> float:
    return CHAR * (len(one.text) + len(other.text)) / 2 + 14


def _round_times(since: float, until: float, step: int, zone: tzinfo | None) -> Iterator[float]:
    if step < DAY:
        grid = min(step, 15 * MINUTE)  # no zone is off by less
        at = float(-(-since // grid) * grid)  # rounded up; a quotient could underflow to 0
        while at < until:
            local = _local(at, zone)
            if (local.hour * HOUR + local.minute * MINUTE + local.second) % step == 0:
                yield at
            at += grid
        return
    day = _local(since, zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    while True:
        at = (day.replace(tzinfo=zone) if zone is not None else day).timestamp()
        if at >= until:
            return
        if at >= since and day.toordinal() % (step // DAY) == 0:
            yield at
        day += timedelta(days=1)


def _local(at: float, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(at, zone) if zone is not None else datetime.fromtimestamp(at).astimezone()


def _time_text(at: float, step: int, zone: tzinfo | None) -> str:
    local = _local(at, zone)
    if step < MINUTE:
        return f"{local:%H:%M:%S}"
    if step < DAY and (local.hour or local.minute):
        return f"{local:%H:%M}"
    return f"{local.day} {local:%b}" if step < 364 * DAY else f"{local:%b %Y}"


def time_text(at: float, span: float, zone: tzinfo | None = None) -> str:
    """Return a moment for a table: with the date where ``span`` seconds are more than a day."""
    local = _local(at, zone)
    return f"{local:%Y-%m-%d %H:%M}" if span > DAY else f"{local:%H:%M:%S}"


def apart(places: list[float], least: float, low: float, high: float) -> list[float]:
    """Return places from top to bottom that are at least ``least`` apart, within, and as near as that to ``places``."""
    order = sorted(range(len(places)), key=lambda number: places[number])
    found = dict.fromkeys(order, 0.0)
    edge = low
    for number in order:
        found[number] = edge = max(places[number], edge)
        edge += least
    edge = high
    for number in reversed(order):
        found[number] = edge = min(found[number], edge)
        edge -= least
    return [found[number] for number in range(len(places))]
