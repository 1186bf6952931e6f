"""Figures for monitoring: what is counted, in which units, and how it is written down."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.common.errors import DeviceAnswerError, DeviceRefused, DeviceStateError, DeviceUnreachable
from ockle.common.events import EventBus
from ockle.common.metrics import GAUGE, Family, Histogram
from ockle.common.ssh import NoConnection
from ockle.config.templates import Template, driver_template
from ockle.engine.engine import Engine
from ockle.engine.metrics.collect import collect
from ockle.engine.metrics.meters import meter_families
from ockle.engine.metrics.servers import ServerFamilies
from ockle.engine.metrics.tally import Tally
from ockle.engine.metrics.units import in_base_units
from ockle.networkTree.ServerNode import ServerNode
from ockle.outlets.OutletTemplate import OutletTemplate
from ockle.store.samples.sample_store import Series
from ockle.webserver.exposition import classic, openmetrics
from own_daemon import ask, running, written
from rig import Rig
from rig_calls import ordered


class HandClock:
    """A clock that stands still until it is set; only ``now`` may be asked."""

    time = 100.0

    def now(self) -> float:
        return self.time


def samples(families: Any, name: str) -> dict[tuple[str, ...], float]:
    """Return the samples of a family: suffix and the labels' values -> number."""
    family = next(one for one in families if one.name == name)
    return {(suffix, *labels.values()): value for suffix, labels, value in family.samples}


# -- parts


@given(st.lists(st.floats(-1e6, 1e6)), st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8, unique=True).map(sorted))
def test_a_histogram_counts_what_is_at_or_below_each_edge(values: list[float], edges: list[float]) -> None:
    histogram, family = Histogram(edges), Family("took", "histogram", "")
    for value in values:
        histogram.observe(value)
    family.observed(histogram, op="on")
    found = {labels.get("le", suffix): value for suffix, labels, value in family.samples}
    assert {edge: found[repr(edge)] for edge in edges} == {edge: sum(one <= edge for one in values) for edge in edges}
    assert found["+Inf"] == found["_count"] == len(values)
    assert math.isclose(found["_sum"], sum(values), abs_tol=1e-6)


@pytest.mark.parametrize(
    ("key", "value", "name", "told"),
    [
        ("power_w", 7.0, "power_watts", 7.0),
        ("energy_kwh", 2.0, "energy_joules", 7.2e6),
        ("charge_percent", 49.6, "charge_ratio", 0.496),
        ("rtt_ms", 3.0, "rtt_seconds", 0.003),
        ("on_battery", 1.0, "on_battery", 1.0),
        ("w", 3.0, "w", 3.0),
        ("Temp-in_C", 21.5, "temp_in_celsius", 21.5),
    ],
)
def test_values_are_told_in_base_units(key: str, value: float, name: str, told: float) -> None:
    end, scale = in_base_units(key)
    assert (end, scale.apply(value)) == (name, told)


def test_meters_have_metrics_of_their_own_and_none_is_told_twice() -> None:
    rest = Family("ockle_measured", GAUGE, "")
    found = meter_families(
        [
            {Series("", "ups", "rack", "charge_percent"): 80.0, Series("", "ups", "rack", "charge-percent"): 70.0},
            {Series("web1", "node", "web1", "cpu_percent"): 50.0, Series("web1", "test", "http", "load"): 2.0},
            {Series("", "ups", "rack", "charge_pct"): 60.0, Series("", "node", "pi7", "up"): 9.0},
        ],
        rest,
    )
    assert {one.name: one.samples for one in found} == {
        "ockle_ups_charge_ratio": [("", {"ups": "rack"}, 0.8)],
        "ockle_ups_charge_percent": [("", {"ups": "rack"}, 70.0)],
        "ockle_node_cpu_ratio": [("", {"node": "web1", "server": "web1"}, 0.5)],
    }
    assert [(labels["kind"], labels["key"], value) for _, labels, value in rest.samples] == [
        ("test", "load", 2.0),
        ("ups", "charge_pct", 60.0),
        ("node", "up", 9.0),
    ]


def test_a_flood_of_names_ends_as_labels() -> None:
    rest = Family("ockle_measured", GAUGE, "")
    found = meter_families([{Series("", "x", "y", f"k{number}"): 1.0 for number in range(1000)}], rest)
    assert (len(found), len(rest.samples)) == (200, 800)


