"""When schedules are due, over the changes of the clock of many zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from ockle.common.timetable import (
    Span,
    Timetable,
    TimetableError,
    checked_cron,
    cron_of_time,
    local_zone,
    moment_of,
    parse_span,
    time_texts,
    zone_of,
)

BERLIN = ZoneInfo("Europe/Berlin")
SPRING, AUTUMN = datetime(2026, 3, 29, 1, 0, tzinfo=UTC), datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
# an hour, half an hour (Lord Howe), two hours (Troll), at midnight (Cairo, Beirut), a whole day left out (Apia in 2011)
CHANGES = {
    "Europe/Berlin": [SPRING, AUTUMN],
    "Australia/Lord_Howe": [datetime(2026, 4, 4, 15, 0, tzinfo=UTC), datetime(2026, 10, 3, 15, 30, tzinfo=UTC)],
    "Antarctica/Troll": [SPRING, AUTUMN],
    "America/New_York": [datetime(2026, 3, 8, 7, 0, tzinfo=UTC), datetime(2026, 11, 1, 6, 0, tzinfo=UTC)],
    "Africa/Cairo": [datetime(2026, 4, 23, 22, 0, tzinfo=UTC), datetime(2026, 10, 29, 21, 0, tzinfo=UTC)],
    "Asia/Beirut": [datetime(2026, 3, 28, 22, 0, tzinfo=UTC), datetime(2026, 10, 24, 21, 0, tzinfo=UTC)],
    "Pacific/Apia": [datetime(2011, 12, 30, 10, 0, tzinfo=UTC)],
    "Asia/Kathmandu": [SPRING],
    "UTC": [SPRING],
}

fields = st.one_of(
    st.just("*"),
    st.integers(2, 40).map(lambda step: f"*/{step}"),
)
crons = st.builds(
    lambda minute, hour, day: f"{minute} {hour} * * {day}",
    st.one_of(fields, st.integers(0, 59).map(str)),
    st.one_of(st.just("*"), st.integers(0, 23).map(str), st.just("0-4"), st.just("*/2")),
    st.sampled_from(["*", "1-5", "0,6", "6"]),
)
moments = st.sampled_from([(zone, change) for zone, changes in CHANGES.items() for change in changes]).flatmap(
    lambda one: st.tuples(st.just(ZoneInfo(one[0])), st.integers(-30 * 3600, 30 * 3600).map(
        lambda seconds: one[1] + timedelta(seconds=seconds)
    ))
)  # fmt: skip


def table(*texts: str, zone: ZoneInfo = BERLIN, without: tuple[str, ...] = ()) -> Timetable:
    found = [cron_of_time(text) if ":" in text else checked_cron(text) for text in texts]
    return Timetable([cron for cron in found if cron], zone, [parse_span(text) for text in without])


def at(text: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


def shown(moment: float | None, zone: ZoneInfo = BERLIN) -> str:
    assert moment is not None
    return datetime.fromtimestamp(moment, zone).isoformat(timespec="minutes")


def series(found: Timetable, start: float, count: int) -> list[str]:
    moments = []
    for _ in range(count):
        following = found.next(start)
        assert following is not None
        moments.append(shown(following))
        start = following
    return moments


def by_brute_force(cron: str, zone: ZoneInfo, begin: datetime, hours: int) -> list[float]:
    """Return when ``cron`` is due, from a look at each minute of UTC: the first time that a wall time is reached.

    A wall time is reached when the clock shows it, or jumps over it.
    """
    wanted = CronSim(cron, datetime(2000, 1, 1))
    found, newest = [], begin.astimezone(zone).replace(tzinfo=None)
    for minute in range(1, hours * 60):
        moment = begin + timedelta(minutes=minute)
        wall = moment.astimezone(zone).replace(tzinfo=None)
        reached = []
        while newest < wall:
            newest += timedelta(minutes=1)
            reached.append(newest)
        if any(
            one.minute in wanted.minutes and one.hour in wanted.hours and wanted.match_day(one.date())
            for one in reached
        ):
            found.append(moment.timestamp())
    return found


@given(crons, moments)
def test_every_wall_time_comes_once(cron: str, where: tuple[ZoneInfo, datetime]) -> None:
    zone, moment = where
    begin = moment.replace(second=0) - timedelta(hours=30)
    due = by_brute_force(cron, zone, begin, 60)
    found = Timetable([cron], zone)
    following = [one for one in due if one > moment.timestamp()]
    former = [one for one in due if one <= moment.timestamp()]
    if following:
        assert found.next(moment.timestamp()) == following[0]
    if former:
        assert found.last(moment.timestamp()) == former[-1]


@given(st.lists(crons, min_size=1, max_size=3), moments)
def test_next_and_last_agree(expressions: list[str], where: tuple[ZoneInfo, datetime]) -> None:
    zone, moment = where
    found = Timetable(expressions, zone)
    following = found.next(moment.timestamp())
    assert following is not None
    assert following > moment.timestamp()
    assert found.last(following) == following
    former = found.last(following - 1)
    assert former is None or former <= moment.timestamp()


def test_a_time_that_does_not_exist_comes_at_the_jump() -> None:
    assert series(table("daily 02:30"), at("2026-03-28T12:00"), 2) == [
        "2026-03-29T03:00+02:00",
        "2026-03-30T02:30+02:00",
    ]
    # and once, when there are several of them, or one at the jump itself
    assert series(table("02:15", "02:45", "03:00"), at("2026-03-29T01:00"), 2) == [
        "2026-03-29T03:00+02:00",
        "2026-03-30T02:15+02:00",
    ]


def test_a_time_that_exists_twice_comes_the_first_time() -> None:
    found = table("daily 02:30")
    assert series(found, at("2026-10-25T00:00"), 2) == ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"]
    assert shown(found.last(at("2026-10-25T02:10", fold=1))) == "2026-10-25T02:30+02:00"


def test_weekdays_and_lists() -> None:
    assert time_texts(["mon-fri 07:30", "sat", "sun 9:00"]) == ["mon-fri 07:30", "sat,sun 9:00"]
    assert cron_of_time("fri-mon 22:05") == "5 22 * * 0,1,5,6"
    assert cron_of_time("Monday, wed 7:00") == "0 7 * * 1,3"
    assert cron_of_time("07:30") == cron_of_time("daily 07:30") == "30 7 * * *"
    week = table("mon-fri 07:30", "sat,sun 09:00")
    assert series(week, at("2026-11-19T12:00"), 4) == [
        "2026-11-20T07:30+01:00",
        "2026-11-21T09:00+01:00",
        "2026-11-22T09:00+01:00",
        "2026-11-23T07:30+01:00",
    ]


def test_exceptions() -> None:
    found = table("daily 07:00", without=("2026-12-24..2027-01-02", "01-04"))
    assert series(found, at("2026-12-22T12:00"), 3) == [
        "2026-12-23T07:00+01:00",
        "2027-01-03T07:00+01:00",
        "2027-01-05T07:00+01:00",
    ]
    assert shown(found.last(at("2027-01-02T23:00"))) == "2026-12-23T07:00+01:00"
    each_year = parse_span("12-24..01-02")
    assert each_year.around(datetime(2030, 1, 1).date()) == (
        datetime(2029, 12, 24).date(), datetime(2030, 1, 2).date(),
    )  # fmt: skip
    assert Span((None, 2, 29), (None, 2, 29)).around(datetime(2027, 2, 28).date()) is None
    assert Span((None, 2, 29), (None, 2, 29)).around(datetime(2028, 2, 29).date()) is not None


@pytest.mark.parametrize("without", [("01-01..12-31",), ("2026-01-01..2099-12-31",)])
def test_what_never_comes(without: tuple[str, ...]) -> None:
    assert table("daily 07:00", without=without).next(at("2026-11-21T12:00")) is None


def test_a_day_that_no_month_has() -> None:
    assert checked_cron("0 0 31 2,4 *") is None
    assert checked_cron("0 0 31 2,5 *") == "0 0 31 2,5 *"
    assert Timetable([], BERLIN).next(0.0) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0 7 * *", "five fields"), ("61 7 * * *", "bad minute"), ("0 0 7 * * *", "five fields"),
        ("0 7 32 * *", "day-of-month"), ("0 7 * 13 *", "bad month"), ("a b c d e", "bad minute"),
        ("@daily", "five fields"),
    ],
)  # fmt: skip
def test_a_wrong_expression(text: str, says: str) -> None:
    with pytest.raises(TimetableError, match=says):
        checked_cron(text)


def test_an_expression_that_an_ini_file_took_apart() -> None:
    assert checked_cron("0 7, 19 * * 1-5") == "0 7,19 * * 1-5"


@pytest.mark.parametrize("text", ["24:00", "7:60", "mon", "someday 07:00", "mon-xyz 07:00", "", "7", "mon- 07:00"])
def test_a_wrong_time(text: str) -> None:
    with pytest.raises(TimetableError):
        cron_of_time(text)


@pytest.mark.parametrize(
    "text", ["", "2026-13-01", "24.12.2026", "2026-12-24..12-25", "2026-12-24..2026-12-01", "02-30"]
)
def test_a_wrong_date(text: str) -> None:
    with pytest.raises(TimetableError):
        parse_span(text)


@given(st.text(max_size=30))
def test_any_text_is_refused_in_words_or_is_a_time(text: str) -> None:
    for read in (checked_cron, cron_of_time, parse_span, zone_of):
        try:
            read(text)
        except TimetableError as error:
            assert str(error)


def test_zones(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TimetableError, match="no time zone"):
        zone_of("Europe/Atlantis")
    with pytest.raises(TimetableError):
        zone_of("../../etc/passwd")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert local_zone() == ZoneInfo("Asia/Tokyo")
    assert moment_of(datetime(2026, 1, 1, 9, 0), local_zone()) == datetime(2026, 1, 1, tzinfo=UTC).timestamp()
