"""Restarts of the daemon: what goes on, and what stays as it was."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ockle.engine.engine import Engine
from ockle.engine.runs import RunState, StepState
from ockle.networkTree.facts import Desired
from rig import Rig
from rig_calls import CHAIN, again, node_of, ordered, up


def test_after_a_crash_an_open_run_goes_on(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/state.db"
    rig = Rig(CHAIN, store=url)

    async def crash(engine: Engine) -> None:
        await engine.order("on", list(CHAIN), who="test")
        await asyncio.sleep(15)

    rig.play(crash)

    again = Rig(CHAIN, store=url)
    for name, machine in rig.machines.items():
        again[name].relays, again[name].os = machine.relays, machine.os if machine.os != "booting" else "up"

    async def go_on(engine: Engine) -> None:
        [run] = engine.runs.running()
        await run.finished.wait()
        assert run.state is RunState.DONE

    again.play(go_on)
    assert set(again.states().values()) == {"OK"}
    assert again.broken() == []
    assert again.order("SET switch.psu1 on") == []  # it was on already


def test_what_was_under_way_at_a_crash_gets_an_outcome_unknown(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/state.db"
    rig = Rig({"a": []}, store=url)
    rig["a"].slow_s = 30.0

    async def crash(engine: Engine) -> list[str | None]:
        await engine.order("on", ["a"], who="test")
        await asyncio.sleep(2)
        return [row["outcome"] for row in engine.store.load("intents")]

    assert rig.play(crash) == [None]

    async def look(engine: Engine) -> list[str | None]:
        await asyncio.sleep(5)
        return [row["outcome"] for row in engine.store.load("intents", order="id")]

    first, *_ = Rig({"a": []}, store=url).play(look)
    assert first == "unknown: the daemon ended before it was known"


def test_desired_states_forces_and_failures_survive_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/state.db"
    rig = Rig({"a": [], "b": []}, store=url)

    async def first(engine: Engine) -> None:
        await engine.force("b", Desired.OFF, "no")
        rig["a"].fail_boots = 9
        await up(engine, "a")

    rig.play(first)
    assert rig.states() == {"a": "Permanently failed to start", "b": "Forced off"}
    again = Rig({"a": [], "b": []}, store=url)
    again["a"].relays, again["a"].os = rig["a"].relays, "wedged"

    async def second(engine: Engine) -> None:
        await engine.set_auto(True)
        await asyncio.sleep(60)

    again.play(second)
    assert again.states() == {"a": "Permanently failed to start", "b": "Forced off"}
    assert [sight.what for sight in again.sights] == []


def test_a_server_that_comes_back_after_it_was_removed_has_no_old_orders(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/state.db"

    async def first(engine: Engine) -> None:
        await up(engine, "b")

    async def nothing(engine: Engine) -> None:
        await asyncio.sleep(5)

    async def third(engine: Engine) -> None:
        assert engine.network.getServernode("b").facts.desired is None
        assert engine.network.getServernode("a").facts.desired is Desired.ON

    Rig({"a": [], "b": ["a"]}, store=url).play(first)
    Rig({"a": []}, store=url).play(nothing)
    Rig({"a": [], "b": ["a"]}, store=url).play(third)


@pytest.mark.parametrize("way", ["restart", "reload"])
def test_a_server_that_comes_back_after_it_was_removed_is_still_forced_and_held(tmp_path: Path, way: str) -> None:
    url = f"sqlite:///{tmp_path}/state.db"
    both, one = Rig({"a": [], "b": []}, store=url), Rig({"a": []}, store=url)

    async def own(engine: Engine) -> None:
        await engine.force("b", Desired.OFF, "being repaired", who="somebody")
        await engine.hold("b", True, "wait")
        await asyncio.sleep(5)

    async def check(engine: Engine) -> None:
        facts = node_of(engine, "b").facts
        assert (facts.forced, facts.forced_note, facts.forced_by) == (Desired.OFF, "being repaired", "somebody")
        assert facts.held == "wait"
        await engine.order("on", ["b"], who="test")
        await asyncio.sleep(30)

    async def reload(engine: Engine) -> None:
        await own(engine)
        await engine.adopt(one.network(), engine.settings)
        await asyncio.sleep(5)
        await engine.adopt(both.network(), engine.settings)
        await check(engine)

    async def nothing(engine: Engine) -> None:
        await asyncio.sleep(5)

    if way == "reload":
        both.play(reload)
    else:
        both.play(own)
        one.play(nothing)
        Rig({"a": [], "b": []}, store=url).play(check)
    assert [sight.what for sight in both.sights] == []


def test_a_cancelled_run_is_not_taken_up_after_a_restart(tmp_path: Path) -> None:
    rig = Rig({"a": [], "b": ["a"], "c": ["b"]}, store=f"sqlite:///{tmp_path}/state.db")

    async def first(engine: Engine) -> None:
        order = await engine.order("on", ["c"], who="test")
        await asyncio.sleep(5)  # a boots
        engine.cancel(order.id, "test")
        await asyncio.sleep(2)

    rig.play(first)
    rig["a"].os = "up"
    new = again(rig)

    async def second(engine: Engine) -> None:
        await asyncio.sleep(100)
        assert engine.runs.running() == []
        assert engine.runs.get(1).state is RunState.CANCELLED

    new.play(second)
    assert new.states() == {"a": "OK", "b": "OFF", "c": "OFF"}
    assert new.sights == []


def test_a_superseded_step_is_not_taken_up_after_a_restart(tmp_path: Path) -> None:
    rig = Rig({"a": [], "b": [], "slow": []}, store=f"sqlite:///{tmp_path}/state.db")
    rig["slow"].boot_s = 40.0

    async def first(engine: Engine) -> None:
        await engine.order("on", ["a", "b", "slow"], who="test")
        await asyncio.sleep(15)
        assert await ordered(engine, "off", "a") is RunState.DONE
        await engine.force("b", Desired.OFF, "no")
        await asyncio.sleep(15)
        assert len(engine.runs.running()) == 1

    rig.play(first)
    rig["slow"].os = "up"
    new = again(rig)

    async def second(engine: Engine) -> None:
        await asyncio.sleep(100)
        assert engine.runs.running() == []

    new.play(second)
    assert new.states() == {"a": "OFF", "b": "Forced off", "slow": "OK"}
    assert new.sights == []


def test_a_restart_forgives_no_failure(tmp_path: Path) -> None:
    """S3: else a daemon that crashes in a loop power-cycles a failing server for ever."""
    rig = Rig({"a": [], "b": []}, store=f"sqlite:///{tmp_path}/state.db")
    rig["a"].fail_boots = 9
    rig["b"].boot_s = 1e6

    async def first(engine: Engine) -> None:
        node_of(engine, "b").facts.policy.boot_timeout = 1e6
        order = await engine.order("on", ["a", "b"], who="test")
        while order.current["a"].state is not StepState.FAILED:
            await asyncio.sleep(5)

    rig.play(first)
    rig["b"].os = "up"
    new = again(rig)

    async def second(engine: Engine) -> None:
        await asyncio.sleep(100)
        assert node_of(engine, "a").facts.start_attempts == 3
        assert engine.runs.get(1).state is RunState.FAILED

    new.play(second)
    assert new.states() == {"a": "Permanently failed to start", "b": "OK"}


def test_a_run_whose_server_was_taken_out_meanwhile_can_be_cancelled(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/state.db"
    rig = Rig({"a": [], "b": ["a"], "c": []}, store=url)
    rig["a"].boot_s = 1000.0

    async def crash(engine: Engine) -> None:
        await engine.order("on", ["a", "b", "c"], who="test")
        await asyncio.sleep(5)

    rig.play(crash)

    async def cancel(engine: Engine) -> None:
        [run] = engine.runs.running()
        engine.cancel(run.id, "test")
        await run.finished.wait()
        assert run.state is RunState.CANCELLED

    Rig({"a": [], "b": ["a"]}, store=url).play(cancel)


def test_nothing_is_kept_for_a_server_that_is_gone() -> None:
    both, one = Rig({"a": [], "b": []}), Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        order = await engine.order("on", ["b"], who="test")
        while not engine.busy():
            await asyncio.sleep(0)
        engine.cancel(order.id, "test")
        await order.finished.wait()
        assert engine._conductor._dropped_at
        await engine.force("b", Desired.OFF, who="test", seconds=3600.0)
        await asyncio.sleep(30)
        await engine.adopt(one.network(), engine.settings)
        for kept in (engine.forces._timers, engine._conductor._dropped_at, engine._conductor._timers):
            assert "b" not in kept

    both.play(scenario)
