"""Laws of the engine on random networks, random faults and random orders: judged from the machines' side."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from ockle.engine.engine import Engine
from ockle.engine.runs import StepState
from rig import Rig

Needs = dict[str, list[str]]


@st.composite
def networks(draw: st.DrawFn, most: int = 8) -> Needs:
    """A random DAG: every server needs some of those before it."""
    count = draw(st.integers(1, most))
    names = [f"s{number}" for number in range(count)]
    return {
        name: draw(st.lists(st.sampled_from(names[:number]), max_size=3, unique=True)) if number else []
        for number, name in enumerate(names)
    }


ORDERS = st.sampled_from(["on", "off", "restart", "cancel", "auto on", "auto off", "reset"])
FAULTS = st.sampled_from(
    ["fail boot", "hang shutdown", "refuse login", "stuck", "silent", "slow", "wedge", "press", "mend"]
)
EVENTS = st.lists(
    st.tuples(st.one_of(ORDERS, FAULTS), st.integers(0, 7), st.sampled_from([0.0, 0.3, 2.0, 11.0, 40.0])), max_size=12
)
POLICIES = st.fixed_dictionaries(
    {
        "retry_cycle": st.sampled_from(["if-down", "always", "never"]),
        "shutdown_policy": st.just("fail"),
        "drift": st.sampled_from(["alarm", "enforce", "adopt"]),
        "on_failure": st.sampled_from(["alarm", "recover"]),
    }
)


async def happen(rig: Rig, engine: Engine, what: str, name: str) -> None:
    """Let one thing happen to the network: an order of an operator, or something of the world."""
    machine = rig[name]
    orders: dict[str, Callable[[], object]] = {
        "fail boot": lambda: setattr(machine, "fail_boots", 1),
        "hang shutdown": lambda: setattr(machine, "hang_shutdown", True),
        "refuse login": lambda: setattr(machine, "refuse_login", True),
        "stuck": lambda: setattr(machine, "stuck", True),
        "silent": lambda: setattr(machine, "silent", True),
        "slow": lambda: setattr(machine, "slow_s", 3.0),
        "wedge": machine.wedge,
        "mend": lambda: mend(rig),
    }
    if what in ("on", "off", "restart"):
        await engine.order(what, [name], who="property")
    elif what == "cancel":
        for run in engine.runs.running():
            engine.cancel(run.id, "property")
    elif what.startswith("auto"):
        await engine.set_auto(what.endswith("on"))
    elif what == "reset":
        await engine.reset(name)
    elif what == "press":
        rig.by_hand(name)
    else:
        orders[what]()


def mend(rig: Rig) -> None:
    for machine in rig.machines.values():
        machine.fail_boots = 0
        machine.slow_s = 0.0
        machine.hang_shutdown = machine.refuse_login = machine.stuck = machine.silent = False


@settings(max_examples=150, deadline=None)
@given(networks(), EVENTS, POLICIES)
def test_no_order_and_no_fault_breaks_an_invariant(
    needs: Needs, events: list[tuple[str, int, float]], policy: dict[str, str]
) -> None:
    """I1, I2, I2c: never on before what it needs, never a shutdown or a cut under what needs it, never with a disk."""
    rig = Rig(needs, policy={**policy, "stable_for": 5.0})
    names = list(needs)

    async def scenario(engine: Engine) -> None:
        for what, number, pause in events:
            await happen(rig, engine, what, names[number % len(names)])
            await asyncio.sleep(pause)
        await asyncio.sleep(200)

    rig.play(scenario)
    assert rig.broken() == []


@settings(max_examples=60, deadline=None)
@given(networks(), EVENTS)
def test_once_all_is_mended_an_order_reaches_its_goal(needs: Needs, events: list[tuple[str, int, float]]) -> None:
    """I5: whatever happened before, on a healthy network "on" ends with all on and "off" with all off."""
    rig = Rig(needs, policy={"retry_cycle": "always"})
    names = list(needs)

    async def scenario(engine: Engine) -> None:
        for what, number, pause in events:
            await happen(rig, engine, what, names[number % len(names)])
            await asyncio.sleep(pause)
        mend(rig)
        for machine in rig.machines.values():
            machine.unwedge()
        for action, state in (("on", "OK"), ("off", "OFF")):
            await asyncio.sleep(120)
            run = await engine.order(action, names, who="property")
            await asyncio.wait_for(run.finished.wait(), 5000)
            assert set(rig.states().values()) == {state}, (action, rig.states(), [s.as_dict() for s in run.steps()])

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
