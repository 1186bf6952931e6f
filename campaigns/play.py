"""The real engine on the rig's machines: random networks, orders, faults, forces and kills, judged from all sides.

I1, I2 and I2c are the rig's own judge (tests/rig_judge.py); here come I5 to I9, and the reasons why a play is at fault.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections import Counter
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from typing_extensions import override

from ockle.common.common import OpState
from ockle.common.errors import CommandError, DeviceError
from ockle.engine.engine import Engine
from ockle.networkTree.facts import Desired
from ockle.networkTree.ServerNode import ServerNode
from ockle.simulator.virtual_time import run
from ockle.store.database import Rows
from ockle.store.store import Store
from properties.happenings import FAULTS, ORDERS, POLICIES, Needs, happen, mend, networks
from properties.test_engine_crashes import kill
from rig import Rig
from rig_machine import Machine

from .spec import Spec

Event = tuple[str, int, float]
Row = dict[str, Any]

QUIET_S = 150.0
"""How long nothing happens after the last event: what still moves then goes round for ever."""
SETTLE_S = 5000.0
MOST_COMMANDS = 12
"""Commands that one machine may get while nothing happens (I7): attempts, times sends of each, times cycle and on."""
MOST_SENDS, MOST_PER_MINUTE, MINUTE_S = 3, 4, 50.0
"""How often one intent is sent (``retries``), and one outlet switched (``max_per_minute``); some arrive late."""

OPERATOR = st.sampled_from(["hold", "release", "force on", "force off", "force clear", "shut down"])
WHATS = st.one_of(ORDERS, FAULTS, OPERATOR, st.sampled_from(["kill", "press one"]))
EVENTS = st.lists(st.tuples(WHATS, st.integers(0, 7), st.sampled_from([0.0, 0.01, 0.3, 2.0, 11.0, 40.0])), max_size=14)


@dataclass(frozen=True)
class Scenario:
    """What is played. ``events``: (what happens, at the how manieth server, seconds until the next).

    ``shared``  servers that hang on one outlet, besides which they have no other
    """

    needs: Needs
    supplies: int
    policy: dict[str, str]
    events: list[Event]
    shared: tuple[str, ...] = ()

    def __str__(self) -> str:
        needs = ", ".join(f"{name}({' '.join(wanted)})" for name, wanted in self.needs.items())
        supplies = ", two supplies each" if self.supplies > 1 else ""
        policy = ", ".join(f"{key}={value}" for key, value in self.policy.items())
        names = list(self.needs)
        steps = [f"{what} {names[number % len(names)]}, {pause:g} s" for what, number, pause in self.events]
        shared = f"; on one outlet: {' '.join(self.shared)}" if self.shared else ""
        head = f"  {needs}{supplies}{shared}; {policy}"
        return "\n".join([head, *(f"  {at:2} {step}" for at, step in enumerate(steps, 1))])


def scenarios(most: int = 4) -> st.SearchStrategy[Scenario]:
    """Return random plays on networks of at most ``most`` servers."""
    return st.builds(Scenario, networks(most=most), st.sampled_from([1, 1, 2]), POLICIES, EVENTS)


class WatchedRig(Rig):
    """A rig with a judge for what its machines alone can't tell."""

    def __init__(self, scenario: Scenario, store: str) -> None:
        super().__init__(
            scenario.needs,
            outlets={name: 0 if name in scenario.shared else scenario.supplies for name in scenario.needs},
            shared={"strip": scenario.shared} if scenario.shared else {},
            store=store,
            policy={**scenario.policy, "stable_for": 5.0, "shutdown_timeout": 30.0},
        )
        self.min_off_s = 10.0
        self.spec = Spec()
        self.owners: dict[str, Desired] = {}
        self.pressed: dict[str, float] = {}
        self.shown: list[str] = []
        self.intents: dict[int, Row] = {}
        self._sends: Counter[int] = Counter()  # intent -> how often it was sent
        self._turns: dict[str, list[tuple[float, str]]] = {}  # outlet -> when it was told to change, and to what
        for machine in self.machines.values():
            machine.lingers = True

    @override
    async def start(self) -> Engine:
        engine = await super().start()
        self._keep_book(engine.store)
        engine.core.listeners.append(self._published)
        for node in engine.network:
            self._published(node)
        return engine

    @override
    def by_hand(self, name: str) -> None:
        super().by_hand(name)
        self.pressed[name] = asyncio.get_running_loop().time()

    def press_one(self, name: str) -> None:
        """Somebody presses the button of the first of its outlets."""
        machine = self.machines[name]
        relay, closed = next(iter(machine.relays.items()))
        machine.expendable, before = True, machine.expendable
        if machine.serving:
            machine.lost_at = asyncio.get_running_loop().time()
        machine.relay(relay, not closed)
        machine.expendable = before
        machine.pressed_at = self.pressed[name] = asyncio.get_running_loop().time()

    def _unseen(self, machine: Machine) -> bool:
        """Whether somebody pressed a button since its outlets were read, for all that one may know."""
        since = asyncio.get_running_loop().time() - self.pressed.get(machine.name, float("-inf"))
        return machine.silent or since <= self.settings.fresh_for

    @override
    def _judge(self, machine: Machine, what: str) -> str:
        bad = super()._judge(machine, what)
        if not bad and (what.startswith("SET") or what == "shutdown asked"):
            bad = self._owned(machine) or self._journaled(machine, what)
        if not bad and what.startswith(f"SET {machine.name}."):  # one that several share is seen at each of them
            bad = self._too_often(machine, *what.split()[1:])
        return bad

    def _owned(self, machine: Machine) -> str:
        """I6: a machine that is forced is touched by its force alone."""
        if machine.name not in self.owners:
            return ""
        switching = self.engine._conductor._switchings.get(machine.name)
        by_force = switching is not None and switching._guards._unguarded
        return "" if by_force else f"I6: an automatic command, though forced {self.owners[machine.name]}"

    def _journaled(self, machine: Machine, what: str) -> str:
        """I9: the command stands in the store, and nothing there says that it is done."""
        verb, thing = ("shutdown", "") if what == "shutdown asked" else (what.split()[2], what.split()[1])
        number = self._intent(machine, thing, verb)
        if number is None:
            return "I9: sent, and no intent is in the store"
        return "" if self.intents[number]["outcome"] is None else "I9: sent again after its outcome was noted"

    def _intent(self, machine: Machine, thing: str, verb: str) -> int | None:
        """Return the newest intent for a command; ``thing`` is its outlet, "" = the machine's control."""
        for number, row in reversed(self.intents.items()):
            meant = row["object"] == thing if thing else row["server"] == machine.name
            if meant and row["verb"] == verb:
                return number
        return None

    def _too_often(self, machine: Machine, outlet: str, verb: str) -> str:
        """I7: no intent is sent more often than it may be repeated, no outlet switched to and fro without an end."""
        number = self._intent(machine, outlet, verb)
        self._sends[number or 0] += 1
        if self._sends[number or 0] > MOST_SENDS:
            return f"I7: {outlet} {verb} sent {self._sends[number or 0]} times for one intent"
        now, turns = asyncio.get_running_loop().time(), self._turns.setdefault(outlet, [])
        if not turns or turns[-1][1] != verb:
            turns.append((now, verb))
        lately = sum(now - moment < MINUTE_S for moment, _verb in turns)
        if lately > MOST_PER_MINUTE and machine.name not in self.operator_orders:
            return f"I7: {outlet} switched {lately} times within a minute"
        return ""

    def _keep_book(self, store: Store) -> None:
        """Note which intents are on the disk: what ``store`` has written without an error."""
        write = store._write

        def written(rows: Rows) -> None:
            write(rows)
            for (table, number), row in rows.items():
                if table == "intents" and row is not None:
                    self.intents[number] = {**self.intents.get(number, {}), **row}

        store._write = written  # type: ignore[method-assign]

    def _published(self, node: ServerNode) -> None:
        """I8: "OK" and "OFF" are true at the moment when they are published."""
        machine, state = self.machines[node.name], node.facts.op_state
        if state is OpState.OK and not (machine.answering or self._served_lately(machine)):
            self.shown.append(f"I8: {node.name} OK while {machine.os}")
        if state in (OpState.OK, OpState.OFF):
            on = state is OpState.OK
            if any(outlet.state is not on for outlet in node.outlets):
                self.shown.append(f"I8: {node.name} {state} with an outlet of which that is not known")
            elif not self._unseen(machine) and any(relay is not on for relay in machine.relays.values()):
                self.shown.append(f"I8: {node.name} {state} while an outlet shows otherwise")

    def wrongs(self) -> list[str]:
        """Return what is broken so far, nearest first."""
        broken = [f"{one.bad} ({one.machine}: {one.what} at {one.t:g} s)" for one in self.broken()]
        return broken + self.shown + self.spec.differences