@pytest.mark.parametrize(
    ("states", "counted"),
    [
        (["Switching on", "OK"], {("on", "ok"): 1}),
        (["Switching on", "Failed to start", "Switching on", "OK"], {("on", "failed"): 1, ("on", "ok"): 1}),
        (["Switching on", "Permanently failed to start"], {("on", "failed"): 1}),
        (["Switching on", "Switching off", "OFF"], {("on", "dropped"): 1, ("off", "ok"): 1}),
        (["Switching off", "Failed to stop"], {("off", "failed"): 1}),
        (["Switching off", "Permanently failed to Stop"], {("off", "failed"): 1}),
        (["Switching off", "Unknown", "OFF"], {("off", "dropped"): 1}),
        (["OK", "OFF", "Unknown"], {}),
    ],
)
def test_switchings_are_counted_by_what_became_of_them(states: list[str], counted: dict[tuple[str, str], int]) -> None:
    clock, bus = HandClock(), EventBus()
    tally = Tally(clock)  # type: ignore[arg-type] # it asks the clock for nothing else
    bus.subscribe(tally.take)
    for state in states:
        bus.publish("state", "", "web1", state=state)
        bus.publish("state", "", "other", state="OK")
        clock.time += 7.0
    found = samples(tally.families(), "ockle_transitions")
    assert {key[1:]: count for key, count in found.items() if count} == counted
    took = samples(tally.families(), "ockle_transition_duration_seconds")
    for op in ("on", "off"):
        assert took["_count", op] == counted.get((op, "ok"), 0)
        assert took["_sum", op] == 7.0 * counted.get((op, "ok"), 0)


def test_a_run_of_an_earlier_daemon_is_counted_but_not_timed() -> None:
    clock = HandClock()
    bus, tally = EventBus(), Tally(clock)  # type: ignore[arg-type]
    bus.subscribe(tally.take)
    bus.publish("run", "", run=2, state="running", action="on")
    clock.time += 40
    bus.publish("run", "run 9 is left out")
    bus.publish("run", "", run=2, state="done", action="on")
    bus.publish("run", "", run=1, state="failed", action="off")
    counted = {key: count for key, count in samples(tally.families(), "ockle_runs").items() if count}
    assert counted == {("_total", "on", "done"): 1, ("_total", "off", "failed"): 1}
    took = samples(tally.families(), "ockle_run_duration_seconds")
    assert (took["_sum", "on"], took["_count", "on"]) == (40.0, 1)
    assert ("_count", "off") not in took


# -- commands to devices


class Moody(OutletTemplate):
    """Answers as its ``mood`` says."""

    mood: Exception | None = None

    @classmethod
    def template(cls) -> Template:
        return driver_template("outlets", "Dummy")

    async def _getOutletState(self) -> bool:
        if self.mood is not None:
            raise self.mood
        return True

    def _setOutletState(self, state: bool) -> None:
        if self.mood is not None:
            raise self.mood


@pytest.mark.parametrize(
    ("mood", "result", "reachable"),
    [
        (None, "ok", True),
        (DeviceUnreachable("silent"), "unreachable", False),
        (NoConnection("no route"), "unreachable", False),
        (DeviceRefused("no"), "refused", True),
        (DeviceAnswerError("eh?"), "bad_answer", True),
        (DeviceStateError("between"), "wrong_state", True),
        (ZeroDivisionError("a bug"), "bad_answer", True),
    ],
)
def test_what_became_of_a_command_is_counted(mood: Exception | None, result: str, reachable: bool) -> None:
    outlet = Moody("one")
    outlet.mood = mood
    asyncio.run(outlet._send(True, lambda: None))
    asyncio.run(outlet._read_once())
    requests = outlet.device.requests
    assert requests.counts == {("set", result): 1, ("read", result): 1}
    assert sum(requests.latency.counts) == 2
    assert requests.reachable is reachable


# -- all of it


def test_a_network_that_comes_up_is_told() -> None:
    rig = Rig({"nas": [], "web": ["nas"]})

    async def scenario(engine: Engine) -> None:
        await ordered(engine, "on", "web")
        rig["web"].silent = True
        await asyncio.sleep(60)
        engine.gauges.append(lambda: 1 / 0)  # type: ignore[arg-type,return-value] # a plugin with a bug
        families = await collect(engine)
        assert samples(families, "ockle_server_state") == {("", "nas", "OK"): 1, ("", "web", "Unknown"): 1}
        assert samples(families, "ockle_server_on") == {("", "nas"): 1, ("", "web"): 0}
        assert samples(families, "ockle_server_desired") == {("", "nas"): 1, ("", "web"): 1}
        assert samples(families, "ockle_outlet_on") == {("", "nas", "nas.psu1", "nas"): 1}, "unknown is not off"
        assert samples(families, "ockle_transitions")["_total", "on", "ok"] == 2
        assert samples(families, "ockle_transition_duration_seconds")["_count", "on"] == 2
        assert samples(families, "ockle_runs")["_total", "on", "done"] == 1
        up = samples(families, "ockle_device_up")
        assert (up["", "nas", "outlets"], up["", "web", "outlets"]) == (1, 0)
        assert samples(families, "ockle_device_requests")["_total", "web", "outlets", "read", "unreachable"] > 0
        assert samples(families, "ockle_emergency") == {("",): 0}
        names = [one.name for one in families]
        assert len(names) == len(set(names))

    rig.play(scenario)


