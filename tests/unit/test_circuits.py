"""Circuits: never more on a fuse than it carries, the important first, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from config_site import write_site
from ockle.engine.engine import Engine
from ockle.engine.runs import RunState
from ockle.engine.settings import Settings
from ockle.networkTree.budget import Demand, Load, find_lack
from ockle.networkTree.ServerNetworkFactory import check
from ockle.outlets.circuit import Circuit
from rig import Rig
from rig_calls import down, node_of, up, whats
from rig_machine import Fuse


@pytest.mark.parametrize(
    ("load", "demand", "text", "lasting"),
    [
        (Load(Circuit("a", max_watts=100), steady=60, inrush=20), (20, 10), "", False),
        (Load(Circuit("a", max_watts=100), steady=60, inrush=20), (21, 10), "circuit a: 80 of 100 W", False),
        (Load(Circuit("a", max_watts=100), steady=90, inrush=0), (20, 10), "circuit a: 90 of 100 W", True),
        (Load(Circuit("a", max_starts=2), starts=1, steady=1e9), (20, 10), "", False),
        (Load(Circuit("a", max_starts=2), starts=2), (0, 0), "circuit a: 2 of 2 servers are starting", False),
        (Load(Circuit("", max_starts=1), starts=1), (0, 0), "as many servers start as the limit allows", False),
        (Load(Circuit("a"), live=3, dead=3), (0, 0), "circuit a seems to have tripped", True),
        (Load(Circuit("a"), live=3, dead=2), (0, 0), "", False),
        (Load(Circuit("a"), live=1, dead=1), (0, 0), "", False),
    ],
)
def test_what_a_circuit_can_carry(load: Load, demand: tuple[float, float], text: str, lasting: bool) -> None:
    lack = find_lack([Demand(load, *demand)])
    assert (lack.text if lack else "").startswith(text)
    assert (lack is None) is (text == "")
    assert lack is None or lack.lasting is lasting


def watts(**machines: float) -> dict[str, float]:
    return machines


def test_starts_wait_until_the_inrush_of_others_is_over() -> None:
    needs: dict[str, list[str]] = {name: [] for name in "abc"}
    fuse = Fuse(max_watts=700, watts=watts(a=100, b=100, c=100), inrush=watts(a=400, b=400, c=400), inrush_s=20)
    rig = Rig(needs, circuits={"f": fuse})

    async def scenario(engine: Engine) -> None:
        run = await engine.order("on", list(needs), who="test")
        await asyncio.sleep(5)
        assert engine.why("b")["reasons"][0]["text"] == "circuit f: 400 of 700 W, and it needs 400 W"
        assert engine.why("b")["reasons"][0]["frees"] == "what starts there draws less"
        await run.finished.wait()
        assert run.state is RunState.DONE

    rig.play(scenario)
    assert rig.broken() == []
    on = [sight.t for sight in rig.sights if sight.what == "power on"]
    assert on[1] - on[0] >= 20
    assert on[2] - on[1] >= 20


def test_the_more_important_starts_first_and_then_the_one_that_most_waits_for() -> None:
    needs: dict[str, list[str]] = {"a": [], "b": [], "c": [], "d": [], "d1": ["d"], "d2": ["d1"]}
    rig = Rig(needs, settings=Settings(poll_interval=5, start_limit=1), priority={"c": 7})

    async def scenario(engine: Engine) -> None:
        assert await up(engine) is RunState.DONE

    rig.play(scenario)
    assert rig.order("up") == ["c", "d", "d1", "a", "b", "d2"]


def test_a_large_one_is_not_overtaken_by_small_ones_for_ever() -> None:
    """It waits for the inrush of others, and those behind it wait with it, though there were room for them."""
    names = ["big", *(f"s{number}" for number in range(6))]
    fuse = Fuse(
        max_watts=600,
        watts=dict.fromkeys(names, 10.0),
        inrush={name: 500.0 if name == "big" else 150.0 for name in names},
        inrush_s=15,
    )
    rig = Rig({name: [] for name in names}, circuits={"f": fuse}, priority={"s0": 2, "big": 1})

    async def scenario(engine: Engine) -> None:
        assert await up(engine) is RunState.DONE

    rig.play(scenario)
    assert rig.broken() == []
    assert rig.order("power on")[:2] == ["s0", "big"]


def test_what_can_never_fit_beside_what_runs_holds_up_nobody() -> None:
    fuse = Fuse(max_watts=1000, watts=watts(a=600, b=600, c=300))
    rig = Rig({"a": [], "b": [], "c": []}, circuits={"f": fuse}, priority={"a": 3, "b": 2, "c": 1})

    async def scenario(engine: Engine) -> None:
        run = await engine.order("on", ["a", "b", "c"], who="test")
        await asyncio.sleep(60)
        assert rig.states() == {"a": "OK", "b": "OFF", "c": "OK"}
        reason = engine.why("b")["reasons"][0]
        assert reason["text"] == "circuit f: 900 of 1000 W, and it needs 600 W"
        assert reason["frees"] == "something is switched off there"
        assert node_of(engine, "b").why.startswith("circuit f: ")
        await down(engine, "a")
        await run.finished.wait()
        assert rig.states() == {"a": "OFF", "b": "OK", "c": "OK"}

    rig.play(scenario)
    assert rig.broken() == []


def test_a_circuit_of_its_own_limit_and_pause() -> None:
    needs: dict[str, list[str]] = {name: [] for name in "abcd"}
    fuse = Fuse(max_starts=2, gap_s=3.0, watts=watts(a=0, b=0, c=0))
    rig = Rig(needs, circuits={"f": fuse})

    async def scenario(engine: Engine) -> None:
        run = await engine.order("on", list(needs), who="test")
        await asyncio.sleep(4)
        assert engine.why("c")["reasons"][0]["text"] == "circuit f: 2 of 2 servers are starting"
        await run.finished.wait()
        assert run.state is RunState.DONE

    rig.play(scenario)
    on = {sight.machine: sight.t for sight in rig.sights if sight.what == "power on"}
    assert on["d"] == on["a"]
    assert on["b"] - on["a"] >= 3.0


def test_mates_on_one_outlet_are_counted_before_it_is_switched() -> None:
    fuse = Fuse(max_watts=500, watts=watts(a=200, b=200, c=200))
    rig = Rig({"a": [], "b": [], "c": []}, outlets={"a": 0, "b": 0}, shared={"strip": ["a", "b"]}, circuits={"f": fuse})

    async def scenario(engine: Engine) -> None:
        await up(engine, "c")
        await engine.order("on", ["a"], who="test")
        await asyncio.sleep(60)
        assert rig.states() == {"a": "OFF", "b": "OFF", "c": "OK"}
        assert engine.why("a")["reasons"][0]["text"] == "circuit f: 200 of 500 W, and it needs 400 W"

    rig.play(scenario)
    assert rig.broken() == []


def test_a_fuse_that_has_gone_stops_all_starts_on_it() -> None:
    fuse = Fuse(watts=watts(a=0, b=0, c=0))
    rig = Rig({"a": [], "b": [], "c": [], "d": []}, circuits={"f": fuse})

    async def scenario(engine: Engine) -> None:
        await up(engine, "a", "b")
        await asyncio.sleep(120)
        rig["a"].silent = rig["b"].silent = True
        await asyncio.sleep(30)
        run = await engine.order("on", ["c", "d"], who="test")
        await asyncio.sleep(60)
        assert rig.states()["d"] == "OK"
        text = engine.why("c")["reasons"][0]["text"]
        assert text.startswith("circuit f seems to have tripped: none of its 2 outlets")
        assert whats(rig, "c") == []
        rig["a"].silent = rig["b"].silent = False
        await run.finished.wait()
        assert rig.states()["c"] == "OK"

    rig.play(scenario)
    told = [event.text for event in rig.events.since(0) if event.kind == "circuit"]
    assert told == ["circuit f seems to have tripped", "circuit f shows life again"]


# -- the files

CIRCUIT = "[circuit]\nmax_watts = 1000\nmax_starts = 2\ngap = 500ms\n"
NAS = "[server]\noutlets = psu1\n[psu1]\npdu = pdu-a\noutlet = 1\n"


def judged(etc: Path, **changes: str) -> tuple[list[str], list[str]]:
    faults, warnings = check(write_site(etc, **changes))
    return [str(fault) for fault in faults], warnings


def test_a_circuit_is_a_file_and_outlets_name_it(tmp_path: Path) -> None:
    pdu = "[pdu]\ntype = Raritan\nhost = 127.0.0.1\ncircuit = left\n"
    files = {"circuits__left": CIRCUIT, "outlets__pdu-a": pdu, "servers__nas": f"{NAS}watts = 300\n"}
    assert judged(tmp_path, **files) == ([], [])
    assert judged(tmp_path, **{**files, "servers__nas": f"{NAS}watts = 300\ninrush_watts = 1200\n"})[0] == [
        "servers/nas.ini [server] outlets: it starts with 1200 W on circuit left, which allows 1000 W in all; "
        "correct one of the two"
    ]
    assert judged(tmp_path, **{**files, "servers__nas": f"{NAS}circuit = lefd\n"})[0] == [
        "servers/nas.ini [psu1] circuit = 'lefd': unknown circuit; did you mean 'left'?"
    ]
    small = {**files, "circuits__left": "[circuit]\nmax_watts = 500\n"}
    web = "[server]\noutlets = psu1\n[psu1]\npdu = pdu-a\noutlet = 2\nwatts = 300\n"
    assert judged(tmp_path, **small, servers__web=web)[1] == [
        "circuits/left.ini: its servers draw 600 W together, of 500 W: not all can be on at once"
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "circuits/left.ini [circuit]: this section is missing; write [circuit]"),
        ("[circuit]\nwats = 5\n", "circuits/left.ini [circuit] wats: unknown option; did you mean 'max_watts'?"),
        ("[circuit]\n[pdu]\n", "circuits/left.ini [pdu]: unknown section; options belong to [circuit]"),
    ],
)
def test_faults_in_the_file_of_a_circuit(tmp_path: Path, text: str, fault: str) -> None:
    assert judged(tmp_path, circuits__left=text)[0] == [fault]
