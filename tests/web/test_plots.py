"""Axes, lines and bands: round marks, texts that do not touch, gaps that stay gaps. No daemon, no browser."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markupsafe import Markup

from ockle.webserver.plots.axes import CHAR, apart, figure, labels, time_ticks, value_ticks
from ockle.webserver.plots.bands import Lane, timeline_svg
from ockle.webserver.plots.line_plot import RIGHT, plot_svg
from ockle.webserver.plots.lines import Line, Point, fewer, line_of, order, thinner

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = datetime(2026, 10, 25, tzinfo=BERLIN).timestamp()  # summer time ends
HOUR = 3600.0
values = st.floats(-1e12, 1e12)


@given(values, values)
def test_value_marks_are_round_and_around_all_values(one: float, other: float) -> None:
    low, high = min(one, other), max(one, other)
    ticks = value_ticks(low, high)
    slack = 1e-6 * max(abs(low), abs(high), 1e-3)
    assert ticks[0] <= low + slack
    assert ticks[-1] >= high - slack
    assert 2 <= len(ticks) <= 12
    assert all(b > a for a, b in pairwise(ticks))


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0, 450, ["0 W", "200 W", "400 W", "600 W"]),
        (5, 5, ["0 W", "2 W", "4 W", "6 W"]),
        (900, 4200, ["0.0 kW", "2.0 kW", "4.0 kW", "6.0 kW"]),
        (229.1, 230.4, ["229.0 W", "229.5 W", "230.0 W", "230.5 W"]),
        (0, 0, ["0.0 W", "0.5 W", "1.0 W"]),
    ],
)
def test_marks_as_people_expect_them(low: float, high: float, texts: list[str]) -> None:
    found = labels(value_ticks(low, high), "W")
    assert [text.replace(".0 kW", " kW") for text in found] == [text.replace(".0 kW", " kW") for text in texts]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (45.04, "W", "45 W"),
        (1234.5, "W", "1.23 kW"),
        (1234567.0, "Wh", "1.23 MWh"),
        (12.34, "%", "12.3 %"),
        (0.0, "", "0"),
    ],
)
def test_figures(value: float, unit: str, text: str) -> None:
    assert figure(value, unit) == text


@given(st.floats(0, 2e9), st.floats(10, 5e8), st.floats(200, 1500))
@example(5e-324, 10.0, 200.0)
def test_times_do_not_touch_and_are_round(since: float, span: float, width: float) -> None:
    ticks = time_ticks(since, since + span, width, BERLIN)
    for one, other in pairwise(ticks):
        assert (other.at - one.at) / span * width >= CHAR * (len(one.text) + len(other.text)) / 2
    for tick in ticks:
        assert since <= tick.at < since + span
        assert datetime.fromtimestamp(tick.at, BERLIN).microsecond == 0


def test_days_begin_at_local_midnight_also_when_one_has_25_hours() -> None:
    ticks = time_ticks(NIGHT - 30 * HOUR, NIGHT + 60 * HOUR, 300, BERLIN)
    assert [tick.text for tick in ticks if not tick.text.endswith(":00")] == ["24 Oct", "25 Oct", "26 Oct", "27 Oct"]


def test_the_hour_that_comes_twice_is_there_twice() -> None:
    texts = [tick.text for tick in time_ticks(NIGHT, NIGHT + 5 * HOUR, 880, BERLIN)]
    assert texts.count("02:00") == 2


@given(st.lists(st.floats(0, 100), max_size=3))
def test_letters_do_not_touch_and_stay_within(places: list[float]) -> None:
    found = sorted(apart(places, 15, 0, 100))
    assert all(b - a >= 15 - 1e-9 for a, b in pairwise(found))
    assert all(0 <= one <= 100 for one in found)


# -- lines


def line(*parts: Sequence[tuple[float, float]], name: str = "psu", unit: str = "W") -> Line:
    return Line(name, unit, tuple(tuple(Point(at, at, v, v, v, 1) for at, v in part) for part in parts))


measured = st.lists(
    st.lists(st.tuples(st.integers(0, 999), st.floats(-1e6, 1e6)), min_size=1, max_size=20), min_size=1, max_size=3
).map(lambda parts: line(*[sorted(dict(part).items()) for part in parts]))


@given(measured, st.integers(1, 50))
def test_fewer_points_have_the_same_extremes_and_gaps(found: Line, points: int) -> None:
    less = fewer(found, points, 0, 1000)
    assert (less.low, less.high, len(less.parts)) == (found.low, found.high, len(found.parts))
    assert sum(p.samples for p in less.points) == len(found.points)
    assert all(len(part) <= points for part in less.parts)


@given(measured, st.integers(1, 30))
def test_a_table_row_is_empty_exactly_where_nothing_was_measured(found: Line, rows: int) -> None:
    table = thinner(found, rows, 0, 1000)
    assert len(table) == rows
    taken = {min(int(point.middle / (1000 / rows)), rows - 1) for point in found.points}
    assert {number for number, (_start, cell) in enumerate(table) if cell is not None} == taken
    assert sum(cell.samples for _start, cell in table if cell) == len(found.points)


def test_the_largest_stand_out_unless_others_are_wanted() -> None:
    lines = [line([(0, value)], name=name) for name, value in (("a", 1.0), ("b", 9.0), ("c", 5.0))]
    assert [one.name for one in order(lines)] == ["b", "c", "a"]
    assert [one.name for one in order(lines, ["a"])] == ["a", "b", "c"]


def test_a_series_without_samples_is_no_line() -> None:
    assert line_of({"segments": [[]], "unit": "W"}, "x") is None


# -- pictures


def paths(svg: Markup, kind: str) -> list[str]:
    return re.findall(rf'<path class="{kind}" d="([^"]*)"', svg)


def test_a_gap_is_drawn_as_one_and_a_single_sample_as_a_dot() -> None:
    svg = plot_svg([line([(0, 1.0), (100, 2.0)], [(500, 3.0)], [(800, 1.0), (900, 1.0)])], 0, 1000, "Power")
    [path] = paths(svg, "line line-a")
    assert path.count("M") == 3
    assert "h0" in path
    assert "NaN" not in svg


def test_a_peak_inside_a_point_is_seen() -> None:
    point = Point(100, 200, 1.0, 99.0, 2.0, 50)
    svg = plot_svg([Line("psu", "W", ((Point(0, 90, 1.0, 2.0, 1.5, 9), point),))], 0, 1000, "Power")
    assert len(paths(svg, "spread line-a")) == 1


def test_only_three_lines_stand_out() -> None:
    svg = plot_svg([line([(0, float(n)), (9, float(n))], name=f"psu{n}") for n in range(6)], 0, 10, "Power")
    assert len(paths(svg, "line line-other")) == 3
    assert re.findall(r'class="letter[^>]*>(\w)<', svg) == ["A", "B", "C"]


@pytest.mark.parametrize("width", [350, 880])
@pytest.mark.parametrize("span", [HOUR, 24 * HOUR, 30 * 24 * HOUR, 365 * 24 * HOUR])
def test_no_text_leaves_the_picture(width: int, span: float) -> None:
    svg = plot_svg([line([(NIGHT, 1e6), (NIGHT + span, 2e6)])], NIGHT, NIGHT + span, "Power", width=width, zone=BERLIN)
    for anchor, x, text in re.findall(r'class="axis" text-anchor="(\w+)" x="([\d.-]+)"[^>]*>([^<]*)<', svg):
        half = CHAR * len(text) / (1 if anchor == "end" else 2)
        assert float(x) - half >= 0, text
        assert float(x) + (0 if anchor == "end" else half) <= width + RIGHT, text


@given(st.text(max_size=50), st.text(max_size=50))
def test_names_and_reasons_cannot_break_out(name: str, why: str) -> None:
    import xml.etree.ElementTree as ET

    band: dict[str, Any] = {"start": 0.0, "end": 50.0, "state": "OK", "why": why, "run": 3, "who": name}
    moment = {"time": 5.0, "text": why, "seq": 7, "passed": True}
    bad = "".join(chr(code) for code in range(32) if code not in (9, 10, 13)) + "\ufffe\uffff"
    clean = [str(one).translate({ord(letter): None for letter in bad}) for one in (name, why)]
    if [name, why] != clean:
        return  # no XML at all has these; HTML shows them as nothing
    for commands in ([], [moment]):
        lane = Lane(name, [band], [moment], [moment], commands, url="/x")
        svg = timeline_svg([lane] * (1 if commands else 2), 0, 100, name, event_url=lambda seq: f"/history/{seq}")
        ET.fromstring(svg)
        assert "style=" not in re.sub(r">[^<]*<", "><", re.sub(r'"[^"]*"', '""', svg))


def test_time_without_the_daemon_is_empty() -> None:
    bands = [{"start": 0.0, "end": 40.0, "state": "OK"}, {"start": 40.0, "end": 60.0, "state": ""}]
    svg = timeline_svg([Lane("web", bands)], 0, 100, "States")
    assert svg.count("<rect") == 1
