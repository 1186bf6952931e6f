"""When something is to happen: cron expressions and weekdays with a time, in a time zone, without some dates. Pure.

All of it is reckoned in the wall time of the zone, and only then turned into moments. So there is one rule for the
changes of the clock, whatever the expression: a wall time that does not exist counts at the moment of the jump, one
that exists twice counts the first time, and times that fall on one moment are one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

HORIZON_YEARS = 50
"""What does not happen within these never happens; cronsim gives up after as many."""

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FULL = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
LOCALTIME = Path("/etc/localtime")

_SECOND, _DAY = timedelta(seconds=1), timedelta(days=1)
_ANY_START = datetime(2000, 1, 1)


class TimetableError(ValueError):
    """A text is no time, no date, no cron expression or no time zone; says which, and what one looks like."""


@dataclass(frozen=True, slots=True)
class Span:
    """Days from ``first`` to ``last``, both included, as (year, month, day); without years: in every year."""

    first: tuple[int | None, int, int]
    last: tuple[int | None, int, int]

    def around(self, day: date) -> tuple[date, date] | None:
        """Return first and last day of the occurrence that ``day`` is in, None if it is in none."""
        if self.first[0] is not None:
            found = _day(*self.first, True), _day(*self.last, False)
            return found if found[0] <= day <= found[1] else None
        over_new_year = self.first[1:] > self.last[1:]
        for year in (day.year - 1, day.year):
            begin, end = _day(year, *self.first[1:], True), _day(year + over_new_year, *self.last[1:], False)
            if begin <= day <= end:
                return begin, end
        return None


def _day(year: int | None, month: int, day: int, begins: bool) -> date:
    """Return a day; in a year without the 29th of February the one after it where something begins, else before."""
    year = year or 1
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, 3, 1) if begins else date(year, 2, 28)


_DATE = re.compile(r"(?:(\d{4})-)?(\d{1,2})-(\d{1,2})")


def parse_span(text: str) -> Span:
    """Return the days that ``2026-12-24``, ``12-25`` (each year) or ``2026-12-24..2027-01-02`` means.

    Raises TimetableError.
    """
    first, separated, last = (part.strip() for part in text.partition(".."))
    ends = [_date(part, text) for part in ((first, last) if separated else (first, first))]
    with_year = [year is not None for year, _month, _day in ends]
    if with_year[0] != with_year[1]:
        raise TimetableError(f"{text!r}: only one of its dates has a year")
    if all(with_year) and _day(*ends[0], True) > _day(*ends[1], False):
        raise TimetableError(f"{text!r} ends before it begins")
    return Span(ends[0], ends[1])


def _date(text: str, whole: str) -> tuple[int | None, int, int]:
    match = _DATE.fullmatch(text)
    if match is not None:
        year, month, day = (int(part) if part else None for part in match.groups())
        try:
            date(year or 2000, month or 0, day or 0)
        except ValueError:
            match = None
        else:
            return year, month or 0, day or 0
    raise TimetableError(f"{whole!r} is no date such as 2026-12-24, 12-25 or 2026-12-24..2027-01-02")


_TIME = re.compile(r"(?:(?P<days>.*\S)\s+)?(?P<hour>\d{1,2}):(?P<minute>\d{2})", re.DOTALL)


def time_texts(items: Iterable[str]) -> list[str]:
    """Put together what the commas of a list took apart: ``sat``, ``sun 09:00`` is one time on two days."""
    found, days = [], ""
    for item in items:
        whole = f"{days}{item.strip()}"
        if ":" in item:
            found.append(whole)
            days = ""
        else:
            days = f"{whole},"
    return [*found, days.rstrip(",")] if days else found


def cron_of_time(text: str) -> str:
    """Return ``mon-fri 07:30`` (also ``sat,sun 9:00``, ``07:30``, ``daily 07:30``) as a cron expression.

    Raises TimetableError.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None or int(match["hour"]) > 23 or int(match["minute"]) > 59:
        raise TimetableError(f"{text!r} is no time such as mon-fri 07:30, sat,sun 9:00 or daily 22:00")
    days = weekdays((match["days"] or "daily").lower(), text)
    listed = "*" if len(days) == len(DAYS) else ",".join(map(str, sorted(days)))
    return f"{int(match['minute'])} {int(match['hour'])} * * {listed}"


def weekdays(text: str, whole: str) -> set[int]:
    """Return the days of ``mon-fri``, ``sat,sun`` or ``daily``, sunday as 0; ``whole`` stands in a TimetableError."""
    found: set[int] = set()
    for part in re.split(r"[,\s]+", text):
        first, ranged, last = part.partition("-")
        if part == "daily":
            found |= set(range(7))
            continue
        begin = _weekday(first, whole)
        end = _weekday(last, whole) if ranged else begin
        found |= {(begin + step) % 7 for step in range((end - begin) % 7 + 1)}
    return found


