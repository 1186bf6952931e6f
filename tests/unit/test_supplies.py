"""Several power supplies: fed by as many as it needs, off only without any, and what is missing is told."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from config_site import write_site
from ockle.cli.status import folded
from ockle.config.site import load_site
from ockle.engine.engine import Engine
from ockle.engine.runs import RunState
from ockle.networkTree.facts import Supply
from ockle.networkTree.supplies import take_together
from ockle.outlets.dummy import Dummy
from rig import Rig
from rig_calls import down, node_of, up, whats


def outlets(states: str) -> list[Any]:
    """Outlets p0, p1 …: "1" on, "0" off, "?" unread, "o" on, but read too long ago."""
    found = []
    for number, letter in enumerate(states):
        outlet = Dummy(f"p{number}")
        outlet.state = {"1": True, "o": True, "0": False, "?": None}[letter]
        outlet.marks.seen_at = 5.0 if letter == "o" else 100.0
        outlet.last_error = "no answer" if letter == "?" else ""
        found.append(outlet)
    return found


@pytest.mark.parametrize(
    ("states", "least", "supply", "missing", "known"),
    [
        ("", 0, Supply.NONE, "", True),
        ("11", 0, Supply.ON, "", True),
        ("00", 0, Supply.OFF, "", True),
        ("00", 1, Supply.OFF, "", True),
        ("10", 0, Supply.MIXED, "", True),
        ("10", 1, Supply.ON, "supply p1 is off", True),
        ("1?", 0, Supply.UNKNOWN, "", False),
        ("1?", 1, Supply.ON, "supply p1 cannot be read: no answer", True),
        ("0?", 1, Supply.UNKNOWN, "", True),
        ("0?", 2, Supply.UNKNOWN, "", False),
        ("??", 1, Supply.UNKNOWN, "", False),
        ("o0", 1, Supply.UNKNOWN, "", True),
        ("110", 2, Supply.ON, "supply p2 is off", True),
        ("100", 2, Supply.MIXED, "", True),
        ("11?0", 2, Supply.ON, "supply p3 is off, supply p2 cannot be read: no answer", True),
    ],
)
def test_what_the_outlets_show_together(states: str, least: int, supply: Supply, missing: str, known: bool) -> None:
    found = take_together(outlets(states), 50.0, least)
    assert (found.supply, found.missing, found.known) == (supply, missing, known)
    assert bool(found.unread) is ("?" in states or "o" in states)


def rig(least: int) -> Rig:
    return Rig({"a": [], "b": ["a"]}, outlets={"a": 2}, policy={"min_supplies": least})


def test_one_of_two_supplies_lost_is_told_and_harms_nobody() -> None:
    machines = rig(1)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        machines["a"].relays["a.psu2"] = False
        await asyncio.sleep(10)
        assert machines.states() == {"a": "OK", "b": "OK"}
        assert node_of(engine, "a").why == "degraded: supply a.psu2 is off"
        assert engine.why("a")["reasons"][0]["text"] == "degraded: supply a.psu2 is off"
        machines["a"].relays["a.psu2"] = True
        await asyncio.sleep(10)
        assert node_of(engine, "a").why == ""

    machines.play(scenario)
    told = [event.text for event in machines.events.since(0) if event.kind == "supply"]
    assert told == ["a: degraded: supply a.psu2 is off", "a: no longer degraded"]


def test_with_too_few_it_has_failed() -> None:
    machines = rig(0)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        machines["a"].relays["a.psu2"] = False
        await asyncio.sleep(10)
        assert machines.states()["a"] == "Failed to start"

    machines.play(scenario)


def test_an_off_that_could_not_be_proven_is_not_begun_and_names_the_supply() -> None:
    machines = rig(1)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        machines["a"].silent_relays.add("a.psu2")
        await asyncio.sleep(30)
        assert machines.states()["a"] == "OK"
        plan = engine.plan("off", ["a"])
        assert plan.warnings == ["a: supply a.psu2 cannot be read: a.psu2: no answer; it waits for that device"]
        run = await engine.order("off", ["a"], who="test")
        await asyncio.sleep(60)
        assert "shutdown asked" not in whats(machines, "a")
        assert engine.why("a")["reasons"][0]["text"].startswith("supply a.psu2 cannot be read")
        machines["a"].silent_relays.clear()
        await run.finished.wait()
        assert run.state is RunState.DONE

    machines.play(scenario)
    assert machines.broken() == []


def test_it_starts_on_the_supplies_that_answer_if_they_are_enough() -> None:
    for least, state in ((1, "OK"), (2, "Unknown")):
        machines = rig(least)
        machines["a"].silent_relays.add("a.psu1")

        async def scenario(engine: Engine, state: str = state, machines: Rig = machines) -> None:
            await engine.order("on", ["a"], who="test")
            await asyncio.sleep(120)
            assert machines.states()["a"] in (state, "Not started")
            assert machines["a"].serving is (state == "OK")

        machines.play(scenario)
        assert machines.broken() == []


def test_off_is_only_without_any() -> None:
    machines = rig(1)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        assert await down(engine) is RunState.DONE

    machines.play(scenario)
    assert machines["a"].relays == {"a.psu1": False, "a.psu2": False}


def test_more_supplies_than_outlets_are_a_fault(tmp_path: Path) -> None:
    nas = "[server]\nmin_supplies = 2\noutlets = psu1\n[psu1]\npdu = pdu-a\noutlet = 1\n"
    assert [str(fault) for fault in load_site(write_site(tmp_path, servers__nas=nas)).faults] == [
        "servers/nas.ini [server] min_supplies = '2': it has only 1 outlets; write a smaller number, or 0 for all"
    ]


def test_status_lists_who_is_degraded() -> None:
    text = folded({"a": {"word": "on", "degraded": "supply psu2 is off"}, "b": {"word": "on", "degraded": ""}})
    assert text.splitlines()[-1] == "degraded: a (supply psu2 is off)"
