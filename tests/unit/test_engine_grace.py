"""Orders that begin after a grace, and orders that leave servers out: nothing is done that was not looked at."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ockle.common.errors import CommandError
from ockle.engine.engine import Engine
from ockle.engine.runs import Run, RunState, StepState
from ockle.networkTree.facts import Desired
from rig import Rig
from rig_calls import CHAIN, node_of, up


async def ordered(engine: Engine, action: str, *names: str, grace: float = 5.0) -> Run:
    return await engine.order(action, names, who="test", grace=grace)


def test_nothing_is_sent_within_the_grace_and_all_of_it_afterwards() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await asyncio.sleep(1)
        run = await ordered(engine, "on", *CHAIN)
        assert run.summary(0.0)["begun"] is False
        assert engine.runs.running() == [run]
        await asyncio.sleep(4.9)
        assert not [sight for sight in rig.sights if "SET" in sight.what]
        assert {node.facts.desired for node in engine.network} == {None}
        await run.finished.wait()
        assert run.state is RunState.DONE

    rig.play(scenario)
    assert rig.broken() == []
    assert set(rig.states().values()) == {"OK"}


def test_a_run_that_is_cancelled_within_its_grace_leaves_no_trace_at_the_servers() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        seen = len(rig.sights)
        before = {node.name: (node.facts.desired, node.facts.desired_gen) for node in engine.network}
        run = await ordered(engine, "off", *CHAIN)
        await asyncio.sleep(2)
        engine.cancel(run.id, "test")
        assert run.state is RunState.CANCELLED
        assert {step.state for step in run.steps()} == {StepState.CANCELLED}
        await asyncio.sleep(60)
        assert rig.sights[seen:] == []
        assert {node.name: (node.facts.desired, node.facts.desired_gen) for node in engine.network} == before

    rig.play(scenario)


def test_a_run_whose_plan_changed_within_its_grace_does_not_begin() -> None:
    """Another order is carried out meanwhile: the older one must not undo what came after it."""
    rig = Rig({"a": [], "b": ["a"]})

    async def scenario(engine: Engine) -> None:
        await asyncio.sleep(1)
        first = await ordered(engine, "off", "a", grace=30.0)  # everything is off: nothing to do
        await up(engine, "a", "b")
        await first.finished.wait()
        assert first.state is RunState.CANCELLED
        assert "the plan changed before it began" in first.note
        second = await ordered(engine, "off", "b", grace=30.0)
        await engine.force("b", Desired.ON, "test")
        await second.finished.wait()
        assert second.state is RunState.CANCELLED

    rig.play(scenario)
    assert rig.states() == {"a": "OK", "b": "Forced on"}


def test_the_newest_order_counts_even_if_an_older_one_begins_later() -> None:
    rig = Rig({"a": []})
    rig["a"].boot_s = 30.0

    async def scenario(engine: Engine) -> None:
        older = await ordered(engine, "on", "a", grace=5.0)
        newer = await engine.order("on", ["a"], who="test")
        await older.finished.wait()
        assert [step.state for step in older.steps()] == [StepState.SUPERSEDED]
        await newer.finished.wait()
        assert newer.state is RunState.DONE

    rig.play(scenario)
    assert rig.broken() == []


def test_a_run_within_its_grace_does_not_begin_after_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/state.db"

    async def crash(engine: Engine) -> None:
        await ordered(engine, "on", "a")
        await asyncio.sleep(1)

    Rig({"a": []}, store=url).play(crash)
    rig = Rig({"a": []}, store=url)

    async def look(engine: Engine) -> None:
        await asyncio.sleep(30)
        [run] = engine.runs.newest(5)
        assert run["state"] == RunState.CANCELLED
        assert "the daemon ended before it began" in run["note"]

    rig.play(look)
    assert [sight for sight in rig.sights if "SET" in sight.what] == []


def test_safe_mode_within_the_grace_keeps_it_from_beginning() -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        run = await ordered(engine, "on", "a")
        engine.core.safe_mode = "test"
        await run.finished.wait()
        assert run.state is RunState.CANCELLED

    rig.play(scenario)
    assert [sight for sight in rig.sights if "SET" in sight.what] == []


# -- servers left out


def test_what_is_excluded_stays_on_and_so_does_what_it_needs() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        plan = engine.plan("off", list(CHAIN), ["hv"])
        assert plan.untouched["hv"] == "excluded"
        assert plan.untouched["nas"] == "needed by hv (excluded)"
        assert {step.server for step in plan.steps} == {"web", "lone"}
        run = await engine.order("off", list(CHAIN), who="test", exclude=["hv"], rev=plan.rev)
        await run.finished.wait()

    rig.play(scenario)
    assert rig.states() == {"switch": "OK", "nas": "OK", "hv": "OK", "web": "OFF", "lone": "OFF"}
    assert rig.broken() == []


def test_what_needs_an_excluded_server_does_not_start() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await asyncio.sleep(1)
        plan = engine.plan("on", list(CHAIN), ["nas"])
        assert plan.untouched["nas"] == "excluded"
        assert plan.untouched["web"].startswith("needs ")
        assert {step.server for step in plan.steps} == {"switch", "lone"}
        with pytest.raises(CommandError, match="no server nobody"):
            engine.plan("on", list(CHAIN), ["nobody"])

    rig.play(scenario)


# -- how long


def test_a_plan_says_whether_its_times_are_learned() -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        await asyncio.sleep(1)
        [guessed] = engine.plan("on", ["a"]).steps
        assert not guessed.learned
        for seconds in (20.0, 10.0, 30.0):
            engine.durations.learn("a", "on", seconds)
        [step] = engine.plan("on", ["a"]).steps
        assert (step.learned, step.eta_s, step.p95_s) == (True, 20.0, 29.0)
        assert engine.durations.known("a") == {"on": [20.0, 10.0, 30.0], "off": []}

    rig.play(scenario)


def test_the_log_of_a_run_has_what_was_sent_for_it_and_nothing_else() -> None:
    rig = Rig({"a": [], "b": ["a"]})

    async def scenario(engine: Engine) -> None:
        await up(engine)
        run = await engine.order("off", ["b"], who="test")
        await run.finished.wait()
        sent = engine.core.journal.sent_for(run.id, engine.store.pending("intents"))
        assert [(one["server"], one["object"], one["verb"]) for one in sent] == [
            ("b", "b.ssh", "shutdown"),
            ("b", "b.psu1", "off"),
        ]
        assert {one["outcome"] for one in sent} == {"accepted", "verified"}
        assert node_of(engine, "b").facts.desired is Desired.OFF

    rig.play(scenario)