def play(scenario: Scenario, *, spec: bool = True) -> list[str]:
    """Play ``scenario`` on a virtual clock; return what is broken, [] = nothing.

    Afterwards all is mended, ordered on and off, and has to get there (I5).

    ``spec``  compare every answer of a guard with the model's, too; it knows no shared outlets
    """
    bugs = _Bugs(logging.ERROR)
    log = logging.getLogger("ockle")
    log.addHandler(bugs)
    log.propagate = False
    try:
        with tempfile.TemporaryDirectory() as folder:
            rig = WatchedRig(scenario, f"sqlite:///{Path(folder) / 'state.db'}")
            with rig.spec.watching() if spec and not scenario.shared else nullcontext():
                return run(_play(rig, scenario)) + bugs.seen
    finally:
        log.removeHandler(bugs)
        log.propagate = True


class _Bugs(logging.Handler):
    """Collects what the engine survived and should never have met."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.seen: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info:
            self.seen.append(f"a bug: {record.getMessage()}: {record.exc_info[1]}")


async def _play(rig: WatchedRig, scenario: Scenario) -> list[str]:
    engine = await rig.start()
    try:
        for what, number, pause in scenario.events:
            engine = await _happen(rig, engine, what, list(rig.needs)[number % len(rig.needs)])
            await asyncio.sleep(pause)
            if rig.wrongs():
                return rig.wrongs()
        await _nothing_happens(rig)
        if not rig.wrongs():
            await _settle(rig, engine)
        return rig.wrongs()
    finally:
        await kill(engine)


async def _happen(rig: WatchedRig, engine: Engine, what: str, name: str) -> Engine:
    if what == "kill":
        await kill(engine)
        return await rig.start()
    with suppress(CommandError):
        if what in ("hold", "release"):
            await engine.hold(name, what == "hold", "")
        elif what == "press one":
            rig.press_one(name)
        elif what == "shut down":
            await _shut_down(rig, engine.network.getServernode(name))
        elif what.startswith("force"):
            wanted = {"on": Desired.ON, "off": Desired.OFF}.get(what.partition(" ")[2])
            rig.operator_orders.add(name)
            await engine.force(name, wanted)
            rig.owners.pop(name, None)
            if wanted is not None:
                rig.owners[name] = wanted
        else:
            await happen(rig, engine, what, name)
    return engine


async def _shut_down(rig: WatchedRig, node: ServerNode) -> None:
    if node.facts.op is None and node.facts.forced is None:
        rig.operator_orders.add(node.name)
        with suppress(DeviceError):
            await rig.engine.by_hand.switch_control(node, node.controls[0], False)


async def _nothing_happens(rig: WatchedRig) -> None:
    await asyncio.sleep(QUIET_S)
    begun = len(rig.sights)
    await asyncio.sleep(QUIET_S)
    commands = Counter(one.machine for one in rig.sights[begun:] if one.what.startswith(("SET", "shutdown")))
    many = [(name, count) for name, count in commands.items() if count > MOST_COMMANDS]
    rig.shown += [f"I7: {name} got {count} commands while nothing happened" for name, count in many]


async def _settle(rig: WatchedRig, engine: Engine) -> None:
    for name in rig.needs:
        await engine.hold(name, False, "")
        if engine.network.getServernode(name).facts.forced is not None:
            rig.owners.pop(name, None)
            await engine.force(name, None)
    mend(rig)
    for machine in rig.machines.values():
        machine.unwedge()
    # Off comes first: what was asked to shut down comes up only after a cut, and that waits for who runs on top of it.
    for action, state in (("off", "OFF"), ("on", "OK")):
        await asyncio.sleep(120)
        order = await engine.order(action, list(rig.needs), who="campaign")
        try:
            await asyncio.wait_for(order.finished.wait(), SETTLE_S)
        except TimeoutError:
            rig.shown.append(f"I5: an order {action} does not end: {rig.states()}")
            return
        if set(rig.states().values()) != {state}:
            rig.shown.append(f"I5: after an order {action}: {rig.states()}")
            return