def _weekday(name: str, whole: str) -> int:
    for number, (short, full) in enumerate(zip(DAYS, _FULL, strict=True)):
        if name in (short, full):
            return number
    raise TimetableError(f"{whole!r}: {name!r} is no weekday; write {', '.join((*DAYS[1:], DAYS[0]))} or daily")


def checked_cron(text: str) -> str | None:
    """Return a cron expression of five fields, None for one whose days no month of its has. Raises TimetableError."""
    fields = re.sub(r"\s*,\s*", ",", text).split()
    if len(fields) != 5:
        raise TimetableError(f"{text!r} has not five fields: minute hour day-of-month month day-of-week")
    try:
        CronSim(" ".join(fields), _ANY_START)
    except CronSimError as error:
        try:
            CronSim(" ".join([*fields[:3], "*", fields[4]]), _ANY_START)
        except CronSimError:
            pass
        else:
            if "day-of-month" in str(error):
                return None
        raise TimetableError(f"{text!r} is no cron expression: {str(error)[:1].lower()}{str(error)[1:]}") from None
    return " ".join(fields)


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its name, such as Europe/Berlin; "": the machine's own. Raises TimetableError."""
    if not name:
        return local_zone()
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise TimetableError(
            f"{name!r} is no time zone that this machine knows, such as Europe/Berlin (Debian: apt install tzdata)"
        ) from None


def local_zone() -> tzinfo:
    """Return the time zone of the machine, with its rules for other days than today; UTC when it does not tell."""
    try:
        named = os.environ.get("TZ", "").removeprefix(":")
        if named:
            return ZoneInfo(named)
        with LOCALTIME.open("rb") as file:
            return ZoneInfo.from_file(file, key="localtime")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


@dataclass(frozen=True)
class Timetable:
    """``crons``: expressions of five fields, as ``checked_cron`` and ``cron_of_time`` return them. Moments are seconds
    since 1970.
    """

    crons: Sequence[str]
    zone: tzinfo
    exceptions: Sequence[Span] = ()

    def next(self, after: float) -> float | None:
        """Return the first moment after ``after``, None if there is none in the next HORIZON_YEARS."""
        start = self._wall(after)
        found = (self._first(cron, start, lambda moment: moment > after, reverse=False) for cron in self.crons)
        return min((moment for moment in found if moment is not None), default=None)

    def last(self, at: float) -> float | None:
        """Return the last moment up to and with ``at``, None if there is none in HORIZON_YEARS before."""
        # while the clock repeats an hour, the rest of that hour has been there already
        start = self._wall(at) + self._set_back(at) + _SECOND
        found = (self._first(cron, start, lambda moment: moment <= at, reverse=True) for cron in self.crons)
        return max((moment for moment in found if moment is not None), default=None)

    def _wall(self, moment: float) -> datetime:
        return datetime.fromtimestamp(int(moment // 1), self.zone).replace(tzinfo=None, fold=0)

    def _set_back(self, moment: float) -> timedelta:
        local = datetime.fromtimestamp(moment, self.zone)
        if not local.fold:
            return timedelta()
        return (local.replace(fold=0).utcoffset() or timedelta()) - (local.utcoffset() or timedelta())

    def _first(self, cron: str, start: datetime, fits: Callable[[float], bool], *, reverse: bool) -> float | None:
        walls = CronSim(cron, start, reverse=reverse)
        while True:
            wall = next(walls, None)
            if wall is None or abs(wall.year - start.year) > HORIZON_YEARS:
                return None
            excepted = next((days for span in self.exceptions if (days := span.around(wall.date()))), None)
            if excepted is not None:
                edge = excepted[0] if reverse else excepted[1] + _DAY
                midnight = datetime.combine(edge, datetime.min.time())
                walls = CronSim(cron, midnight if reverse else midnight - _SECOND, reverse=reverse)
            elif fits(moment := moment_of(wall, self.zone)):
                return moment


def moment_of(wall: datetime, zone: tzinfo) -> float:
    """Return the moment of a wall time: the first of two, and that of the jump for one that the clock leaves out."""
    early = wall.replace(tzinfo=zone, fold=0)
    moment = early.timestamp()
    if datetime.fromtimestamp(moment, zone).replace(tzinfo=None, fold=0) == wall:
        return moment
    # In a gap the time by the former offset lies at or behind the jump, that by the new one before it.
    before, after = int(wall.replace(tzinfo=zone, fold=1).timestamp()), int(moment)
    offset = datetime.fromtimestamp(before, zone).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return float(after)
