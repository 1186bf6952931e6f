"""The critical path and the timeline of the demo, as pure functions."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.cli.demo import alert_line
from ockle.cli.demo_view import critical_path, timeline


def test_the_longest_chain_counts() -> None:
    times = {"sw": 2.0, "nas": 4.0, "hv": 3.0, "dns": 1.0, "web": 2.0}
    needs = {"nas": ["sw"], "hv": ["nas"], "dns": ["sw"], "web": ["dns", "hv"], "sw": ["pdu-that-is-on-already"]}
    assert critical_path(times, needs) == (["sw", "nas", "hv", "web"], 11.0)


def test_nothing_and_a_cycle() -> None:
    assert critical_path({}, {}) == ([], 0.0)
    with pytest.raises(ValueError, match="cycle"):
        critical_path({"a": 1.0, "b": 1.0}, {"a": ["b"], "b": ["a"]})


def test_a_chain_deeper_than_the_limit_of_recursion() -> None:
    times = {str(number): 1.0 for number in range(5000)}
    needs = {str(number): [str(number - 1)] for number in range(1, 5000)}
    path, length = critical_path(times, needs)
    assert (len(path), length) == (5000, 5000.0)


@given(st.lists(st.tuples(st.floats(0, 100), st.sets(st.integers(0, 14))), min_size=1, max_size=15))
def test_the_path_is_a_chain_and_none_is_longer(servers: list[tuple[float, set[int]]]) -> None:
    times = {str(number): seconds for number, (seconds, _needs) in enumerate(servers)}
    needs = {str(number): [str(n) for n in needed if n < number] for number, (_s, needed) in enumerate(servers)}
    path, length = critical_path(times, needs)
    assert all(before in needs[after] for before, after in itertools.pairwise(path))
    assert length == pytest.approx(sum(times[name] for name in path))
    reach: dict[str, float] = {}
    for name, own in times.items():  # numbered in topological order
        reach[name] = own + max((reach[other] for other in needs[name]), default=0.0)
    assert length == pytest.approx(max(reach.values()))


def test_timeline() -> None:
    def step(name: str, start: float, end: float) -> dict[str, object]:
        return {"server": name, "action": "on", "state": "done", "started": start, "ended": end}

    plan = {"steps": [{"server": "sw", "needs": []}, {"server": "nas", "needs": ["sw"]}]}
    run = {"created": 100.0, "steps": [step("sw", 100.0, 102.0), step("nas", 102.5, 104.0)]}
    assert timeline(plan, run).splitlines() == [
        "SERVER  STARTED  ON     WAITED FOR",
        "sw      0.0 s    2.0 s  -",
        "nas     2.5 s    4.0 s  sw",
        "2 servers on in 4.0 s; critical path sw > nas: 3.5 s; ratio 1.14",
    ]


def test_an_alert_is_a_line() -> None:
    told = {"title": "web1: it\x1b[31m is down", "lines": ["with it: db1"], "at": 0.0, "severity": "critical"}
    assert alert_line(told).endswith("alert, critical: web1: it\ufffd[31m is down; with it: db1")


@pytest.mark.parametrize(
    "posted",
    [{}, {"title": 1, "lines": [], "at": 0, "severity": ""}, {"title": "", "lines": [1], "at": 0, "severity": ""},
     {"title": "", "lines": [], "at": 1e300, "severity": ""}, {"title": "", "lines": [], "at": "now", "severity": ""}],
)  # fmt: skip
def test_what_somebody_else_posts_does_not_end_the_demo(posted: dict[str, Any]) -> None:
    assert alert_line(posted) == "something that is no alert came to the receiver"
