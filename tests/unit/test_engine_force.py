"""What a person does past the automation: force, hold, by hand, cut, reset."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ockle.common.common import OpState
from ockle.common.errors import CommandError, OckleError
from ockle.engine.engine import Engine
from ockle.engine.runner import EngineRunner
from ockle.engine.runs import RunState
from ockle.engine.settings import Settings
from ockle.networkTree.facts import Desired
from rig import Rig
from rig_calls import CHAIN, node_of, ordered, up, whats


def test_force_overrules_the_neighbours_but_not_the_shutdown_before_the_cut() -> None:
    rig = Rig({"a": [], "b": ["a"]})

    async def scenario(engine: Engine) -> None:
        await up(engine)
        rig.operator_orders.add("a")
        await engine.force("a", Desired.OFF, "broken fan")
        await asyncio.sleep(30)
        assert rig.states()["a"] == "Forced off"
        assert not rig["a"].powered
        await engine.set_auto(True)
        await asyncio.sleep(60)
        assert not rig["a"].powered  # nothing automatic touches it
        await engine.force("a", None)
        await asyncio.sleep(5)

    rig.play(scenario)
    assert rig.states()["a"] == "OFF"
    assert rig.broken() == []


def test_a_force_leaves_one_switching_per_server() -> None:
    """The decision that followed the dropped switching began another one before the force did."""
    rig = Rig({"a": []}, policy={"shutdown_timeout": 30.0})

    async def scenario(engine: Engine) -> None:
        await engine.order("on", ["a"], who="test")
        await asyncio.sleep(3)  # it boots
        rig.operator_orders.add("a")
        await engine.force("a", Desired.OFF, "smoke")
        await asyncio.sleep(0)
        tasks = [task for task in asyncio.all_tasks() if "_carry_out" in str(task.get_coro())]
        assert len(tasks) == 1
        assert rig["a"].powered
        await asyncio.sleep(60)  # the booting machine did not hear the shutdown; it was sent again once it could
        assert not rig["a"].powered

    rig.play(scenario)
    assert rig.states() == {"a": "Forced off"}


def test_a_force_that_fails_is_told() -> None:
    """It showed "Forced off", no error and no event, with the power on: somebody may reach into the machine."""
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        await ordered(engine, "on", "a")
        rig["a"].refuse_login = True
        await engine.force("a", Desired.OFF)
        await asyncio.sleep(60)
        assert rig["a"].powered
        assert any("refused" in reason["text"] for reason in engine.why("a")["reasons"])
        assert any(event.kind == "force" and "refused" in event.text for event in rig.events.since(0))

    rig.play(scenario)
    assert rig.states() == {"a": "Forced off"}


def test_what_is_held_is_not_switched_and_nothing_is_taken_down_for_it() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        await engine.hold("nas", True, "new disks")
        plan = engine.plan("restart", ["nas"])
        assert (plan.steps, plan.untouched) == ([], {"nas": "held: new disks"})
        plan = engine.plan("off", ["switch"])
        assert plan.steps == []
        assert plan.untouched == {"nas": "held: new disks", "switch": "needed by nas (held: new disks)"}

    rig.play(scenario)


def test_nothing_moves_by_itself_while_autocontrol_is_off() -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        await up(engine)
        await asyncio.sleep(60)
        rig["a"].relay("a.psu1", False)
        engine.network.getServernode("a").facts.policy.drift = "enforce"
        await asyncio.sleep(60)
        assert rig.states() == {"a": "OFF"}
        assert engine.why("a")["reasons"][0]["text"] == "AutoControl is off"
        await engine.set_auto(True)
        await asyncio.sleep(60)

    rig.play(scenario)
    assert rig.states() == {"a": "OK"}


def test_a_state_set_by_hand_cannot_wedge_a_server() -> None:
    """Forced without a force: no row of the table led out of it, and the watcher of the device died of that."""
    rig = Rig({"a": []})

    class HereLoop:
        def call(self, work: Any, timeout: float = 0.0) -> Any:
            with pytest.raises(StopIteration) as ended:
                work.send(None)
            return ended.value.value

    async def scenario(engine: Engine) -> RunState:
        runner = EngineRunner(engine, HereLoop())  # type: ignore[arg-type]
        for state in OpState:
            work = runner.set_op_state
            if state in (OpState.forcedOn, OpState.forcedOff, OpState.SwitchingOn, OpState.SwitchingOff):
                with pytest.raises(OckleError):
                    work("a", state)
            else:
                work("a", state)
        await asyncio.sleep(20)
        return await ordered(engine, "on", "a")

    assert rig.play(scenario) is RunState.DONE


def test_a_command_by_hand_asks_again_right_before_it_is_sent() -> None:
    """It waits for its turn at the device; meanwhile somebody begins to need the server."""
    rig = Rig({"a": [], "b": ["a"]})

    async def scenario(engine: Engine) -> None:
        await ordered(engine, "on", "a")
        node = node_of(engine, "a")

        def guard() -> None:
            if engine.network.getServernode("b").facts.op is not None:
                raise CommandError("b needs it", "refused")

        async with node.outlets[0].device.turn():
            by_hand = asyncio.create_task(engine.by_hand.switch_outlet(node, node.outlets[0], False, guard))
            await asyncio.sleep(1)
            order = await engine.order("on", ["b"], who="test")
            await asyncio.sleep(1)
            with pytest.raises(CommandError, match="another command"):
                await engine.force("a", Desired.OFF)
        with pytest.raises(CommandError, match="needs it"):
            await by_hand
        await order.finished.wait()
        assert order.state is RunState.DONE
        await asyncio.sleep(3)
        assert all(row["outcome"] for row in engine.store.load("intents"))

    rig.play(scenario)
    assert whats(rig, "a") == ["SET a.psu1 on", "power on", "up"]


def test_by_hand_an_outlet_stays_off_for_its_time() -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> float:
        node = node_of(engine, "a")
        node.outlets[0].params["min_off_time"] = 10.0
        await engine.by_hand.switch_outlet(node, node.outlets[0], False)
        began = engine.core.clock.now()
        await engine.by_hand.switch_outlet(node, node.outlets[0], True)
        return engine.core.clock.now() - began

    assert rig.play(scenario) >= 10.0


def test_a_cut_is_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a cut the server was cut again, without a shutdown, whenever it was switched off by itself."""
    rig = Rig({"a": []}, policy={"drift": "enforce"})

    async def scenario(engine: Engine) -> None:
        await ordered(engine, "on", "a")
        rig["a"].expendable = True
        await ordered(engine, "cut", "a")
        rig["a"].expendable = False
        await engine.set_auto(True)
        rig.by_hand("a")
        await asyncio.sleep(400)  # the first shutdown meets a booting machine

    rig.play(scenario)
    assert rig.states() == {"a": "OFF"}
    assert rig.broken() == []