def test_a_reading_counts_as_long_as_it_is_fresh() -> None:
    old, new, silent = (Moody(name) for name in ("old", "new", "silent"))
    for outlet, measured_at in ((old, 899.0), (new, 901.0), (silent, 1000.0)):
        outlet.data |= {"power_w": 5.0, "energy_kwh": 2.0, "current_a": 0.5, "name": "x", "odd": math.inf}
        outlet.measured_at = measured_at
    silent.last_error = "no answer"
    found = ServerFamilies(now=1000.0, fresh_for=100.0)
    found.take(ServerNode("web", [old, new, silent]))
    assert samples(found.families(), "ockle_outlet_power_watts") == {("", "web", "new", "new"): 5.0}
    assert samples(found.families(), "ockle_outlet_energy_joules") == {("_total", "web", "new", "new"): 7.2e6}
    assert samples(found.families(), "ockle_measured") == {("", "web", "outlet", "new", "current_a"): 0.5}


def test_many_that_ask_at_the_same_time_cost_what_one_costs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    etc = written(tmp_path / "etc", {"config.ini": "[plugins]\nplugins = CoreCommunicationCommands,\n"})
    with running(etc) as daemon:
        monkeypatch.setattr("ockle.commands.metrics.FRESH_S", 600.0)
        first = ask(daemon, "getMetrics")
        daemon.engine.gauges.append(lambda: [Family("ockle_new", GAUGE, "")])
        assert ask(daemon, "getMetrics") is first
        monkeypatch.setattr("ockle.commands.metrics.FRESH_S", -1.0)
        assert "ockle_new" in {one["name"] for one in ask(daemon, "getMetrics")["families"]}


# -- how it is written

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(TEXTS, TEXTS)
def test_no_text_of_others_breaks_a_line(server: str, text: str) -> None:
    family = Family("ockle_x", GAUGE, text)
    family.add(1.5, server=server)
    for lines in (classic([family.as_dict()]).split("\n"), openmetrics([family.as_dict()]).split("\n")):
        (sample,) = [line for line in lines if line and not line.startswith("#")]
        inside = sample.removeprefix('ockle_x{server="').removesuffix('"} 1.5')
        back = inside.replace("\\\\", "\0").replace("\\n", "\n").replace('\\"', '"').replace("\0", "\\")
        assert back == server or "\0" in server
        assert '"' not in inside.replace("\\\\", "").replace('\\"', "")


def test_numbers_states_and_names_are_written_as_each_format_wants_them() -> None:
    counter: dict[str, Any] = {"name": "a_b", "type": "counter", "help": "h", "samples": [("_total", {}, math.inf)]}
    state = {"name": "s", "type": "stateset", "help": "h", "samples": [("", {"server": "x", "state": "ON"}, 1)]}
    both: list[dict[str, Any]] = [counter, {**state, "states": ["ON", "OFF"]}]
    shown = ['s{server="x",state="ON"} 1', 's{server="x",state="OFF"} 0']
    assert classic(both).splitlines() == [
        "# HELP a_b_total h", "# TYPE a_b_total counter", "a_b_total +Inf", "# HELP s h", "# TYPE s gauge", *shown,
    ]  # fmt: skip
    assert openmetrics(both).splitlines() == [
        "# TYPE a_b counter", "# HELP a_b h", "a_b_total +Inf", "# TYPE s gauge", "# HELP s h", *shown, "# EOF",
    ]  # fmt: skip
    assert classic([{**counter, "samples": [("", {"a": "b"}, None)]}]).splitlines()[-1] == 'a_b{a="b"} NaN'
    assert classic([{**counter, "samples": [("", {"a": "b"}, True)]}]).splitlines()[-1] == 'a_b{a="b"} 1'
    assert shown[1] not in classic(both, all_states=False)
