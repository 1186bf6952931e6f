"""What the laws of the engine have in common: random networks, what happens to them, and how all is well in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from hypothesis import strategies as st

from ockle.engine.engine import Engine
from rig import Rig

Needs = dict[str, list[str]]
Event = tuple[str, int, float]
"""(what happens, the number of the machine, seconds until the next event)"""


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

ENDS = {"on": "OK", "off": "OFF"}
REACHED_S = 5000.0


async def happen(rig: Rig, engine: Engine, what: str, name: str) -> None:
    """Let one thing happen to the network: an order of an operator, or something of the world."""
    machine = rig[name]
    faults: dict[str, Callable[[], object]] = {
        "fail boot": lambda: setattr(machine, "fail_boots", 1),
        "hang shutdown": lambda: setattr(machine, "hang_shutdown", True),
        "refuse login": lambda: setattr(machine, "refuse_login", True),
        "stuck": lambda: setattr(machine, "stuck", True),
        "silent": lambda: setattr(machine, "silent", True),
        "slow": lambda: setattr(machine, "slow_s", 3.0),
        "wedge": machine.wedge,
        "press": lambda: rig.by_hand(name),
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
    else:
        faults[what]()


async def all_happen(rig: Rig, engine: Engine, events: Iterable[Event]) -> None:
    """Let one thing happen after the other."""
    names = list(rig.needs)
    for what, number, pause in events:
        await happen(rig, engine, what, names[number % len(names)])
        await asyncio.sleep(pause)


def mend(rig: Rig) -> None:
    """End all faults of the world; a machine that hangs goes on hanging."""
    for machine in rig.machines.values():
        machine.fail_boots = 0
        machine.slow_s = 0.0
        machine.hang_shutdown = machine.refuse_login = machine.stuck = machine.silent = False


async def mended_all_reach(rig: Rig, engine: Engine, *actions: str, rest_s: float = 120.0) -> None:
    """I5: end all faults, press every reset button, and have everybody reach what is ordered, order by order.

    ``rest_s``  seconds before each order
    """
    mend(rig)
    for machine in rig.machines.values():
        machine.unwedge()
    for action in actions:
        await asyncio.sleep(rest_s)
        run = await engine.order(action, list(rig.needs), who="property")
        await asyncio.wait_for(run.finished.wait(), REACHED_S)
        reached = set(rig.states().values()) == {ENDS[action]}
        assert reached, (action, rig.states(), [step.as_dict() for step in run.steps()])
