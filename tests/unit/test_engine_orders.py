"""Orders on machines in memory and a virtual clock: in order, in time, and the newest one counts."""

from __future__ import annotations

import asyncio

import pytest

from ockle.common.clock import LoopClock
from ockle.common.device import Device
from ockle.common.errors import CommandError
from ockle.engine.engine import Engine
from ockle.engine.runs import RunState, StepState
from ockle.engine.settings import Settings
from ockle.networkTree.facts import Desired
from rig import Rig
from rig_calls import CHAIN, down, node_of, ordered, up, whats


def test_a_network_comes_up_in_order_and_in_the_time_of_its_critical_path() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> float:
        began = asyncio.get_running_loop().time()
        assert await up(engine) is RunState.DONE
        return asyncio.get_running_loop().time() - began

    seconds = rig.play(scenario)
    assert rig.broken() == []
    assert set(rig.states().values()) == {"OK"}
    assert rig.order("up")[2:] == ["nas", "hv", "web"]
    assert 40.0 <= seconds <= 42.0  # four boots of ten seconds, one behind the other


def test_it_goes_down_in_reverse_order_and_no_disk_is_cut_off() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        assert await down(engine) is RunState.DONE

    rig.play(scenario)
    assert rig.broken() == []
    assert set(rig.states().values()) == {"OFF"}
    halted = rig.order("halted")
    assert halted.index("web") < halted.index("hv") < halted.index("nas") < halted.index("switch")
    for name in CHAIN:
        whats = [sight.what for sight in rig.sights if sight.machine == name]
        assert whats.index("shutdown asked") < whats.index("halted") < whats.index("cut")


def test_one_server_brings_what_it_needs_and_nothing_else() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        assert await up(engine, "hv") is RunState.DONE

    rig.play(scenario)
    assert rig.states() == {"switch": "OK", "nas": "OK", "hv": "OK", "web": "OFF", "lone": "OFF"}


def test_one_server_off_takes_its_dependents_first() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        plan = engine.plan("off", ["nas"])
        assert [step.server for step in plan.steps] == ["web", "hv", "nas"]
        assert await down(engine, "nas") is RunState.DONE

    rig.play(scenario)
    assert rig.order("cut") == ["web", "hv", "nas"]
    assert rig.broken() == []


def test_a_restart_takes_dependents_along_and_brings_them_back() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> RunState:
        await up(engine)
        run = await engine.order("restart", ["nas"], who="test")
        await run.finished.wait()
        return run.state

    assert rig.play(scenario) is RunState.DONE
    assert set(rig.states().values()) == {"OK"}
    assert rig.order("up")[-3:] == ["nas", "hv", "web"]
    assert rig.broken() == []


def test_two_supplies_are_both_switched_and_both_needed_for_off() -> None:
    rig = Rig({"a": []}, outlets={"a": 2})

    async def scenario(engine: Engine) -> None:
        await up(engine)
        assert rig["a"].relays == {"a.psu1": True, "a.psu2": True}
        await down(engine)

    rig.play(scenario)
    assert rig["a"].relays == {"a.psu1": False, "a.psu2": False}
    assert rig.broken() == []


def test_cancel_lets_what_runs_end_and_takes_the_rest_back() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> RunState:
        run = await engine.order("on", list(CHAIN), who="test")
        await asyncio.sleep(15)  # switch and lone are up, nas boots
        engine.cancel(run.id, "test")
        await run.finished.wait()
        await asyncio.sleep(100)
        return run.state

    assert rig.play(scenario) is RunState.CANCELLED
    assert rig.states() == {"switch": "OK", "nas": "OK", "hv": "OFF", "web": "OFF", "lone": "OK"}


def test_the_opposite_order_supersedes_a_running_one() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        first = await engine.order("on", list(CHAIN), who="test")
        await asyncio.sleep(15)
        assert await down(engine) is RunState.DONE
        assert first.state is RunState.FAILED
        assert first.count(StepState.SUPERSEDED) == 3

    rig.play(scenario)
    assert set(rig.states().values()) == {"OFF"}
    assert rig.broken() == []


