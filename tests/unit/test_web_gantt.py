"""The picture of plans and runs: nothing cut off, bars where the times say, and what is real over what was planned."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ockle.webserver.gantt import Row, draw, rows_of_plan, rows_of_run
from ockle.webserver.gantt.axis import MOST_TICKS, clock, ticks
from ockle.webserver.gantt.svg import CHART

SVG = "{http://www.w3.org/2000/svg}"
NAMES = st.text(st.characters(blacklist_categories=["Cc", "Cs", "Cn", "Co"]), min_size=1, max_size=200)
TIMES = st.floats(0, 1e5)
STATES = st.sampled_from(["planned", "waiting", "running", "done", "failed", "skipped", "cancelled"])


@st.composite
def some_rows(draw: st.DrawFn) -> list[Row]:
    found = []
    for _number in range(draw(st.integers(0, 20))):
        begin, end = sorted((draw(TIMES), draw(TIMES)))
        began = draw(st.booleans())
        found.append(
            Row(
                server=draw(NAMES),
                action="on",
                begin=draw(TIMES),
                seconds=draw(TIMES),
                worst_s=draw(TIMES),
                learned=draw(st.booleans()),
                critical=draw(st.booleans()),
                state=draw(STATES),
                real_begin=begin if began else None,
                real_end=end if began else None,
            )
        )
    return found


@given(some_rows(), st.none() | TIMES)
def test_everything_is_within_the_picture_and_has_no_style(rows: list[Row], now: float | None) -> None:
    root = ET.fromstring(draw(rows, "a <title> & more", now))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    assert len(list(root.iter(f"{SVG}g"))) == len(rows)
    for one in root.iter(f"{SVG}rect"):
        if "class" in one.attrib and one.attrib["class"] != "hatch-ground":
            assert 0 <= float(one.attrib["x"]) <= width
            assert float(one.attrib["x"]) + float(one.attrib["width"]) <= width
            assert 0 <= float(one.attrib["y"]) <= height
    for text in root.iter(f"{SVG}text"):
        if text.attrib.get("class") == "label":
            assert float(text.attrib["x"]) + 7.6 * len(text.text or "") <= width + 1
    assert not [one for one in root.iter() if "style" in one.attrib or one.tag == f"{SVG}style"]


def step(server: str, start_s: float, eta_s: float, **more: Any) -> dict[str, Any]:
    known = {"p95_s": eta_s, "learned": True, "critical": False, "needs": [], "because": "asked for", "action": "on"}
    return {"server": server, "start_s": start_s, "eta_s": eta_s, **known, **more}


def bars(svg: str, kind: str) -> list[tuple[float, float]]:
    found = []
    for one in ET.fromstring(svg).iter(f"{SVG}rect"):
        if kind in one.attrib.get("class", "").split():
            found.append((float(one.attrib["x"]), float(one.attrib["width"])))
    return found


def test_bars_stand_where_their_times_say_and_whiskers_behind_them() -> None:
    plan = {"steps": [step("b", 30.0, 10.0), step("a", 0.0, 30.0, critical=True, p95_s=36.0)]}
    rows = rows_of_plan(plan)
    assert [row.server for row in rows] == ["a", "b"]
    svg = draw(rows, "plan")
    (first, width), (second, _width) = bars(svg, "bar")
    assert width == CHART * 0.75
    assert second == first + CHART * 0.75
    assert len(bars(svg, "critical")) == 1
    assert svg.count('class="whisker"') == 1
    assert "0:30 · critical" in svg


def test_a_guess_is_hatched_and_says_so() -> None:
    svg = draw(rows_of_plan({"steps": [step("a", 0.0, 60.0, learned=False, p95_s=300.0)]}), "plan")
    assert len(bars(svg, "guess")) == 1
    assert "about 1:00" in svg
    assert "whisker" not in svg


def test_a_run_shows_what_is_real_on_what_was_planned() -> None:
    run = {
        "begins": 1000.0,
        "ended": None,
        "steps": [
            step("a", 0.0, 10.0, state="done", why="", started=1000.0, ended=1020.0),
            step("b", 10.0, 10.0, state="running", why="", started=1020.0, ended=None),
            step("c", 20.0, 10.0, state="waiting", why="", started=None, ended=None),
        ],
    }
    rows = rows_of_run(run, 1040.0)
    assert [(row.real_begin, row.real_end) for row in rows] == [(0.0, 20.0), (20.0, 40.0), (None, None)]
    svg = draw(rows, "run", 40.0)
    assert [width for _x, width in bars(svg, "real")] == [CHART / 2, CHART / 2]
    assert len(bars(svg, "past")) == 3
    assert 'class="now"' in svg


def test_what_was_only_guessed_leaves_the_picture_when_it_is_known() -> None:
    run = {
        "begins": 0.0,
        "ended": 2.0,
        "steps": [step("a", 0.0, 600.0, learned=False, state="done", why="", started=0.0, ended=2.0)],
    }
    svg = draw(rows_of_run(run, 9.0), "run")
    assert bars(svg, "bar") == []
    assert [width for _x, width in bars(svg, "real")] == [CHART]


def test_a_clock_that_was_set_back_does_not_upset_it() -> None:
    run = {
        "begins": 5000.0,
        "ended": None,
        "steps": [step("a", 0.0, 1.0, state="running", why="", started=4000.0, ended=None)],
    }
    [row] = rows_of_run(run, 100.0)
    assert (row.real_begin, row.real_end) == (0.0, 0.0)


@given(st.floats(0.001, 600_000))
def test_the_axis_has_few_ticks(total: float) -> None:
    found = ticks(total)
    assert found[0] == 0
    assert len(found) <= MOST_TICKS + 1
    assert found[-1] <= total


def test_times_are_written_as_a_clock_shows_them() -> None:
    assert [clock(one) for one in (0, 31.4, 725, 3723, -5)] == ["0:00", "0:31", "12:05", "1:02:03", "0:00"]
