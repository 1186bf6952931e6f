"""What the engine takes for true: evidence that is fresh, and newer than the newest switching."""

from __future__ import annotations

import asyncio

import pytest
from typing_extensions import override

from ockle.common.errors import DeviceUnreachable, OckleError
from ockle.engine.engine import Engine
from ockle.engine.runs import RunState
from ockle.networkTree.facts import Desired
from rig import Rig, RigOutlet
from rig_calls import SlowToAnswer, node_of, ordered, up, whats


@pytest.mark.parametrize("on", [True, False])
def test_a_read_that_was_begun_before_a_switching_says_nothing_after_it(
    on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig({"a": []})
    monkeypatch.setattr("rig.RigOutlet", SlowToAnswer)

    async def scenario(engine: Engine) -> None:
        node = node_of(engine, "a")
        if not on:
            assert await ordered(engine, "on", "a") is RunState.DONE
        monkeypatch.setattr(SlowToAnswer, "delay_s", 13.0)
        old = asyncio.create_task(engine.observer.read_server(node))
        await asyncio.sleep(0)
        assert await ordered(engine, "on" if on else "off", "a") is RunState.DONE
        await old
        assert node.outlets[0].state is on
        assert rig.states() == {"a": "OK" if on else "OFF"}

    rig.play(scenario)


class Mute(RigOutlet):
    """Switches, and tells nobody; whoever commands it twice finds that its order is gone."""

    @override
    async def _setOutletState(self, state: bool) -> None:
        await super()._setOutletState(state)
        raise DeviceUnreachable("no answer")

    @override
    async def _getOutletState(self) -> bool:
        raise DeviceUnreachable("no answer")


def test_an_outlet_that_was_commanded_without_proof_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order is gone when the command would be repeated: the relay may have moved all the same."""
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        outlet = node_of(engine, "a").outlets[0]
        assert outlet.state is False
        outlet.__class__ = Mute
        asks = 0

        def guard() -> None:
            nonlocal asks
            asks += 1
            if asks > 1:
                raise OckleError("taken back")

        with pytest.raises(OckleError, match="taken back"):
            await outlet.set_state(True, before_send=guard)
        assert rig["a"].powered
        assert outlet.state is None

    rig.play(scenario)


@pytest.mark.parametrize("on", [True, False])
def test_what_was_seen_long_ago_is_no_evidence_for_a_guard(on: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a device takes its time to answer, nothing told that what it had shown before was out of date."""
    rig = Rig({"a": [], "b": ["a"]})
    monkeypatch.setattr("rig.RigOutlet", SlowToAnswer)

    async def scenario(engine: Engine) -> None:
        await ordered(engine, "on", "a")
        monkeypatch.setattr(SlowToAnswer, "delay_s", 1000.0)
        if on:
            for test in node_of(engine, "a").tests:
                test._test = forever  # type: ignore[method-assign]
                test.settings["timeout"] = 1000.0
        await asyncio.sleep(60)
        order = await engine.order("on" if on else "off", ["b" if on else "a"], who="test")
        await asyncio.sleep(30)
        assert order.state is RunState.RUNNING

    async def forever() -> bool:
        await asyncio.sleep(1000)
        return True

    rig.play(scenario)
    assert whats(rig, "b") == []
    assert "shutdown asked" not in whats(rig, "a")


def test_an_unreadable_outlet_is_unknown_and_neither_starts_nor_stops() -> None:
    rig = Rig({"a": [], "b": ["a"]})

    async def scenario(engine: Engine) -> None:
        await up(engine)
        rig["b"].silent = True
        await asyncio.sleep(60)
        assert rig.states()["b"] == "Unknown"
        run = await engine.order("off", ["a"], who="test")
        await asyncio.sleep(60)
        assert run.state is RunState.RUNNING
        assert rig.states() == {"a": "OK", "b": "Unknown"}
        assert "no answer" in engine.why("b")["reasons"][0]["text"]
        assert engine.why("a")["chain"][0]["server"] == "b"
        rig["b"].silent = False
        await run.finished.wait()

    rig.play(scenario)
    assert set(rig.states().values()) == {"OFF"}
    assert rig.broken() == []


@pytest.mark.parametrize(
    ("drift", "state", "drifted"), [("alarm", "OFF", True), ("enforce", "OK", False), ("adopt", "OFF", False)]
)
def test_drift_is_answered_as_the_policy_says(drift: str, state: str, drifted: bool) -> None:
    rig = Rig({"a": []}, policy={"drift": drift})

    async def scenario(engine: Engine) -> None:
        await up(engine)
        await engine.set_auto(True)
        rig["a"].relay("a.psu1", False)  # somebody presses the button of the PDU
        await asyncio.sleep(60)
        assert engine.network.getServernode("a").facts.drifted is drifted

    rig.play(scenario)
    assert rig.states() == {"a": state}


def test_a_new_configuration_takes_over_no_evidence_of_another_device() -> None:
    rig = Rig({"a": [], "b": []})

    async def scenario(engine: Engine) -> None:
        await ordered(engine, "on", "a", "b")
        network = rig.network()
        same = network.getServernode("b")
        for part, old in zip(same.parts(), node_of(engine, "b").parts(), strict=True):
            part.device = old.device
        rig["a"].silent = True  # the new address of its PDU
        await engine.adopt(network, engine.settings)
        assert node_of(engine, "b") is same
        assert rig.states() == {"a": "Unknown", "b": "OK"}
        await asyncio.sleep(20)
        assert rig.states() == {"a": "Unknown", "b": "OK"}

    rig.play(scenario)


def test_a_machine_that_somebody_switched_on_is_no_longer_shown_as_off() -> None:
    """I8, found by the model: it stayed "OFF", with its power on, until its tests had an answer."""
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        assert rig.states() == {"a": "OFF"}
        node = node_of(engine, "a")
        engine.core.set_desired(node, Desired.OFF)

        async def hangs() -> bool:
            await asyncio.sleep(1000)
            return True

        node.tests[0]._test = hangs  # type: ignore[method-assign]
        node.tests[0].settings["timeout"] = 1000.0
        rig.by_hand("a")
        await asyncio.sleep(10)
        assert rig.states() == {"a": "Unknown"}
        assert node.facts.drifted

    rig.play(scenario)