def test_an_order_on_during_a_shutdown_waits_for_the_end_of_it() -> None:
    rig = Rig({"a": [], "b": ["a"]})

    async def scenario(engine: Engine) -> None:
        await up(engine)
        await engine.order("off", ["a"], who="test")
        await asyncio.sleep(1)
        assert rig["b"].os == "stopping"
        assert await up(engine) is RunState.DONE

    rig.play(scenario)
    assert set(rig.states().values()) == {"OK"}
    assert rig.broken() == []
    assert [sight.what for sight in rig.sights if sight.machine == "b"][-3:] == ["SET b.psu1 on", "power on", "up"]


def test_a_plan_that_changed_is_refused() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        rev = engine.plan("on", ["web"]).rev
        await up(engine, "switch")
        with pytest.raises(CommandError, match="changed") as caught:
            await engine.order("on", ["web"], who="test", rev=rev)
        assert caught.value.code == "conflict"

    rig.play(scenario)


def test_the_limit_of_simultaneous_starts_is_kept() -> None:
    rig = Rig({f"s{number}": [] for number in range(9)}, settings=Settings(poll_interval=5, start_limit=2))
    most = 0

    async def scenario(engine: Engine) -> None:
        nonlocal most
        run = await engine.order("on", list(rig.needs), who="test")
        while not run.finished.is_set():
            most = max(most, len(engine.network) - 0 - sum(m.os != "booting" for m in rig.machines.values()))
            await asyncio.sleep(1)

    rig.play(scenario)
    assert most == 2
    assert set(rig.states().values()) == {"OK"}


def test_a_restart_does_not_go_on_with_servers_that_a_newer_order_has() -> None:
    """Found by the property tests: the second stage of the restart took them back from the newer run."""
    rig = Rig({"s0": [], "s1": ["s0"], "s2": ["s1"]})

    async def scenario(engine: Engine) -> None:
        await up(engine)
        restart = await engine.order("restart", ["s0"], who="test")
        await asyncio.sleep(11)
        newer = await engine.order("on", ["s1"], who="test")
        await newer.finished.wait()
        assert newer.state is RunState.DONE
        assert restart.count(StepState.SUPERSEDED) > 0
        assert await down(engine) is RunState.DONE

    rig.play(scenario)
    assert set(rig.states().values()) == {"OFF"}
    assert rig.broken() == []


def test_a_cancel_before_the_shutdown_is_sent_keeps_it_from_being_sent() -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        await ordered(engine, "on", "a")
        control = node_of(engine, "a").controls[0]
        control.device = Device("one login at a time", clock=LoopClock())
        async with control.device.turn():  # another login hangs before this one
            order = await engine.order("off", ["a"], who="test")
            await asyncio.sleep(5)
            engine.cancel(order.id, "test")
        await asyncio.sleep(60)
        assert order.state is RunState.CANCELLED
        assert not node_of(engine, "a").facts.shutdown_sent

    rig.play(scenario)
    assert "shutdown asked" not in whats(rig, "a")
    assert rig.states() == {"a": "OK"}


def test_an_order_on_also_counts_for_those_that_are_still_on_and_were_to_be_switched_off() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        off = await engine.order("off", list(CHAIN), who="test")
        await asyncio.sleep(1)  # web shuts down; what it needs waits for that
        on = await engine.order("on", list(CHAIN), who="test")
        await asyncio.wait_for(on.finished.wait(), 300)
        assert on.state is RunState.DONE
        assert {step.server for step in on.steps()} == set(CHAIN)
        assert off.state is not RunState.RUNNING
        assert {node.facts.desired for node in engine.network} == {Desired.ON}

    rig.play(scenario)
    assert rig.broken() == []
    assert set(rig.states().values()) == {"OK"}


def test_nobody_goes_down_for_a_server_that_cannot() -> None:
    rig = Rig({"nas": [], "web": ["nas"], "shop": ["web"], "backup": ["nas"], "lone": []})

    async def scenario(engine: Engine) -> None:
        await up(engine)
        await engine.hold("web", True, "mine")
        plan = engine.plan("off", ["nas", "lone"])
        assert [step.server for step in plan.steps] == ["lone"]
        assert "needed by" in plan.untouched["nas"]
        assert [step.server for step in engine.plan("off", ["backup"]).steps] == ["backup"]

    rig.play(scenario)
