"""Emergencies: in order, in time, whatever hangs; and nothing comes back before it is cleared."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ockle.common.errors import CommandError
from ockle.engine.emergency import CONFIRM
from ockle.engine.engine import Engine
from ockle.engine.runs import RunState
from ockle.networkTree.facts import Desired
from rig import Rig
from rig_calls import CHAIN, again, node_of, ordered, up, whats


def test_everything_goes_down_in_order_and_stays_down_until_it_is_cleared() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        await engine.set_auto(True)
        run = await engine.emergency(list(CHAIN), 300, who="ups")
        await run.finished.wait()
        assert run.state is RunState.DONE
        assert engine.emergencies.as_dict()["not_down"] == []  # type: ignore[index]
        with pytest.raises(CommandError, match="clear the emergency first"):
            await engine.order("on", ["web"], who="test")
        rig.by_hand("lone")  # somebody switches one on: it goes off again
        await asyncio.sleep(60)
        assert set(rig.states().values()) == {"OFF"}
        await engine.clear_emergency("test")
        assert await ordered(engine, "on", "web") is RunState.DONE

    rig.play(scenario)
    assert rig.broken() == []


def test_who_hangs_is_cut_when_its_share_is_over_and_keeps_nobody_waiting_longer() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> float:
        await up(engine)
        rig["web"].hang_shutdown = True
        rig["hv"].silent = True  # its outlet does not answer
        began = asyncio.get_running_loop().time()
        await engine.emergency(list(CHAIN), 100, who="ups")
        while rig["switch"].powered:
            await asyncio.sleep(1)
        assert not rig["nas"].powered
        assert "switch" not in engine.emergencies.as_dict()["not_down"]  # type: ignore[index]
        assert engine.emergencies.as_dict()["not_down"] == ["hv"]  # type: ignore[index]
        reasons = [reason["text"] for reason in engine.why("hv")["reasons"]]
        assert any("emergency declared by ups" in text for text in reasons)
        return asyncio.get_running_loop().time() - began

    assert rig.play(scenario) <= 100
    cuts = [sight.machine for sight in rig.sights if sight.what == "cut while mounted"]
    assert cuts == ["web"]  # the only one that did not go down by itself
    assert whats(rig, "nas")[-3:] == ["halted", "SET nas.psu1 off", "cut"]


def test_it_outlives_the_daemon_and_the_time_goes_on(tmp_path: Path) -> None:
    rig = Rig({"a": [], "b": ["a"]}, store=f"sqlite:///{tmp_path}/state.db")

    async def first(engine: Engine) -> None:
        await up(engine)
        rig["b"].hang_shutdown = True
        await engine.emergency(["a"], 120, who="ups", note="on battery")
        await asyncio.sleep(10)

    rig.play(first)
    new = again(rig)
    new["b"].hang_shutdown = True
    new["b"].expendable = True

    async def second(engine: Engine) -> None:
        assert engine.emergencies.declared is not None
        assert engine.emergencies.declared.note == "on battery"
        with pytest.raises(CommandError, match="not down yet: a, b"):
            await engine.clear_emergency("test")
        await asyncio.sleep(130)
        assert set(new.states().values()) == {"OFF"}
        await engine.clear_emergency("test")

    new.play(second)
    third = again(new)

    async def cleared(engine: Engine) -> None:
        assert engine.emergencies.declared is None
        assert await up(engine) is RunState.DONE

    third.play(cleared)


def test_it_leaves_a_forced_server_alone_and_its_run_is_not_cancelled() -> None:
    rig = Rig({"a": [], "b": [], "c": []})

    async def scenario(engine: Engine) -> None:
        await up(engine)
        await engine.force("b", Desired.ON, "mine")
        rig["a"].hang_shutdown = True
        run = await engine.emergency(["a", "b", "c"], 60, who="ups")
        with pytest.raises(CommandError, match="clear the emergency instead"):
            engine.cancel(run.id, "test")
        with pytest.raises(CommandError, match="not down yet"):
            await engine.clear_emergency("test")
        await engine.clear_emergency("test", CONFIRM)
        assert node_of(engine, "a").facts.emergency_by is None
        await asyncio.sleep(100)

    rig.play(scenario)
    assert rig.states()["b"] == "Forced on"
    assert rig.states()["c"] == "OFF"
    assert rig["a"].powered  # cleared in time: no hurry any more, so its policy counts again
    assert rig.broken() == []


def test_clearing_what_is_not_declared_is_refused() -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        with pytest.raises(CommandError, match="no emergency is declared"):
            await engine.clear_emergency("test")

    rig.play(scenario)


def test_the_run_of_an_emergency_is_not_cancelled_after_another_one_was_declared() -> None:
    rig = Rig({"a": [], "b": ["a"], "c": []})

    async def scenario(engine: Engine) -> None:
        await up(engine)
        await engine.set_auto(True)
        first = await engine.emergency(["a"], 300, who="ups")
        await engine.emergency(["c"], 300, who="second ups")
        with pytest.raises(CommandError, match="clear the emergency instead"):
            engine.cancel(first.id, "test")
        await first.finished.wait()
        assert first.state is RunState.DONE

    rig.play(scenario)
    assert set(rig.states().values()) == {"OFF"}


def test_the_time_of_a_server_stays_the_same_whatever_happens_to_it() -> None:
    rig = Rig(CHAIN)
    moments: dict[str, set[float]] = {name: set() for name in CHAIN}

    async def scenario(engine: Engine) -> None:
        await up(engine)
        await asyncio.sleep(0.0007)  # no moment that a stamp could name exactly
        await engine.emergency(list(CHAIN), 300, who="ups")
        for node in engine.network:
            moments[node.name].add(node.facts.emergency_by or 0.0)
        engine.core.listeners.append(lambda node: moments[node.name].add(node.facts.emergency_by or 0.0))
        await asyncio.sleep(200)

    rig.play(scenario)
    assert {name: len(seen) for name, seen in moments.items()} == dict.fromkeys(CHAIN, 1)


def test_a_second_emergency_keeps_what_was_said_of_the_first() -> None:
    rig = Rig({"a": [], "b": []})

    async def scenario(engine: Engine) -> str:
        await up(engine)
        await engine.emergency(["a"], 300, who="ups", note="on battery")
        await engine.emergency(["b"], 300, who="ups", note="battery low")
        await engine.emergency(["b"], 300, who="ups", note="battery low")
        assert engine.emergencies.declared is not None
        return engine.emergencies.declared.note

    assert rig.play(scenario) == "on battery; battery low"
