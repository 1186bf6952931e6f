"""Decides for whoever was marked, and starts the switchings that follow."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ..common.common import OpState
from ..common.errors import CommandError, DeviceError, OckleError, StoreError
from ..common.failpoints import failpoint
from ..networkTree.decide import Decision, Move, settled
from ..networkTree.explain import next_move
from ..networkTree.facts import Desired
from ..networkTree.ServerNode import ServerNode
from ..networkTree.states import Trigger, transition
from .core import Core
from .durations import Durations
from .endings import Endings
from .guards import Dropped
from .observer import Observer
from .run_book import RunBook
from .runs import Run
from .start_queue import Rank, Ranks, StartQueue
from .store_watch import StoreWatch
from .switching import Switching

log = logging.getLogger(__name__)

STORE_RETRY_S = 5.0
FORCE_LOOK_S = 1.0
SPIN_PAUSE_S = 1.0

UNATTENDED = Decision(
    Move.NOTHING,
    "AutoControl is off",
    frees="it is ordered, or AutoControl is switched on: ockle auto on",
    guard="AutoControl",
)


class Conductor:
    """Has every server switched as decided; at most one switching per server.

    ``auto``      the master switch: desired states are kept without an order. While it is off only the servers of a
                  running run are switched
    ``observer``  replaced when the network is
    """

    def __init__(
        self, core: Core, runs: RunBook, observer: Observer, durations: Durations, store_watch: StoreWatch
    ) -> None:
        self.auto = False
        self.observer = observer
        self._core = core
        self._runs = runs
        self._endings = Endings(core, durations)
        self._store_watch = store_watch
        self._switchings: dict[str, Switching] = {}  # server -> its running switching
        self._reserved: set[str] = set()  # servers that an operator's command has for itself
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._dropped_at: dict[str, float] = {}  # server -> when its last switching was dropped
        self._timers: dict[str, asyncio.TimerHandle] = {}  # server -> when to decide again
        self._queue = StartQueue()
        self._ranks = Ranks(core, durations)
        self._draining = False
        self._stopping = False
        core.wake = self._wake

    # -- deciding

    def _wake(self) -> None:
        if not self._draining and not self._stopping:
            self._draining = True
            asyncio.get_running_loop().call_soon(self._drain)

    def _drain(self) -> None:
        self._draining = False
        dirty, self._core.dirty = self._core.dirty, {}
        for name in dirty:
            node = self._core.network.getServer(name)
            if node is None or self._stopping:
                continue
            try:
                self._decide(node)
            except Exception:  # the outermost loop of decisions: a bug about one server must not stop the others
                log.exception("deciding about %s failed", name)
        self._start_next()

    def _decide(self, node: ServerNode) -> None:
        if node.name in self._switchings:
            self._reconsider(node)
            return
        if node.name in self._reserved:
            return
        if node.facts.forced is not None and node.facts.forced_open and not self._core.safe_mode:
            self._go_on_with_force(node, node.facts.forced)
            return
        run = self._runs.of_server(node.name)
        decision = self.decision(node, run)
        self._set_timer(node, decision.until)
        if decision.move is Move.START and not self._core.budget.loads(node):
            self.launch(node, Desired.ON, run)
        elif decision.move is Move.START or decision.starved:
            self._queue.add(self._ranks.of(node))
        elif decision.move is Move.STOP:
            self.launch(node, Desired.OFF, run)
        else:
            fault = "" if node.facts.op_state is OpState.OK else node.facts.error
            self._core.set_why(node, (self._core.safe_mode and fault) or decision.reason or fault)

    def _go_on_with_force(self, node: ServerNode, goal: Desired) -> None:
        """Have a force carried out that a crash, or a store that could not be written, has interrupted."""
        now = self._core.clock.now()
        if not self.observer.observed.is_set():
            self._set_timer(node, now + FORCE_LOOK_S)
        elif node.facts.retry_at > now:
            self._set_timer(node, node.facts.retry_at)
        else:
            log.info("%s is forced %s: that was interrupted, and goes on", node.name, goal)
            self.launch(node, goal, None, unguarded=True)

    def decision(self, node: ServerNode, run: Run | None) -> Decision:
        """Return what is to happen with ``node`` now, and why."""
        if self._core.safe_mode:
            frees = "a person looks, then: ockle resume"
            return Decision(Move.NOTHING, f"safe mode: {self._core.safe_mode}", frees=frees, guard="safe mode")
        facts = node.facts
        ordered = run is not None or facts.emergency_by is not None
        if not ordered and not self.auto and not facts.shutdown_sent and facts.forced is None:
            wanted = {OpState.OK: Desired.ON, OpState.OFF: Desired.OFF}.get(facts.op_state)
            return UNATTENDED if facts.desired not in (None, wanted) else settled(facts)
        return next_move(
            self._core.network,
            node,
            self._core.clock.now(),
            self._core.budget.lacking(node),
            unguarded=run is not None and run.unguarded,
        )

    def _start_next(self) -> None:
        """Begin the starts for which there is room, the most important first."""
        freed, self._core.budget.freed = self._core.budget.freed, {}
        self._queue.begin(freed)
        while not self._stopping and (rank := self._queue.next()) is not None:
            try:
                self._start_or_wait(rank)
            except Exception:  # as above
                log.exception("starting %s failed", rank[2])

    def _start_or_wait(self, rank: Rank) -> None:
        budget, queue = self._core.budget, self._queue
        node = self._core.network.getServer(rank[2])
        if node is None or node.name in self._switchings or node.name in self._reserved:
            return
        run = self._runs.of_server(node.name)
        decision = self.decision(node, run)
        if decision.move is not Move.START and not decision.starved:
            self._core.mark(node)  # it does not want to start any more
        elif (lack := budget.lacking(node)) is not None:
            queue.park(rank, lack)
            self._core.set_why(node, lack.text)
        elif (load := queue.ahead(rank, budget.loads(node))) is not None:
            queue.wait_at(rank, load)
            self._core.set_why(node, f"{load.circuit}: a more important server waits for room")
        else:
            self.launch(node, Desired.ON, run)

    def _reconsider(self, node: ServerNode) -> None:
        """A start whose order is gone is dropped where that is safe; a stop that was sent is not (S11)."""
        facts = node.facts
        if facts.op is Desired.ON and facts.forced is None and facts.desired is not Desired.ON:
            self._switchings[node.name].drop()

    def _set_timer(self, node: ServerNode, until: float | None) -> None:
        timer = self._timers.pop(node.name, None)
        if timer is not None:
            timer.cancel()
        if until is not None:
            self._timers[node.name] = self._core.later(until - self._core.clock.now(), lambda: self._core.mark(node))

    def begin_anew(self, observer: Observer) -> None:
        """Remember nothing of the servers: the network is another one, which ``observer`` watches."""
        self.observer = observer
        self.forget_timers()
        self._dropped_at.clear()
        self._queue = StartQueue()

    def forget_timers(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    # -- having it done

    def launch(self, node: ServerNode, goal: Desired, run: Run | None, *, unguarded: bool = False) -> None:
        """Begin to switch ``node``; ``unguarded``: whatever its neighbours do."""
        self._core.check_trust()
        trigger = Trigger.START if goal is Desired.ON else Trigger.STOP
        if node.facts.forced is None:
            transition(node.facts.op_state, trigger)  # a bug shows before the server is marked as being switched
        switching = Switching(
            self._core,
            self.observer,
            node,
            run.id if run else None,
            unguarded=unguarded or (run is not None and run.unguarded),
            graceful=node.facts.graceful,
        )
        self._switchings[node.name] = switching
        if goal is Desired.ON:
            self._core.budget.begin(node)
        node.facts.op = goal
        self._core.move(node, trigger)
        self._core.set_why(node, "")
        failpoint("conductor.launched")
        task = asyncio.get_running_loop().create_task(self._carry_out(node, goal, switching))
        self._tasks[task] = node.name
        task.add_done_callback(self._task_ended)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        name = self._tasks.pop(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("the end of switching %s has a bug", name, exc_info=task.exception())

    async def _carry_out(self, node: ServerNode, goal: Desired, switching: Switching) -> None:
        began = self._core.clock.now()
        dropped = ""
        unwritten = False
        error: OckleError | None = None
        try:
            await (switching.on() if goal is Desired.ON else switching.off())
        except Dropped as drop:
            dropped = str(drop)
        except StoreError as fault:
            self._store_watch.failed(fault)
            dropped, unwritten = str(fault), True
            node.facts.retry_at = self._core.clock.now() + STORE_RETRY_S
        except DeviceError as problem:
            error = problem
        except Exception as bug:
            log.exception("switching %s %s ended by a bug", node.name, goal)
            error = OckleError(f"a bug in Ockle: {type(bug).__name__}: {bug}")
        finally:
            self._switchings.pop(node.name, None)
            node.facts.op = None
            self._core.budget.end(node)
        if not unwritten and not switching.is_dropped:
            node.facts.forced_open = False
        self.observer.see_supplies(node)
        if error is not None:
            self._endings.failed(node, goal, error)
        elif dropped:
            log.info("%s: switching %s ended early: %s", node.name, goal, dropped)
            self.observer.evaluate(node)
            self._core.set_why(node, dropped)
            self._not_at_once_again(node)
        else:
            self._endings.succeeded(node, goal, self._core.clock.now() - began)
            self.observer.evaluate(node)
        self._core.journal.save(node)
        failpoint("conductor.ended")
        self._core.mark_around(node)

    def _not_at_once_again(self, node: ServerNode) -> None:
        """Pause before what was dropped in this very moment before: a decision and a guard that differ do not spin."""
        now = self._core.clock.now()
        if self._dropped_at.get(node.name) == now:
            node.facts.retry_at = max(node.facts.retry_at, now + SPIN_PAUSE_S)
        self._dropped_at[node.name] = now

    # -- for the engine

    def busy(self) -> list[str]:
        """Return the servers that are being switched."""
        return sorted({*self._switchings, *self._reserved})

    def drop_unsent(self, names: list[str]) -> None:
        """Have the switchings of ``names`` dropped that have sent nothing yet, nor have to end for another's sake."""
        for name in names:
            switching = self._switchings.get(name)
            if switching is not None and not switching.committed:
                switching.drop()

    @contextmanager
    def reserved(self, node: ServerNode) -> Iterator[None]:
        """Within, no switching of ``node`` begins but the caller's. Raises CommandError while somebody else has it."""
        if node.name in self._reserved:
            raise CommandError(f"another command for {node.name} is being carried out: wait for its end", "refused")
        self._reserved.add(node.name)
        try:
            yield
        finally:
            self._reserved.discard(node.name)
            self._core.mark(node)

    async def end_switching(self, node: ServerNode) -> None:
        """Have a running switching dropped, or ended where it cannot be; the command in flight is always awaited.

        For the holder of ``reserved``: else another one begins. Raises CommandError when it does not end in time.
        """
        switching = self._switchings.get(node.name)
        task = next((task for task, name in self._tasks.items() if name == node.name), None)
        if switching is None or task is None:
            return
        switching.drop()
        await asyncio.wait([task], timeout=node.facts.policy.shutdown_timeout + node.facts.policy.boot_timeout)
        if not task.done():
            raise CommandError(f"{node.name} is still being switched: try again when that has ended", "refused")

    async def stop(self) -> None:
        """Decide nothing more, let the commands in flight end for ``stop_grace`` seconds, then leave all as it is."""
        self._stopping = True
        self.forget_timers()
        clock = self._core.clock
        deadline = clock.now() + self._core.settings.stop_grace
        while clock.now() < deadline and any(one.in_command for one in self._switchings.values()):
            for task, name in list(self._tasks.items()):
                switching = self._switchings.get(name)  # None: it has just ended
                if switching is None or not switching.in_command:
                    task.cancel()
            await clock.sleep(0.05)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
