"""Laws of the engine when its daemon is killed at any moment and started again on the same machines and store (I4)."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ockle.common.errors import CommandError
from ockle.engine.emergency import CONFIRM
from ockle.engine.engine import Engine
from ockle.networkTree.facts import Desired
from ockle.simulator.virtual_time import run
from properties.happenings import FAULTS, ORDERS, POLICIES, Event, Needs, happen, mended_all_reach, networks
from rig import Rig

OPERATOR = st.sampled_from(
    ["hold", "release", "kill", "force on", "force off", "force a while", "force clear", "emergency", "clear"]
)
EVENTS = st.lists(
    st.tuples(
        st.one_of(ORDERS, FAULTS, OPERATOR, st.just("kill")),
        st.integers(0, 7),
        st.sampled_from([0.0, 0.01, 0.3, 2.0, 11.0, 40.0]),
    ),
    max_size=14,
)


async def kill(engine: Engine) -> None:
    """End all that the engine does, as a kill does: nothing is said, nothing is written any more."""
    engine.store._pending.clear()
    mine = asyncio.current_task()
    tasks = [task for task in asyncio.all_tasks() if task is not mine]
    engine._conductor._stopping = True
    engine._conductor.forget_timers()
    for timer in (*engine.observer.tests._timers.values(), *engine.forces._timers.values()):
        timer.cancel()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    engine.store._pending.clear()
    await engine.store.close()


async def play(rig: Rig, events: list[Event]) -> None:
    names = list(rig.needs)
    engine = await rig.start()
    for what, number, pause in events:
        name = names[number % len(names)]
        if what == "kill":
            await kill(engine)
            engine = await rig.start()
        elif what in ("hold", "release"):
            await engine.hold(name, what == "hold", "")
        elif what.startswith("force"):
            rig.operator_orders.add(name)
            how = what.partition(" ")[2]
            wanted = {"on": Desired.ON, "off": Desired.OFF, "a while": Desired.OFF}.get(how)
            with suppress(CommandError):
                await engine.force(name, wanted, seconds=30.0 if how == "a while" else None)
        elif what == "emergency":
            with suppress(CommandError):
                await engine.emergency([name], 200.0, who="property")
        elif what == "clear":
            with suppress(CommandError):
                await engine.clear_emergency("property", CONFIRM)
        else:
            with suppress(CommandError):
                await happen(rig, engine, what, name)
        await asyncio.sleep(pause)
    await asyncio.sleep(200)
    assert rig.broken() == []
    if engine.emergencies.declared is not None:
        await engine.clear_emergency("property", CONFIRM)
    for node in engine.network:
        await engine.hold(node.name, False, "")
        if node.facts.forced is not None:
            await engine.force(node.name, None)
    await mended_all_reach(rig, engine, "on", "off")
    await engine.stop()


@settings(max_examples=80, deadline=None)
@given(networks(most=6), EVENTS, POLICIES)
def test_kills_break_no_invariant_and_strand_nobody(needs: Needs, events: list[Event], policy: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'state.db'}"
        rig = Rig(needs, store=url, policy={**policy, "stable_for": 5.0, "retry_cycle": "always"})
        run(play(rig, events))
        assert rig.broken() == []
        assert Desired.ON not in {node.facts.desired for node in rig.engine.network}
