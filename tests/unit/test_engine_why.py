"""``why``: whatever keeps a server from being as ordered is named, with its rule and what would free it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from ockle.engine.engine import Engine
from ockle.engine.settings import Settings
from ockle.networkTree.facts import Desired
from rig import Rig
from rig_calls import node_of, up

Situation = Callable[[Rig, Engine], Coroutine[Any, Any, None]]


async def dependencies(rig: Rig, engine: Engine) -> None:
    rig["a"].boot_s = 50.0
    await engine.order("on", ["b"], who="test")
    await asyncio.sleep(15)


async def dependents(rig: Rig, engine: Engine) -> None:
    await up(engine)
    rig["c"].hang_shutdown = True
    await engine.order("off", ["b"], who="test")
    await asyncio.sleep(15)


async def force(rig: Rig, engine: Engine) -> None:
    await engine.force("b", Desired.OFF, "by anna")
    await asyncio.sleep(30)


async def hold(rig: Rig, engine: Engine) -> None:
    await engine.hold("b", True, "for the vacation")


async def attempts(rig: Rig, engine: Engine) -> None:
    await up(engine, "a")
    rig["b"].fail_boots = 9
    await up(engine, "b")


async def back_off(rig: Rig, engine: Engine) -> None:
    await up(engine, "a")
    rig["b"].fail_boots = 1
    await engine.order("on", ["b"], who="test")
    node = node_of(engine, "b")
    while node.facts.retry_at <= asyncio.get_running_loop().time():
        await asyncio.sleep(0.1)


async def supply(rig: Rig, engine: Engine) -> None:
    await up(engine, "a")
    rig["b"].silent = True
    await asyncio.sleep(60)
    await engine.order("on", ["b"], who="test")
    await asyncio.sleep(1)


async def drift(rig: Rig, engine: Engine) -> None:
    await up(engine, "b")
    await engine.set_auto(True)
    rig.by_hand("b")
    await asyncio.sleep(30)


async def on_failure(rig: Rig, engine: Engine) -> None:
    await up(engine, "b")
    await engine.set_auto(True)
    rig["b"].wedge()
    await asyncio.sleep(60)


async def budget(rig: Rig, engine: Engine) -> None:
    await up(engine, "a")
    rig["c2"].boot_s = 50.0
    await engine.order("on", ["c2"], who="test")
    await asyncio.sleep(0.1)
    await engine.order("on", ["b"], who="test")
    await asyncio.sleep(1)


async def emergency(rig: Rig, engine: Engine) -> None:
    await up(engine, "b")
    rig["b"].silent = True
    await asyncio.sleep(60)
    await engine.emergency(["b"], 3000, who="ups")
    await asyncio.sleep(1)


async def auto_control(rig: Rig, engine: Engine) -> None:
    await up(engine, "b")
    rig.by_hand("b")
    await asyncio.sleep(30)


async def journal(rig: Rig, engine: Engine) -> None:
    engine._store_watch.fault = "cannot write the store: database or disk is full"


CASES: list[tuple[Situation, str]] = [
    (dependencies, "dependencies"),
    (dependents, "dependents"),
    (force, "force"),
    (hold, "hold"),
    (attempts, "attempts"),
    (back_off, "back-off"),
    (supply, "supply"),
    (drift, "drift"),
    (on_failure, "on_failure"),
    (budget, "budget"),
    (emergency, "emergency"),
    (auto_control, "AutoControl"),
    (journal, "journal"),
]


@pytest.mark.parametrize(("situation", "guard"), CASES, ids=[guard for _, guard in CASES])
def test_the_rule_that_holds_a_server_is_named(situation: Situation, guard: str) -> None:
    rig = Rig({"a": [], "b": ["a"], "c": ["b"], "c2": []}, settings=Settings(5.0, 5.0, start_limit=1))

    async def scenario(engine: Engine) -> None:
        await situation(rig, engine)
        reasons = engine.why("b")["reasons"]
        assert guard in [one["guard"] for one in reasons], reasons
        [named, *_] = [one for one in reasons if one["guard"] == guard]
        assert named["text"]
        assert named["frees"]
        if named["since"] is not None:
            assert 0 <= named["since"] <= asyncio.get_running_loop().time()

    rig.play(scenario)


def test_a_force_for_a_while_says_when_it_ends() -> None:
    rig = Rig({"b": []})

    async def scenario(engine: Engine) -> None:
        await engine.force("b", Desired.OFF, "new disk", seconds=100)
        await asyncio.sleep(30)
        [found] = [one for one in engine.why("b")["reasons"] if one["guard"] == "force"]
        assert found["text"] == "forced off: new disk"
        assert found["frees"] == "the force is cleared, or in 70 s by itself: ockle force clear"

    rig.play(scenario)


def test_safe_mode_does_not_hide_what_is_wrong_with_a_server() -> None:
    rig = Rig({"a": [], "b": []})

    async def scenario(engine: Engine) -> None:
        await up(engine)
        rig["a"].wedge()
        await asyncio.sleep(62)
        engine.core.safe_mode = "the store is damaged"
        engine.converge()
        await asyncio.sleep(0.1)
        assert "test a.test failed" in node_of(engine, "a").why
        assert "safe mode" in node_of(engine, "b").why
        assert any("safe mode" in reason["text"] for reason in engine.why("a")["reasons"])

    rig.play(scenario)
