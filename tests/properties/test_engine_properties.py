"""Laws of the engine on random networks, random faults and random orders: judged from the machines' side."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from ockle.engine.engine import Engine
from ockle.engine.runs import StepState
from properties.happenings import EVENTS, POLICIES, Event, Needs, all_happen, mended_all_reach, networks
from rig import Rig


@settings(max_examples=150, deadline=None)
@given(networks(), EVENTS, POLICIES)
def test_no_order_and_no_fault_breaks_an_invariant(needs: Needs, events: list[Event], policy: dict[str, str]) -> None:
    """I1, I2, I2c: never on before what it needs, never a shutdown or a cut under what needs it, never with a disk."""
    rig = Rig(needs, policy={**policy, "stable_for": 5.0})

    async def scenario(engine: Engine) -> None:
        await all_happen(rig, engine, events)
        await asyncio.sleep(200)

    rig.play(scenario)
    assert rig.broken() == []


@settings(max_examples=60, deadline=None)
@given(networks(), EVENTS)
def test_once_all_is_mended_an_order_reaches_its_goal(needs: Needs, events: list[Event]) -> None:
    """I5: whatever happened before, on a healthy network "on" ends with all on and "off" with all off."""
    rig = Rig(needs, policy={"retry_cycle": "always"})

    async def scenario(engine: Engine) -> None:
        await all_happen(rig, engine, events)
        await mended_all_reach(rig, engine, "on", "off")

    rig.play(scenario)
    assert rig.broken() == []


@settings(max_examples=80, deadline=None)
@given(networks(), st.data())
def test_the_steps_of_a_plan_are_the_steps_that_happen(needs: Needs, data: st.DataObject) -> None:
    rig = Rig(needs)
    names = list(needs)
    before = data.draw(st.lists(st.sampled_from(names), unique=True), label="on before")
    action = data.draw(st.sampled_from(["on", "off", "restart", "cut"]), label="action")
    targets = data.draw(st.lists(st.sampled_from(names), unique=True, min_size=1), label="targets")

    async def scenario(engine: Engine) -> None:
        if before:
            first = await engine.order("on", before, who="property")
            await first.finished.wait()
        for machine in rig.machines.values():
            machine.expendable = action == "cut"
        plan = engine.plan(action, targets)
        seen = len(rig.sights)
        run = await engine.order(action, targets, who="property", rev=plan.rev)
        await run.finished.wait()
        done = {(step.server, step.action) for step in run.steps() if step.state is StepState.DONE}
        assert done == {(step.server, step.action) for step in plan.steps}
        touched = {(sight.machine, sight.what.rpartition(" ")[2]) for sight in rig.sights[seen:] if "SET" in sight.what}
        assert touched <= {(step.server, "off" if step.action == "cut" else step.action) for step in plan.steps}

    rig.play(scenario)
    assert rig.broken() == []
