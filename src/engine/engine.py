"""The engine: takes orders, decides what every server does next, and has it done. One object, one event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

from ..common.clock import Clock
from ..common.common import OpState
from ..common.errors import CommandError, ConfigError, DeviceError, OckleError, StoreError
from ..common.events import EventBus
from ..networkTree.decide import Decision, Move
from ..networkTree.explain import explain, next_move
from ..networkTree.facts import Desired
from ..networkTree.plan import Plan, make_plan
from ..networkTree.ServerNetwork import ServerNetwork
from ..networkTree.ServerNode import ServerNode
from ..networkTree.states import Trigger
from .by_hand import ByHand
from .core import Core
from .durations import Durations
from .journal import Journal
from .observer import Observer
from .run_book import RunBook
from .runs import Run, RunState
from .settings import Settings, back_off
from .store import Store
from .switching import Dropped, Switching, is_final

log = logging.getLogger(__name__)

STORE_RETRY_S = 5.0
FLUSH_S = 1.0
_UNATTENDED = Decision(Move.NOTHING, "AutoControl is off", frees="order it, or switch AutoControl on")


class Engine:
    """Drives the network to the desired states.

    ``auto``  the master switch: desired states are kept without an order. While it is off only the servers of a
              running run are switched. Off until AutoControl says otherwise: nothing moves by itself at a start.
    ``remembered_auto``  how the master switch stood when the daemon stopped, None = it was never set

    All methods run on the device loop.
    """

    def __init__(
        self,
        network: ServerNetwork,
        store: Store,
        *,
        events: EventBus,
        clock: Clock,
        settings: Settings | None = None,
    ) -> None:
        self.store = store
        self.auto = False
        self.remembered_auto: bool | None = None
        journal = Journal(store, clock)
        self.core = Core(network, journal, events, clock, settings or Settings())
        self.core.wake = self._wake
        self.runs = RunBook(self.core)
        self.durations = Durations(store)
        self.observer = Observer(self.core)
        self.by_hand = ByHand(self.core, lambda: self.observer)
        self._switchings: dict[str, Switching] = {}
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._hungry: dict[str, None] = {}  # servers that wait for a free start, in order
        self._draining = False
        self._stopping = False
        self._flusher: asyncio.Task[None] | None = None
        self._store_fault = ""

    @property
    def network(self) -> ServerNetwork:
        return self.core.network

    @property
    def settings(self) -> Settings:
        return self.core.settings

    # -- life

    async def start(self) -> None:
        """Take up what the store remembers, begin to watch the devices, go on with open runs. Raises StoreError."""
        self.core.journal.load(self.network)
        kept = {row["name"]: row["value"] for row in self.store.load("meta")}
        self.remembered_auto = kept["auto"] == "on" if "auto" in kept else None
        self.durations.load()
        open_runs = self.runs.load()
        self.observer.start()
        for run in open_runs:
            self.runs.resume(run)
        self._flusher = asyncio.get_running_loop().create_task(self._flush_forever())

    async def stop(self) -> None:
        """Let commands in flight end (for ``stop_grace`` seconds), leave the runs open, stop watching."""
        self._stopping = True
        for timer in self._timers.values():
            timer.cancel()
        deadline = self.core.clock.now() + self.settings.stop_grace
        for task, name in list(self._tasks.items()):
            switching = self._switchings.get(name)
            while switching and switching.in_command and not task.done() and self.core.clock.now() < deadline:
                await self.core.clock.sleep(0.05)
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.observer.stop()
        if self._flusher is not None:
            self._flusher.cancel()
            await asyncio.gather(self._flusher, return_exceptions=True)
        try:
            await self.store.close()
        except StoreError as error:
            log.error("%s", error)
        for device in {part.device for node in self.network for part in node.parts()}:
            await device.close()

    async def _flush_forever(self) -> None:
        """Write outcomes and learned durations soon after they are noted; nobody waits for these."""
        while True:
            await self.core.clock.sleep(FLUSH_S)
            try:
                await self.core.journal.commit()
            except StoreError as error:
                self._store_failed(error)
            else:
                self._store_works()

    def _store_failed(self, error: StoreError) -> None:
        if not self._store_fault:
            log.error("%s; nothing new is switched until it can be written", error)
            self.core.events.publish("daemon", str(error))
        self._store_fault = str(error)

    def _store_works(self) -> None:
        if self._store_fault:
            log.info("the store can be written again")
            self.core.events.publish("daemon", "the store can be written again")
            self._store_fault = ""

    # -- deciding

    def _wake(self) -> None:
        if not self._draining and not self._stopping:
            self._draining = True
            asyncio.get_running_loop().call_soon(self._drain)

    def _drain(self) -> None:
        self._draining = False
        dirty, self.core.dirty = self.core.dirty, {}
        for name in dirty:
            node = self.network.getServer(name)
            if node is not None and not self._stopping:
                self._decide(node)

    def _decide(self, node: ServerNode) -> None:
        if node.name in self._switchings:
            self._reconsider_running(node)
            return
        run = self.runs.of_server(node.name)
        decision = self._decision(node, run)
        self._set_timer(node, decision.until)
        if decision.move is Move.START:
            self._launch(node, Desired.ON, run)
        elif decision.move is Move.STOP:
            self._launch(node, Desired.OFF, run)
        else:
            self.core.set_why(node, decision.reason or ("" if node.facts.op_state is OpState.OK else node.facts.error))

    def _decision(self, node: ServerNode, run: Run | None) -> Decision:
        facts = node.facts
        if run is None and not self.auto and not facts.shutdown_sent and facts.forced is None:
            wanted = {OpState.OK: Desired.ON, OpState.OFF: Desired.OFF}.get(facts.op_state)
            return _UNATTENDED if facts.desired not in (None, wanted) else Decision(Move.NOTHING, facts.error)
        if run is not None and run.unguarded:
            return next_move(self.network, node, self.core.clock.now(), unguarded=True)
        decision = next_move(self.network, node, self.core.clock.now(), self._free_starts())
        if decision.move is Move.WAIT and not decision.blockers and self._free_starts() == 0:
            self._hungry[node.name] = None
        return decision

    def _free_starts(self) -> int | None:
        limit = self.settings.start_limit
        if not limit:
            return None
        starting = sum(self.network.getServernode(name).facts.op is Desired.ON for name in self._switchings)
        return max(0, limit - starting)

    def _reconsider_running(self, node: ServerNode) -> None:
        """A start whose order is gone is dropped where that is safe; a stop that was sent is not (S11)."""
        facts = node.facts
        if facts.op is Desired.ON and facts.forced is None and facts.desired is not Desired.ON:
            self._switchings[node.name].drop()

    def _set_timer(self, node: ServerNode, until: float | None) -> None:
        timer = self._timers.pop(node.name, None)
        if timer is not None:
            timer.cancel()
        if until is not None:
            self._timers[node.name] = self.core.later(until - self.core.clock.now(), lambda: self.core.mark(node))

    # -- having it done

    def _launch(self, node: ServerNode, goal: Desired, run: Run | None, *, unguarded: bool = False) -> None:
        switching = Switching(
            self.core,
            self.observer,
            node,
            run.id if run else None,
            unguarded=unguarded or (run is not None and run.unguarded),
            graceful=node.facts.graceful,
        )
        self._switchings[node.name] = switching
        node.facts.op = goal
        self.core.move(node, Trigger.START if goal is Desired.ON else Trigger.STOP)
        self.core.set_why(node, "")
        task = asyncio.get_running_loop().create_task(self._carry_out(node, goal, switching))
        self._tasks[task] = node.name
        task.add_done_callback(self._task_ended)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        name = self._tasks.pop(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("switching %s ended by a bug", name, exc_info=task.exception())

    async def _carry_out(self, node: ServerNode, goal: Desired, switching: Switching) -> None:
        facts, clock = node.facts, self.core.clock
        began = clock.now()
        dropped = ""
        error: OckleError | None = None
        try:
            await (switching.on() if goal is Desired.ON else switching.off())
        except Dropped as drop:
            dropped = str(drop)
        except StoreError as fault:
            self._store_failed(fault)
            dropped = str(fault)
            facts.retry_at = clock.now() + STORE_RETRY_S
        except DeviceError as problem:
            error = problem
        finally:
            self._switchings.pop(node.name, None)
            facts.op = None
        if error is not None:
            self._failed(node, goal, error)
        elif dropped:
            self.observer.evaluate(node)
            self.core.set_why(node, dropped)
        else:
            self._succeeded(node, goal, clock.now() - began)
        self.core.journal.save(node)
        self.core.mark_around(node)
        self._feed_hungry()

    def _succeeded(self, node: ServerNode, goal: Desired, seconds: float) -> None:
        facts = node.facts
        facts.error = ""
        facts.retry_at = 0.0
        facts.degraded = facts.drifted = False
        facts.supply = self.observer.supply(node)
        if goal is Desired.ON:
            facts.serving = True
            self.core.move(node, Trigger.STARTED)
            self.core.later(facts.policy.stable_for, lambda: self._proven_stable(node, facts.desired_gen))
        else:
            facts.start_attempts = facts.stop_attempts = 0
            facts.serving = None
            self.core.move(node, Trigger.STOPPED)
        self.durations.learn(node.name, goal.value, seconds)
        self.observer.evaluate(node)

    def _proven_stable(self, node: ServerNode, generation: int) -> None:
        facts = node.facts
        if facts.op_state is OpState.OK and facts.desired_gen == generation and facts.start_attempts:
            facts.start_attempts = 0
            self.core.journal.save(node)

    def _failed(self, node: ServerNode, goal: Desired, error: OckleError) -> None:
        """Count the attempt; one that was dropped before it sent anything does not come here."""
        facts = node.facts
        facts.error = str(error)
        facts.supply = self.observer.supply(node)
        if goal is Desired.ON:
            facts.start_attempts += 1
            attempts, most = facts.start_attempts, self.settings.max_start_attempts
            failed, gave_up = Trigger.START_FAILED, Trigger.START_GAVE_UP
        else:
            facts.stop_attempts += 1
            attempts, most = facts.stop_attempts, self.settings.max_stop_attempts
            failed, gave_up = Trigger.STOP_FAILED, Trigger.STOP_GAVE_UP
        if is_final(error) or (most and attempts >= most):
            self.core.move(node, gave_up, facts.error)
        else:
            facts.retry_at = self.core.clock.now() + (back_off(attempts) if most else max(60.0, back_off(attempts)))
            self.core.move(node, failed, f"attempt {attempts} of {most or 'any number'}: {facts.error}")

    def _feed_hungry(self) -> None:
        hungry, self._hungry = self._hungry, {}
        for name in hungry:
            node = self.network.getServer(name)
            if node is not None:
                self.core.mark(node)

    # -- orders

    def plan(self, action: str, servers: Iterable[str]) -> Plan:
        """Return what ``action`` would do; raises CommandError."""
        return make_plan(self.network, action, servers, self._expect)

    def _expect(self, server: str, action: str) -> float:
        return self.durations.expect(self.network, server, action)

    async def order(
        self,
        action: str,
        servers: Iterable[str],
        *,
        who: str,
        via: str = "internal",
        note: str = "",
        rev: str | None = None,
        timeout: float | None = None,
        plan: Plan | None = None,
        unguarded: bool = False,
    ) -> Run:
        """Begin a run, durably; nothing is switched before the order is in the store.

        ``rev``  of the plan that was looked at: refused with the code ``conflict`` when the steps are others by now
        Raises CommandError, StoreError.
        """
        plan = plan or self.plan(action, servers)
        if rev is not None and rev != plan.rev:
            raise CommandError("the plan changed since you looked", "conflict")
        run = self.runs.begin(plan, who=who, via=via, note=note, timeout=timeout, unguarded=unguarded)
        try:
            await self.core.journal.commit()
        except StoreError as error:
            self._store_failed(error)
            if run.state is RunState.RUNNING:
                self.runs.cancel(run, str(error))
            raise
        return run

    def cancel(self, number: int, who: str) -> Run:
        """End a run early; what can still be dropped without harm is dropped. Raises CommandError."""
        run = self.runs.get(number)
        self.runs.cancel(run, f"cancelled by {who}")
        for name in run.current:
            switching = self._switchings.get(name)
            if switching is not None and not switching.sent:
                switching.drop()
        return run

    async def force(self, name: str, state: Desired | None, note: str = "") -> None:
        """Take a server out of all automation and switch it as ordered; None gives it back (S18, S19)."""
        node = self.network.getServernode(name)
        facts = node.facts
        await self._end_switching(node)
        if state is None:
            if facts.forced is None:
                raise CommandError(f"{name} is not forced", "refused")
            facts.forced, facts.forced_note = None, ""
            self.core.set_desired(node, None)
            self.core.move(node, Trigger.UNFORCE)
        else:
            run = self.runs.of_server(name)
            facts.forced, facts.forced_note = state, note
            self.core.move(node, Trigger.FORCE_ON if state is Desired.ON else Trigger.FORCE_OFF)
            if run is not None:
                self.runs.forced(run, name, f"forced {state}")
        self.core.events.publish("force", f"{name}: force {state or 'lifted'}", name, note=note)
        self.core.journal.save(node)
        await self.core.journal.commit()
        if state is None:
            await self.observer.read_server(node)
        else:
            facts.graceful = True
            self._launch(node, state, None, unguarded=True)

    async def _end_switching(self, node: ServerNode) -> None:
        """Have a running switching dropped, or ended where it cannot be; the command in flight is always awaited."""
        switching = self._switchings.get(node.name)
        task = next((task for task, name in self._tasks.items() if name == node.name), None)
        if switching is None or task is None:
            return
        switching.drop()
        await asyncio.wait([task], timeout=node.facts.policy.shutdown_timeout + node.facts.policy.boot_timeout)

    async def hold(self, name: str, held: bool, note: str) -> None:
        """Keep automation off a server, or let it back; what runs for it comes to its end."""
        node = self.network.getServernode(name)
        node.facts.held = (note or "by an operator") if held else ""
        self.core.journal.save(node)
        self.core.events.publish("hold", f"{name}: {'held' if held else 'released'}", name, note=note)
        await self.core.journal.commit()
        self.core.mark_around(node)

    async def reset(self, name: str) -> None:
        """Forget failed attempts, and that a shutdown may be under way: a person has looked at it."""
        node = self.network.getServernode(name)
        node.facts.shutdown_sent = False
        node.facts.error = ""
        self.core.forgive(node)
        await self.core.journal.commit()
        await self.observer.read_server(node)

    async def set_auto(self, on: bool) -> None:
        """Set the master switch, durably, and decide anew for every server. Raises StoreError."""
        if self.remembered_auto is not on:
            self.store.put("meta", "auto", value="on" if on else "off")
            await self.core.journal.commit()
            self.remembered_auto = on
        if self.auto is not on:
            self.auto = on
            self.core.revision += 1
            self.core.events.publish("auto", f"AutoControl is {'on' if on else 'off'}", state=on)
        self.converge()

    def converge(self) -> None:
        """Decide anew for every server."""
        for node in self.network:
            self.core.mark(node)

    def forget_desired(self) -> None:
        """Observe only: no server has a desired state any more, except those of running runs."""
        for node in self.network:
            if node.facts.desired is not None and self.runs.of_server(node.name) is None:
                self.core.set_desired(node, None)

    def why(self, name: str) -> dict[str, Any]:
        """Return why a server is as it is, see ``networkTree.explain``."""
        found = explain(self.network, name, self.core.clock.now())
        node = self.network.getServernode(name)
        if self._decision(node, self.runs.of_server(name)) is _UNATTENDED:
            found["reasons"].insert(0, {"text": _UNATTENDED.reason, "since": None, "frees": _UNATTENDED.frees})
        if node.name in self._switchings and node.why:
            found["reasons"].insert(0, {"text": node.why, "since": node.facts.since, "frees": ""})
        if self._store_fault:
            found["reasons"].append({"text": self._store_fault, "since": None, "frees": "make room for the store"})
        return found

    def busy(self) -> list[str]:
        """Return the servers that are being switched."""
        return sorted(self._switchings)

    # -- a new configuration

    async def adopt(self, network: ServerNetwork, settings: Settings) -> None:
        """Go on with a new network: servers keep their facts by name, runs go on, no outlet is touched.

        Raises ConfigError when a server that is being switched, or has an order in a run, would change or vanish.
        """
        in_use = {*self._switchings, *(node.name for node in self.network if self.runs.of_server(node.name))}
        if in_use:
            raise ConfigError(
                f"{', '.join(sorted(in_use))} {'is' if len(in_use) == 1 else 'are'} being switched: "
                "apply the configuration when the run has ended, or cancel it"
            )
        old = self.network
        await self.observer.stop()
        for node in network:
            before = old.getServer(node.name)
            if before is not None:
                _take_over(node, before)
        self.core.network = network
        self.core.settings = settings
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self.observer = Observer(self.core)
        self.observer.start()
        self.core.revision += 1
        self.converge()
        kept = {part.device for node in network for part in node.parts()}
        for device in {part.device for node in old for part in node.parts()} - kept:
            await device.close()


def _take_over(node: ServerNode, before: ServerNode) -> None:
    policy = node.facts.policy
    node.facts = before.facts
    node.facts.policy = policy
    node.why = before.why
    known = {outlet.name: outlet for outlet in before.outlets}
    for outlet in node.outlets:
        old = known.get(outlet.name)
        if old is not None and type(old) is type(outlet) and old.params == outlet.params:
            outlet.on_at, outlet.off_at, outlet.opState = old.on_at, old.off_at, old.opState
            outlet.state, outlet.seen_at = old.state, old.seen_at