def test_a_reset_during_a_shutdown_does_not_forget_the_shutdown() -> None:
    rig = Rig({"a": [], "b": ["a"]})

    async def scenario(engine: Engine) -> None:
        await ordered(engine, "on", "b")
        await ordered(engine, "off", "b")
        rig["a"].shutdown_s = 20.0
        await engine.order("off", ["a"], who="test")
        await asyncio.sleep(2)
        await engine.reset("a")
        assert node_of(engine, "a").facts.shutdown_sent
        assert await ordered(engine, "on", "b") is RunState.DONE

    rig.play(scenario)
    assert rig.broken() == []
    assert "cut" in whats(rig, "a")


def test_a_machine_that_takes_a_shutdown_by_hand_has_power() -> None:
    """Found by the model: its outlets were last seen off, and that passed for proof that nothing is stopping."""
    rig = Rig({"a": []}, settings=Settings(poll_interval=60.0))

    async def scenario(engine: Engine) -> RunState:
        rig.by_hand("a")
        await asyncio.sleep(20)  # it is up, and its outlets have not been read since
        node = node_of(engine, "a")
        assert rig.states() == {"a": "OFF"}
        await engine.by_hand.switch_control(node, node.controls[0], False)
        assert rig.states() == {"a": "Unknown"}
        return await ordered(engine, "off", "a")

    assert rig.play(scenario) is RunState.DONE
    assert not rig["a"].powered
    assert rig.broken() == []
