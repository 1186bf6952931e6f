"""Hours in which nobody wants to be disturbed: ``22:00-07:00``, ``sat,sun 00:00-24:00``, in a time zone. Pure.

The ends are wall times and become moments as all times of ``timetable`` do: one that the clock leaves out is the moment
of its jump, one that comes twice counts the first time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from .timetable import TimetableError, moment_of, weekdays

_MINUTES_OF_DAY = 24 * 60
_WINDOW = re.compile(
    r"(?:(?P<days>.*\S)\s+)?(?P<hour>\d{1,2}):(?P<minute>\d{2})\s*-\s*(?P<to_hour>\d{1,2}):(?P<to_minute>\d{2})",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Window:
    """``days``: those on which it begins, sunday as 0. In minutes after midnight; ``end`` may lie on the next day."""

    days: frozenset[int]
    begin: int
    end: int


def parse_window(text: str) -> Window:
    """Return what ``22:00-07:00`` or ``sat,sun 00:00-24:00`` means. Raises TimetableError."""
    match = _WINDOW.fullmatch(text.strip())
    begin, end = (_minutes(match, one) for one in ("", "to_")) if match else (None, None)
    if match is None or begin is None or end is None or begin == _MINUTES_OF_DAY:
        raise TimetableError(f"{text!r} is no time of quiet such as 22:00-07:00 or sat,sun 00:00-24:00")
    if begin == end:
        raise TimetableError(f"{text!r} ends when it begins; a whole day is 00:00-24:00")
    days = frozenset(weekdays((match["days"] or "daily").lower(), text))
    return Window(days, begin, end if end > begin else end + _MINUTES_OF_DAY)


def _minutes(match: re.Match[str], prefix: str) -> int | None:
    hour, minute = int(match[f"{prefix}hour"]), int(match[f"{prefix}minute"])
    found = hour * 60 + minute
    return found if minute < 60 and found <= _MINUTES_OF_DAY else None


@dataclass(frozen=True, slots=True)
class QuietHours:
    """``until`` and ``ended`` take and return seconds since 1970."""

    windows: Sequence[Window]
    zone: tzinfo

    @property
    def endless(self) -> bool:
        """Whether the windows leave no moment of a week out."""
        return self.until(0.0) == math.inf

    def until(self, at: float) -> float | None:
        """Return when the quiet that ``at`` lies in ends, None if it lies in none; inf if it never ends.

        Windows that touch or overlap are one.
        """
        end = at
        while (
            later := max((last for first, last in self._spans(end) if first <= end < last), default=None)
        ) is not None:
            end = later
            if end - at > timedelta(days=8).total_seconds():  # a whole week and its windows over midnight: it is round
                return math.inf
        return end if end > at else None

    def ended(self, at: float) -> float:
        """Return when quiet ended the last time up to and with ``at``; -inf if that was not within the last week."""
        ends = [last for day in range(8) for _, last in self._spans(at - day * 86400) if last <= at]
        return max((end for end in ends if self.until(end) is None), default=-math.inf)

    def _spans(self, at: float) -> Iterator[tuple[float, float]]:
        """Yield begin and end of all windows that begin on the day of ``at``, or on the one before or after."""
        today = datetime.fromtimestamp(at, self.zone).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
        for day in (today + timedelta(days=step) for step in (-1, 0, 1)):
            for window in self.windows:
                if day.isoweekday() % 7 in window.days:
                    first, last = (day + timedelta(minutes=one) for one in (window.begin, window.end))
                    yield moment_of(first, self.zone), moment_of(last, self.zone)
