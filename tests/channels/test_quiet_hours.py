"""Quiet hours: over midnight, over weekends, over the changes of the clock."""

from __future__ import annotations

import math
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.common.quiet_hours import QuietHours, Window, parse_window
from ockle.common.timetable import TimetableError

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).timestamp()


def quiet(*texts: str) -> QuietHours:
    return QuietHours([parse_window(text) for text in texts], BERLIN)


@pytest.mark.parametrize(
    ("windows", "moment", "end"),
    [
        (("22:00-07:00",), "2026-07-01 21:59", None),
        (("22:00-07:00",), "2026-07-01 22:00", "2026-07-02 07:00"),
        (("22:00-07:00",), "2026-07-02 06:59", "2026-07-02 07:00"),
        (("22:00-07:00",), "2026-07-02 07:00", None),
        (("fri 22:00-07:00",), "2026-07-04 06:00", "2026-07-04 07:00"),  # saturday morning: it began on friday
        (("fri 22:00-07:00",), "2026-07-03 06:00", None),
        (("sat,sun 00:00-24:00",), "2026-07-04 12:00", "2026-07-06 00:00"),  # two windows that touch are one
        (("22:00-07:00", "sat,sun 00:00-24:00"), "2026-07-03 23:00", "2026-07-06 07:00"),
        (("12:00-13:00", "12:30-14:00"), "2026-07-01 12:10", "2026-07-01 14:00"),
        # 2026-03-29: 02:00 becomes 03:00; 2026-10-25: 03:00 becomes 02:00
        (("22:00-02:30",), "2026-03-29 01:59", "2026-03-29 03:00"),
        (("22:00-02:30",), "2026-03-29 03:00", None),
        (("02:10-02:50",), "2026-03-29 01:59", None),
        (("22:00-07:00",), "2026-10-25 02:30", "2026-10-25 07:00"),
        ((), "2026-07-01 12:00", None),
    ],
)
def test_until(windows: tuple[str, ...], moment: str, end: str | None) -> None:
    assert quiet(*windows).until(at(moment)) == (None if end is None else at(end))


def test_an_end_that_comes_twice_counts_the_first_time() -> None:
    hours = quiet("22:00-02:30")
    assert hours.until(at("2026-10-25 02:10")) == at("2026-10-25 02:30")
    assert hours.until(at("2026-10-25 02:10", fold=1)) is None


def test_quiet_that_never_ends() -> None:
    assert quiet("00:00-24:00").until(at("2026-07-01 12:00")) == math.inf
    assert quiet("00:00-24:00").ended(at("2026-07-01 12:00")) == -math.inf


@pytest.mark.parametrize(
    ("windows", "moment", "end"),
    [
        (("22:00-07:00",), "2026-07-01 06:00", "2026-06-30 07:00"),
        (("22:00-07:00",), "2026-07-01 07:00", "2026-07-01 07:00"),
        (("22:00-07:00",), "2026-07-01 21:00", "2026-07-01 07:00"),
        (("sat,sun 00:00-24:00",), "2026-07-10 23:00", "2026-07-06 00:00"),
    ],
)
def test_ended(windows: tuple[str, ...], moment: str, end: str) -> None:
    assert quiet(*windows).ended(at(moment)) == at(end)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "22:00",
        "22:00-",
        "24:00-07:00",
        "22:60-07:00",
        "25:00-26:00",
        "07:00-07:00",
        "someday 22:00-07:00",
        "a\n22:00-1:00x",
    ],
)
def test_what_is_no_window(text: str) -> None:
    with pytest.raises(TimetableError):
        parse_window(text)


windows = st.builds(
    lambda days, begin, length: Window(frozenset(days), begin, begin + length),
    st.sets(st.integers(0, 6)),
    st.integers(0, 1439),
    st.integers(1, 1440),
)
year = st.floats(at("2026-01-01 00:00"), at("2027-01-01 00:00"))


@given(st.lists(windows, max_size=4), year)
def test_the_end_of_quiet_is_outside_and_all_before_it_is_inside(some: list[Window], moment: float) -> None:
    hours = QuietHours(some, BERLIN)
    end = hours.until(moment)
    if end is not None and end != math.inf:
        assert end > moment
        assert hours.until(end) is None
        assert hours.until((moment + end) / 2) == end
        assert hours.ended(end) == end
    if end is None:
        assert hours.ended(moment) <= moment
