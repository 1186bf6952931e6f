"""What counts as evidence, and for how long."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ockle.engine.engine import Engine
from ockle.engine.runs import RunState
from ockle.engine.settings import Settings
from ockle.networkTree.facts import Desired
from rig import Rig
from rig_calls import again, down, node_of, ordered, up, whats
from rig_machine import RigTest


def test_a_new_boot_ends_a_shutdown_that_may_be_under_way() -> None:
    """It was shut down, and somebody has started it again before its power was cut: nothing is stopping any more."""
    rig = Rig({"a": []}, policy={"shutdown_timeout": 20.0}, settings=Settings(5.0, 5.0, max_stop_attempts=1))

    async def scenario(engine: Engine) -> None:
        await up(engine)
        rig["a"].shutdown_s = 15.0
        order = await engine.order("off", ["a"], who="test")
        await asyncio.sleep(1)
        rig["a"].hang_shutdown = True
        rig["a"].os = "wedged"
        rig["a"].unwedge()  # it boots anew instead of going down
        await order.finished.wait()
        facts = node_of(engine, "a").facts
        await asyncio.sleep(60)
        assert not facts.shutdown_sent
        assert rig.states() == {"a": "Permanently failed to Stop"}
        rig["a"].hang_shutdown = False
        assert await ordered(engine, "on", "a") is RunState.DONE  # it serves: nothing is switched for that
        assert whats(rig, "a").count("SET a.psu1 off") == 0

    rig.play(scenario)
    assert rig.broken() == []


def test_a_shutdown_stays_known_across_a_restart_until_a_new_boot_is_proven(tmp_path: Path) -> None:
    rig = Rig({"a": [], "b": ["a"]}, store=f"sqlite:///{tmp_path}/state.db", policy={"shutdown_timeout": 500.0})

    async def first(engine: Engine) -> None:
        await up(engine, "a")
        rig["a"].hang_shutdown = True  # it accepts, and goes on serving
        await engine.order("off", ["a"], who="test")
        await asyncio.sleep(5)
        assert node_of(engine, "a").facts.poison_boot == "boot-1"

    rig.play(first)
    new = again(rig)
    new["a"].boots = rig["a"].boots
    new["a"].hang_shutdown = True

    async def second(engine: Engine) -> None:
        assert node_of(engine, "a").facts.poison_boot == "boot-1"
        await asyncio.sleep(30)
        order = await engine.order("on", ["b"], who="test")
        await asyncio.sleep(60)
        assert not new["b"].powered  # what it needs answers, and may be stopping all the same
        engine.cancel(order.id, "test")

    new.play(second)
    assert new.broken() == []


def test_what_tests_said_before_the_supply_was_lost_from_sight_proves_nothing_after() -> None:
    rig = Rig({"a": [], "b": ["a"]})

    async def scenario(engine: Engine) -> None:
        await up(engine, "a")
        rig["a"].silent = True
        await asyncio.sleep(60)
        rig["a"].wedge()
        rig["a"].lost_at = float("-inf")  # the judge gives no time: it is known that nothing is known
        await engine.order("on", ["b"], who="test")
        await asyncio.sleep(30)
        rig["a"].silent = False
        await asyncio.sleep(60)
        assert not rig["b"].powered

    rig.play(scenario)
    assert rig.broken() == []


def test_tests_that_do_not_end_any_more_prove_nothing() -> None:
    rig = Rig({"a": [], "b": ["a"]})

    async def scenario(engine: Engine) -> None:
        await up(engine, "a")
        hanging = asyncio.Event()

        async def hang(self: RigTest) -> bool:
            await hanging.wait()
            return True

        [test] = node_of(engine, "a").tests
        test.run_test = hang.__get__(test)  # type: ignore[method-assign]
        await asyncio.sleep(200)
        order = await engine.order("on", ["b"], who="test")
        await asyncio.sleep(60)
        assert not rig["b"].powered
        assert "a" in engine.why("b")["reasons"][0]["text"]
        engine.cancel(order.id, "test")

    rig.play(scenario)


def test_a_command_without_an_answer_is_in_doubt_until_it_can_no_longer_arrive() -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        await up(engine, "a")
        await down(engine, "a")
        [outlet] = node_of(engine, "a").outlets
        now = asyncio.get_running_loop().time()
        outlet.marks.begin(True, now)  # a SET that was not answered
        await engine.observer.read_server(node_of(engine, "a"))
        assert node_of(engine, "a").facts.supply == "unknown"  # it reads off, and may yet go on
        assert await ordered(engine, "off", "a") is RunState.DONE
        assert asyncio.get_running_loop().time() - now >= float(outlet.params["settle_timeout"])

    rig.play(scenario)
    assert rig.broken() == []


def test_min_off_time_holds_across_a_restart(tmp_path: Path) -> None:
    rig = Rig({"a": []}, store=f"sqlite:///{tmp_path}/state.db")
    rig.min_off_s = 50.0

    async def first(engine: Engine) -> None:
        await up(engine)
        await down(engine)

    rig.play(first)
    new = again(rig)
    new.min_off_s = 50.0

    async def second(engine: Engine) -> float:
        await engine.set_auto(True)
        began = asyncio.get_running_loop().time()
        await up(engine)
        return asyncio.get_running_loop().time() - began

    assert new.play(second) >= 10.0  # its boot


def test_a_force_that_a_crash_interrupted_goes_on_and_one_for_a_while_ends(tmp_path: Path) -> None:
    rig = Rig({"a": []}, store=f"sqlite:///{tmp_path}/state.db")

    async def first(engine: Engine) -> None:
        await up(engine)
        rig["a"].shutdown_s = 60.0
        await engine.force("a", Desired.OFF, "smoke", who="anna", seconds=500)
        await asyncio.sleep(1)

    rig.play(first)
    new = again(rig)
    new["a"].os = "halted"

    async def second(engine: Engine) -> None:
        facts = node_of(engine, "a").facts
        assert (facts.forced, facts.forced_by, facts.forced_open) == (Desired.OFF, "anna", True)
        await asyncio.sleep(100)
        assert not new["a"].powered
        assert not facts.forced_open
        await asyncio.sleep(600)
        assert facts.forced is None
        assert new.states() == {"a": "OFF"}

    new.play(second)
    assert new.broken() == []


def test_a_machine_that_a_restarted_pdu_has_started_again_is_shut_down_again_before_the_cut() -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        await up(engine)
        [outlet] = node_of(engine, "a").outlets
        outlet.params["max_per_minute"] = 1  # between the proof that it is down and the cut there is time
        order = await engine.order("off", ["a"], who="test")
        await asyncio.sleep(20)
        assert rig["a"].os == "halted"
        rig["a"].relay(outlet.name, False)
        rig["a"].relay(outlet.name, True)
        outlet.device.restarted(0.0)
        await order.finished.wait()
        assert order.state is RunState.DONE

    rig.play(scenario)
    assert rig.broken() == []
    assert whats(rig, "a").count("shutdown asked") == 2


def test_who_comes_back_while_its_outlet_may_not_be_switched_yet_is_not_cut() -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> RunState:
        await up(engine)
        for outlet in node_of(engine, "a").outlets:
            outlet.params["max_per_minute"] = 1
        order = await engine.order("off", ["a"], who="test")
        while rig["a"].os != "halted":
            await asyncio.sleep(0.5)
        await asyncio.sleep(10)
        assert rig["a"].powered  # the cut has to wait for the rest of the minute
        rig["a"].wake()
        await order.finished.wait()
        return order.state

    assert rig.play(scenario) is RunState.DONE
    assert rig.order("shutdown asked") == ["a", "a"]
    assert rig.broken() == []


def test_a_shutdown_that_nobody_accepted_is_doubted_no_longer_than_one_may_take() -> None:
    """It was asked while it booted and did not answer; before it could be asked again somebody switched on its user."""
    rig = Rig({"a": [], "b": ["a"]}, policy={"shutdown_timeout": 60.0})

    async def scenario(engine: Engine) -> None:
        await engine.order("on", ["a"], who="test")
        await asyncio.sleep(0)
        rig.by_hand("b")
        await asyncio.sleep(0)
        restart = await engine.order("restart", ["a"], who="test")
        await asyncio.sleep(20)
        facts = node_of(engine, "a").facts
        assert (facts.shutdown_sent, facts.poison_boot) == (True, "")
        assert "still needed by b" in engine.why("a")["reasons"][0]["text"]
        engine.cancel(restart.id, "test")
        await asyncio.sleep(80)
        assert not facts.shutdown_sent
        assert await up(engine) is RunState.DONE

    rig.play(scenario)
    assert rig.broken() == []


def test_what_a_failing_server_waits_for_is_told_also_after_the_next_round_of_tests() -> None:
    rig = Rig({"a": [], "b": ["a"]}, policy={"shutdown_timeout": 500.0}, settings=Settings(5.0, 5.0))

    async def scenario(engine: Engine) -> None:
        await up(engine)
        rig["a"].shut_down()  # by somebody else
        await asyncio.sleep(60)
        assert rig.states()["a"] == "Failed to start"
        rig["b"].hang_shutdown = True
        await engine.order("off", ["a"], who="test")
        for _ in range(10):
            await asyncio.sleep(3)
            assert node_of(engine, "a").why.startswith("still needed by b")

    rig.play(scenario)


def test_who_was_off_and_cannot_be_read_any_more_is_not_down_for_what_it_needs() -> None:
    """I2c: its device falls silent, and somebody switches it on: what was read before is not believed for that long."""
    rig = Rig({"a": [], "b": ["a"]})

    async def scenario(engine: Engine) -> None:
        await up(engine, "a")
        rig["b"].silent = True
        rig.by_hand("b")
        await asyncio.sleep(rig.settings.poll_interval + 1)
        await engine.order("off", ["a"], who="test")
        await asyncio.sleep(1)
        assert rig.states()["b"] == "OFF"  # for a while: one read that failed is no reason to say otherwise
        waits = engine.why("a")["reasons"][0]["text"]
        assert "still needed by b (supply b.psu1 cannot be read" in waits, waits
        await asyncio.sleep(60)
        assert rig.states() == {"a": "OK", "b": "Unknown"}

    rig.play(scenario)
    assert rig.broken() == []
