"""What an operator does with a server past all automation: single commands, forces."""

from __future__ import annotations

import asyncio

import pytest

from ockle.common.errors import DeviceError, DeviceRefused
from ockle.engine.engine import Engine
from ockle.networkTree.facts import Desired
from rig import Rig
from rig_calls import node_of, up


def test_a_refused_shutdown_leaves_known_which_boot_was_asked_before() -> None:
    """Forgotten, no new boot could ever prove that the server is not on its way down any more."""
    rig = Rig({"a": []}, policy={"shutdown_timeout": 500.0})

    async def scenario(engine: Engine) -> None:
        await up(engine)
        node = node_of(engine, "a")
        rig["a"].hang_shutdown = True
        await engine.by_hand.switch_control(node, node.controls[0], False)
        assert (node.facts.shutdown_sent, node.facts.poison_boot) == (True, "boot-1")
        rig["a"].refuse_login = True
        with pytest.raises(DeviceRefused):
            await engine.by_hand.switch_control(node, node.controls[0], False)
        assert (node.facts.shutdown_sent, node.facts.poison_boot) == (True, "boot-1")
        rig["a"].os = "wedged"
        rig["a"].unwedge()
        await asyncio.sleep(60)
        assert not node.facts.shutdown_sent

    rig.play(scenario)


@pytest.mark.parametrize("queued_s", [0.0, 5.0])
def test_an_outlet_is_not_switched_on_while_a_command_to_another_of_its_servers_may_switch_it_off(
    queued_s: float,
) -> None:
    """That command was repeated, or sent at all, only while the other one waited; and it was never answered."""
    rig = Rig({"a": [], "b": []}, outlets={"a": 0, "b": 0}, shared={"strip": ["a", "b"]})

    async def scenario(engine: Engine) -> None:
        clock, (outlet,) = asyncio.get_running_loop(), node_of(engine, "a").outlets
        rig["a"].silent, rig["a"].slow_s = True, 3.0
        outlet.device.not_before = clock.time() + queued_s
        off = asyncio.create_task(engine.by_hand.switch_outlet(node_of(engine, "a"), outlet, False))
        await asyncio.sleep(1)
        on = asyncio.create_task(
            engine.by_hand.switch_outlet(node_of(engine, "b"), node_of(engine, "b").outlets[0], True)
        )
        await asyncio.sleep(6)
        off.cancel()  # whoever ordered it waits no longer
        with pytest.raises(asyncio.CancelledError):
            await off
        rig["a"].silent = False
        sent_at = outlet.marks.sent_at
        assert sent_at > clock.time() - float(outlet.params["settle_timeout"])
        await on
        seen = min(sight.t for sight in rig.sights if sight.what == "SET b.strip on")
        assert seen >= sent_at + float(outlet.params["settle_timeout"])

    rig.play(scenario)


def test_a_server_that_is_shut_down_by_hand_is_not_on_any_more_before_its_tests_fail() -> None:
    rig = Rig({"a": []}, policy={"fail_after": 3})
    rig["a"].lingers, rig["a"].shutdown_s = True, 30.0

    async def scenario(engine: Engine) -> None:
        await up(engine)
        node = node_of(engine, "a")
        await engine.by_hand.switch_control(node, node.controls[0], False)
        assert rig.states() == {"a": "Unknown"}
        assert "asked to shut down" in engine.why("a")["reasons"][0]["text"]
        await asyncio.sleep(20)
        assert rig["a"].answering
        assert rig.states() == {"a": "Unknown"}
        run = await engine.order("on", ["a"], who="test")  # as it is on its way down: off, and on again
        await run.finished.wait()
        assert rig["a"].boots == 2

    rig.play(scenario)
    assert rig.states() == {"a": "OK"}


def test_a_shutdown_by_hand_that_nobody_accepted_is_doubted_no_longer_than_one_may_take() -> None:
    rig = Rig({"a": []}, policy={"shutdown_timeout": 60.0})

    async def scenario(engine: Engine) -> None:
        await up(engine)
        node = node_of(engine, "a")
        rig["a"].os = "booting"
        with pytest.raises(DeviceError):
            await engine.by_hand.switch_control(node, node.controls[0], False)
        rig["a"].os = "up"
        await asyncio.sleep(40)
        assert node.facts.shutdown_sent
        await asyncio.sleep(40)
        assert not node.facts.shutdown_sent

    rig.play(scenario)
    assert rig.states() == {"a": "OK"}


@pytest.mark.parametrize("goal", [Desired.OFF, Desired.ON])
def test_a_force_does_not_trust_what_was_read_some_time_ago(goal: Desired) -> None:
    """Somebody pressed the button since: it was forced off, shown so, and went on running."""
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        node = node_of(engine, "a")
        node.tests.clear()
        node.controls.clear()
        if goal is Desired.ON:
            await up(engine)
        await asyncio.sleep(4.9)
        rig.by_hand("a")
        assert rig["a"].powered is (goal is Desired.OFF)
        await engine.force("a", goal)
        await asyncio.sleep(4)  # nobody looks by himself meanwhile
        assert rig["a"].powered is (goal is Desired.ON)

    rig.play(scenario)
