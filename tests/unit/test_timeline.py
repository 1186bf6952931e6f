"""The timeline of a server: from events to stretches that touch, do not overlap, and claim nothing unknown."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ockle.commands.timeline import build
from ockle.common.common import OpState
from ockle.common.events import Event

ON, OFF, UP, INIT = (OpState[name].value for name in ("OK", "OFF", "SwitchingOn", "INIT"))


def story(*moments: tuple[float, str, dict[str, Any]]) -> list[Event]:
    """Events of ``web``; those of the daemon and of runs are of nobody."""
    return [
        Event(number, time, kind, "" if kind in ("daemon", "run", "emergency") else "web", kind, data)
        for number, (time, kind, data) in enumerate(moments, 1)
    ]


def change(before: str, state: str, why: str = "") -> dict[str, Any]:
    return {"before": before, "state": state, "why": why}


def bands(events: list[Event], since: float = 0, until: float = 100, now: str = ON) -> list[tuple[float, float, str]]:
    return [(one.start, one.end, one.state) for one in build(events, "web", since, until, now).bands]


def test_nothing_happened_to_it() -> None:
    assert bands([]) == [(0, 100, ON)]
    assert bands(story((40, "daemon", {"phase": "start"}))) == [(40, 100, ON)]


def test_what_was_before_the_first_change_is_known_from_it() -> None:
    assert bands(story((30, "state", change(OFF, UP)), (50, "state", change(UP, ON)))) == [
        (0, 30, OFF), (30, 50, UP), (50, 100, ON),
    ]  # fmt: skip
    assert bands(story((30, "state", change(INIT, ON)))) == [(30, 100, ON)]


def test_a_change_long_ago_reaches_into_the_window() -> None:
    assert bands(story((-500, "state", change(UP, ON))), since=0) == [(0, 100, ON)]


def test_without_the_daemon_nothing_is_known() -> None:
    events = story(
        (10, "state", change(UP, ON)),
        (20, "daemon", {"phase": "stop"}),
        (60, "daemon", {"phase": "start"}),
        (61, "state", change(INIT, ON)),
    )
    assert bands(events, since=10) == [(10, 20, ON), (20, 60, ""), (60, 61, INIT), (61, 100, ON)]


def test_a_daemon_that_looks_around_before_it_says_so() -> None:
    events = story(
        (20, "daemon", {"phase": "stop"}), (60, "state", change(INIT, ON)), (61, "daemon", {"phase": "start"})
    )
    assert bands(events, since=10) == [(60, 100, ON)]
    events = story((10, "state", change(UP, ON)), *((e.time, e.kind, e.data) for e in events))
    assert bands(events, since=10) == [(10, 20, ON), (20, 60, ""), (60, 100, ON)]


def test_a_daemon_that_fell_over_left_what_was_last_known() -> None:
    events = story((10, "state", change(UP, OFF)), (60, "daemon", {"phase": "start"}), (61, "state", change(INIT, ON)))
    assert bands(events, since=10) == [(10, 61, OFF), (61, 100, ON)]


def test_a_change_during_a_run_names_who_ordered_it() -> None:
    events = story(
        (5, "state", change(OFF, UP)),
        (10, "run", {"run": 7, "servers": ["web", "db"], "who": "anna", "via": "gui"}),
        (11, "state", change(OFF, UP)),
        (15, "state", change(UP, ON)),
        (20, "run", {"run": 7, "servers": ["web", "db"]}),
        (30, "state", change(ON, OFF)),
        (40, "run", {"run": 8, "servers": ["db"], "who": "ben"}),
        (41, "state", change(OFF, ON)),
    )
    line = build(events, "web", 0, 100, ON)
    assert [(one.run, one.who) for one in line.bands[1:]] == [
        (None, ""),
        (7, "anna"),
        (7, "anna"),
        (None, ""),
        (None, ""),
    ]
    assert [(one["time"], one["who"]) for one in line.commands if one["who"]] == [(10, "anna")]
    assert [one["time"] for one in line.attempts] == [5, 11]


def test_each_kind_has_its_place() -> None:
    events = story((1, "test", {}), (2, "drift", {}), (3, "note", {"who": "anna"}), (4, "hold", {}), (5, "daemon", {}))
    events[0] = Event(1, 1, "test", "web", "web: test http SUCCEEDED")
    line = build(events, "web", 0, 10, ON)
    assert [one["passed"] for one in line.tests] == [True]
    assert [one["kind"] for one in line.others] == ["drift"]
    assert [one["kind"] for one in line.commands] == ["note", "hold"]
    assert not build(events, "other", 0, 10, ON).commands


times = st.lists(st.integers(-50, 150), max_size=12).map(sorted)


@given(times, st.data())
def test_stretches_touch_and_stay_within(found: list[int], data: st.DataObject) -> None:
    moments = []
    for time in found:
        kind = data.draw(st.sampled_from(["state", "start", "stop"]))
        pair = data.draw(st.permutations([ON, OFF, UP, INIT]))
        details = change(pair[0], pair[1]) if kind == "state" else {"phase": kind}
        moments.append((float(time), "state" if kind == "state" else "daemon", details))
    events = story(*moments)
    made = bands(events)
    assert all(0 <= start < end <= 100 for start, end, _state in made)
    assert all(a[1] == b[0] for a, b in pairwise(made))
    before = [event for event in events if event.time < 100]
    states = [event for event in before if event.kind == "state"]
    if states:
        assert made[-1][1] == 100
        if before[-1] is states[-1]:
            assert made[-1][2] == states[-1].data["state"]
