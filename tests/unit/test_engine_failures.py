"""What machines and relays do wrong, and what the engine makes of it."""

from __future__ import annotations

import asyncio

import pytest

from ockle.engine.engine import Engine
from ockle.engine.runs import RunState, StepState
from rig import Rig
from rig_calls import down, ordered, up
from rig_machine import RigOutlet


def test_a_failed_first_boot_is_tried_again_by_a_power_cycle_where_the_policy_allows_it() -> None:
    rig = Rig({"a": [], "b": ["a"]}, policy={"retry_cycle": "always"})

    async def scenario(engine: Engine) -> None:
        rig["a"].fail_boots = 1
        assert await up(engine) is RunState.DONE
        assert engine.network.getServernode("a").facts.start_attempts == 1
        await asyncio.sleep(60)
        assert engine.network.getServernode("a").facts.start_attempts == 0  # stable for long enough

    rig.play(scenario)
    assert set(rig.states().values()) == {"OK"}


def test_without_that_policy_a_machine_that_may_be_up_is_never_cycled() -> None:
    rig = Rig({"a": [], "b": ["a"]}, policy={"retry_cycle": "if-down"})

    async def scenario(engine: Engine) -> RunState:
        rig["a"].fail_boots = 1
        run = await engine.order("on", ["b"], who="test")
        await run.finished.wait()
        assert {step.server: step.state for step in run.steps()} == {"a": StepState.FAILED, "b": StepState.SKIPPED}
        return run.state

    assert rig.play(scenario) is RunState.FAILED
    assert rig.states() == {"a": "Permanently failed to start", "b": "OFF"}
    assert not any("off" in sight.what for sight in rig.sights)
    assert rig.engine.network.getServernode("a").facts.start_attempts == 3


def test_a_shutdown_that_hangs_fails_and_power_stays_on() -> None:
    rig = Rig({"a": [], "b": ["a"]})

    async def scenario(engine: Engine) -> RunState:
        await up(engine)
        rig["b"].hang_shutdown = True
        return await down(engine, "a")

    assert rig.play(scenario) is RunState.FAILED
    assert rig.states() == {"a": "OK", "b": "Permanently failed to Stop"}
    assert rig.broken() == []
    assert rig["b"].powered


def test_the_policy_cut_ends_a_hanging_shutdown_after_its_time() -> None:
    rig = Rig({"a": []}, policy={"shutdown_policy": "cut", "shutdown_timeout": 30.0})

    async def scenario(engine: Engine) -> RunState:
        await up(engine)
        rig["a"].hang_shutdown = True
        return await down(engine, "a")

    assert rig.play(scenario) is RunState.DONE
    asked = next(sight.t for sight in rig.sights if sight.what == "shutdown asked")
    cut = next(sight.t for sight in rig.sights if sight.what == "cut while mounted")
    assert cut - asked >= 30.0


def test_refused_credentials_are_not_tried_again() -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> RunState:
        await up(engine)
        rig["a"].refuse_login = True
        return await down(engine, "a")

    assert rig.play(scenario) is RunState.FAILED
    assert rig.states() == {"a": "Permanently failed to Stop"}
    assert rig["a"].powered


def test_giving_up_does_not_end_by_itself_under_autocontrol() -> None:
    """S17: a server that could not be stopped and still serves is left to a person, however often it is looked at."""
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        await up(engine)
        rig["a"].refuse_login = True
        await engine.set_auto(True)
        assert await down(engine, "a") is RunState.FAILED
        asked = len(rig.sights)
        await asyncio.sleep(600)
        assert rig.states() == {"a": "Permanently failed to Stop"}
        assert len(rig.sights) == asked
        rig["a"].refuse_login = False
        assert await down(engine, "a") is RunState.DONE

    rig.play(scenario)
    assert rig.broken() == []


def test_a_stuck_relay_is_a_failed_start_and_never_ok() -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> RunState:
        rig["a"].stuck = True
        return await up(engine)

    assert rig.play(scenario) is RunState.FAILED
    assert rig.states() == {"a": "Permanently failed to start"}


def test_a_dependency_that_fails_later_is_reported_and_touches_nobody() -> None:
    rig = Rig({"a": [], "b": ["a"]})

    async def scenario(engine: Engine) -> None:
        await up(engine)
        await engine.set_auto(True)
        rig["a"].os = "wedged"
        await asyncio.sleep(120)

    rig.play(scenario)
    assert rig.states() == {"a": "Failed to start", "b": "OK"}
    assert rig.order("cut while mounted") == []


def test_a_driver_with_a_bug_fails_its_server_and_nobody_else() -> None:
    rig = Rig({"a": [], "b": []})

    async def scenario(engine: Engine) -> RunState:
        def broken() -> bool:
            raise KeyError("no such field")

        engine.network.getServernode("a").tests[0]._test = broken  # type: ignore[method-assign]
        return await up(engine)

    assert rig.play(scenario) is RunState.FAILED
    assert rig.states() == {"a": "Permanently failed to start", "b": "OK"}
    assert "KeyError" in rig.engine.network.getServernode("a").facts.error


def test_a_bug_in_a_driver_does_not_end_the_watch_of_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        await ordered(engine, "on", "a")

        async def none(outlets: object) -> list[bool]:
            return []

        with monkeypatch.context() as patch:
            patch.setattr(RigOutlet, "read_many", none)
            await asyncio.sleep(60)
            assert rig.states() == {"a": "Unknown"}
        await asyncio.sleep(20)

    rig.play(scenario)
    assert rig.states() == {"a": "OK"}


def test_a_shutdown_that_a_booting_server_did_not_hear_is_sent_again() -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> float:
        await engine.order("on", ["a"], who="test")
        await asyncio.sleep(3)  # it boots for ten seconds, and its control does not answer yet
        began = asyncio.get_running_loop().time()
        assert await down(engine, "a") is RunState.DONE
        return asyncio.get_running_loop().time() - began

    assert rig.play(scenario) < 30.0
    assert rig.broken() == []
    assert len(rig.order("shutdown asked")) == 1
