"""What is made of the JSON that a node sends, however odd it is."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ockle.common.errors import DeviceAnswerError
from ockle.common.http import json_object
from ockle.engine.monitoring.figures import MOST, figures_of

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=120), inner, max_size=6),
    max_leaves=30,
)


def test_the_figures_of_a_pi() -> None:
    sent = {"time": "Sat Nov 21 23:00:00 2026", "cpu_percent": 3, "memory_percent": 20.5, "num_pids": 99, "temp": 48.3}
    assert figures_of(sent) == ({"cpu_percent": 3, "memory_percent": 20.5, "num_pids": 99, "temp": 48.3}, "")


def test_figures_inside_of_objects_have_dotted_keys() -> None:
    sent = {"disk": {"root": {"percent": 7, "device": "sda1"}, "ok": True}, "hosts": [1, 2], "name": "pi"}
    assert figures_of(sent) == ({"disk.root.percent": 7}, "")


@pytest.mark.parametrize(
    ("text", "figures", "problem"),
    [
        ('{"cpu_percent": "12", "num_pids": 3}', {"num_pids": 3}, "cpu_percent is '12', no number"),
        ('{"cpu_percent": true, "num_pids": 3}', {"num_pids": 3}, "cpu_percent is 'True', no number"),
        ('{"cpu_percent": NaN, "num_pids": 3}', {"num_pids": 3}, "cpu_percent is a number beyond all bounds"),
        ('{"load": 1e400, "num_pids": 3}', {"num_pids": 3}, "load is a number beyond all bounds"),
        ('{"load": 1' + "0" * 400 + ', "num_pids": 3}', {"num_pids": 3}, "load is a number beyond all bounds"),
        ('{"disk_percent": -3, "num_pids": 3}', {"num_pids": 3}, "disk_percent is -3, less than nothing"),
        ('{"rpm": "fast", "num_pids": 3}', {"num_pids": 3}, "rpm is 'fast', no number"),
        ('{"cpu_percent": null, "rpm": null, "num_pids": 3}', {"num_pids": 3}, ""),
        ('{"time": 17}', {}, "it sends no figures"),
        ("{}", {}, "it sends no figures"),
    ],
)
def test_what_is_no_figure_is_said(text: str, figures: dict[str, float], problem: str) -> None:
    assert figures_of(json_object(text, "node"), ["rpm"]) == (figures, problem)


@pytest.mark.parametrize("text", ["", "[1]", "3", "{", '{"a": ' + "[" * 100_000, '{"a": 1' + "0" * 5000 + "}"])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(DeviceAnswerError):
        json_object(text, "node")


def test_too_many_figures_are_cut_and_those_with_limits_stay() -> None:
    figures, problem = figures_of({f"key{number}": number for number in range(10_000)}, ["key9999"])
    assert len(figures) == MOST
    assert figures["key9999"] == 9999
    assert problem == f"it sends 10000 figures, of which {MOST} are looked at"


def test_many_faults_are_one_short_line() -> None:
    _figures, problem = figures_of({f"a{number}_percent": -1 for number in range(500)})
    assert problem.endswith("; 497 more of this kind")
    assert len(problem) < 200


@settings(max_examples=50)
@given(st.dictionaries(st.text(max_size=30) | st.sampled_from(["cpu_percent", "temp"]), json_values))
def test_anything_comes_out_as_few_finite_numbers(sent: dict[str, Any]) -> None:
    figures, problem = figures_of(json.loads(json.dumps(sent)), ["temp"])
    assert len(figures) <= MOST
    assert all(math.isfinite(value) for value in figures.values())
    assert all(value >= 0 for key, value in figures.items() if key.endswith("_percent"))
    assert figures or problem
    assert "\n" not in problem
