"""Keeps the runs: gives servers their orders stage by stage, follows their states, and ends what has ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

from ..common.common import OpState
from ..common.errors import CommandError
from ..common.failpoints import failpoint
from ..networkTree.facts import Desired
from ..networkTree.plan import Plan
from ..networkTree.ServerNode import ServerNode
from .core import Core
from .ended_runs import KEEP_RUNS, EndedRuns
from .runs import OPEN_STEPS, Run, RunState, RunStep, StepState, from_plan, from_row

log = logging.getLogger(__name__)

LEAST_TIMEOUT_S = 900.0
TIMEOUT_FACTOR = 4.0
"""A run may last this many times its plan, and at least LEAST_TIMEOUT_S, unless it is given a limit of its own."""

_GAVE_UP = {"on": OpState.permanentlyFailedToStart, "off": OpState.permanentlyFailedToStop}


class RunBook:
    """All runs by number, and which run a server belongs to now: the newest order counts.

    ``next_number``  of the run that begins next
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._running: dict[int, Run] = {}
        self._ended = EndedRuns()
        self._limits: dict[int, asyncio.TimerHandle] = {}  # a timer holds its run whole, so it goes with the run's end
        self._of_server: dict[str, Run] = {}  # server -> the running run with an open step for it
        self._restarts: list[Run] = []  # running runs of two stages
        self.next_number = 1
        core.listeners.append(self.on_state)

    # -- looking

    def get(self, number: int) -> Run:
        """Return a run; of one that has ended a copy. Raises CommandError."""
        try:
            return self._running.get(number) or self._ended.get(number)
        except KeyError:
            raise CommandError(f"there is no run {number}", "not_found") from None

    def newest(self, limit: int) -> list[dict[str, Any]]:
        """Return the summaries of the newest runs, the newest first."""
        wall = self._core.clock.wall()
        return [
            self._running[number].summary(wall) if number in self._running else self._ended.summary(number)
            for number in sorted([*self._running, *self._ended], reverse=True)[:limit]
        ]

    def running(self) -> list[Run]:
        return list(self._running.values())

    def of_server(self, name: str) -> Run | None:
        """Return the run that has an order for this server now."""
        return self._of_server.get(name)

    def coming_back(self) -> set[str]:
        """Return the servers that are off, or about to be, but that a restart is going to switch on again."""
        return {
            name
            for run in self._restarts
            if run.stage == 0
            for name, step in run.stages[1].items()
            if step.state in OPEN_STEPS
        }

    # -- beginning

    def load(self) -> list[Run]:
        """Read the kept runs; return those that were open when the daemon stopped."""
        rows = self._core.journal.store.load("runs", order="-id", limit=KEEP_RUNS)
        self.next_number = max((row["id"] for row in rows), default=0) + 1
        while rows:  # the oldest first, and each leaves memory before the next one is unfolded
            self._load(rows.pop())
        self._core.journal.store.prune("runs", KEEP_RUNS)
        return sorted(self.running(), key=lambda run: -run.id)

    def _load(self, row: dict[str, Any]) -> None:
        try:
            run = from_row(row)
        except (KeyError, TypeError, ValueError) as error:
            log.error("run %s is left out, as its row makes no sense: %r", row["id"], error)
            self._core.events.publish("run", f"run {row['id']} is left out: its row makes no sense")
            return
        if run.state is RunState.RUNNING:
            self._running[run.id] = run
        else:
            self._ended.add(run)

    def resume(self, run: Run) -> None:
        """Go on with a run that was open. A server that another order, a cancel or a force took away stays away;
        attempts and failures stay as they were (S3). One within its grace has done nothing, and does not begin."""
        if not run.begun:
            self._drop(run, "the daemon ended before it began", RunState.CANCELLED)
            return
        for step in (step for step in run.steps() if step.server not in self._core.network):
            step.state, step.why = StepState.SKIPPED, "no longer in the configuration"
        for step in run.current.values():
            if step.state is StepState.RUNNING:
                step.state = StepState.WAITING
        failpoint("run.resuming")
        log.info("run %d goes on after the restart: %s %s", run.id, run.action, ", ".join(run.targets))
        self._begin_stage(run, resumed=True)
        self._limit(run)

    def begin(
        self,
        plan: Plan,
        *,
        who: str,
        via: str,
        note: str = "",
        timeout: float | None = None,
        unguarded: bool = False,
        grace: float = 0.0,
    ) -> Run:
        """Make a run of ``plan``; without a ``grace`` order its first stage; durable with the next commit."""
        limit = timeout if timeout else max(LEAST_TIMEOUT_S, TIMEOUT_FACTOR * plan.total_s)
        number, wall = self.next_number, self._core.clock.wall()
        run = from_plan(number, plan, who=who, via=via, note=note, wall=wall, timeout=limit)
        run.unguarded, run.grace, run.begun = unguarded, grace, grace <= 0
        self.next_number += 1
        self._running[run.id] = run
        self._core.events.publish(
            "run",
            f"run {run.id}: {run.action} {_few(run.targets)}, ordered by {who}",
            run=run.id,
            state=run.state,
            action=run.action,
            servers=sorted({step.server for step in run.steps()}),
            who=who,
            via=via,
            note=note,
        )
        if run.begun:
            self.start(run)
        else:
            self._core.revision += 1
            self._save(run)
        return run

    def start(self, run: Run) -> None:
        """Order the first stage of ``run``; durable with the next commit."""
        run.begun = True
        for step in run.steps():
            desired = self._core.network.getServernode(step.server).facts.desired
            run.before.setdefault(step.server, desired)
        self._begin_stage(run)
        self._limit(run)

    def _begin_stage(self, run: Run, *, resumed: bool = False) -> None:
        run.open_steps = sum(step.state in OPEN_STEPS for step in run.current.values())
        if len(run.stages) > 1 and run not in self._restarts:
            self._restarts.append(run)
        stage = run.current
        for step in list(stage.values()):
            if step.state in OPEN_STEPS:
                self._take_over(run, step)
        for step in list(stage.values()):
            if step.state not in OPEN_STEPS:
                continue
            node = self._core.network.getServernode(step.server)
            if resumed and (node.facts.forced is not None or node.facts.desired_gen != run.orders.get(step.server)):
                self._end_step(run, step, StepState.SUPERSEDED, "by another order before the restart")
                continue
            node.facts.graceful = step.action != "cut"
            if resumed:
                continue
            self._core.forgive(node)
            self._core.set_desired(node, Desired.ON if step.action == "on" else Desired.OFF)
            run.orders[step.server] = node.facts.desired_gen
        for changed in {run.id: run, **{one.id: one for one in self._restarts}}.values():
            self._save(changed)  # a newer order may have taken servers out of the second stage of a restart
        for step in list(stage.values()):
            self._follow(run, step, self._core.network.getServer(step.server))
        if run.current is stage and run.open_steps == 0 and run.state is RunState.RUNNING:
            self._end_stage(run)

    def _take_over(self, run: Run, step: RunStep) -> None:
        """Make the server this run's, unless a newer run has it: the newest order counts."""
        other = self._of_server.get(step.server)
        if other is not None and other.id > run.id:
            self._end_step(run, step, StepState.SUPERSEDED, f"by run {other.id}")
            return
        self._of_server[step.server] = run
        for older in self._restarts:
            later = older.stages[1].get(step.server) if older.stage == 0 and older is not run else None
            if later is not None:
                later.state, later.why = StepState.SUPERSEDED, f"by run {run.id}"
        if other is not None and other is not run:
            self._end_step(other, other.current[step.server], StepState.SUPERSEDED, f"by run {run.id}")

    # -- following

    def on_state(self, node: ServerNode) -> None:
        """Take in a new state of a server."""
        run = self._of_server.get(node.name)
        if run is not None:
            self._follow(run, run.current[node.name], node)

    def _follow(self, run: Run, step: RunStep, node: ServerNode | None) -> None:
        if node is None or step.state not in OPEN_STEPS:
            return
        state = node.facts.op_state
        goal, direction = (OpState.OK, "on") if step.action == "on" else (OpState.OFF, "off")
        if state is goal and node.facts.op is None:
            self._end_step(run, step, StepState.DONE, "")
        elif state is _GAVE_UP[direction]:
            self._end_step(run, step, StepState.FAILED, node.facts.error)
            self._skip_those_behind(run, step)
        elif run.ending is not None and node.facts.op is None:
            self._take_back(run, step, StepState.CANCELLED, run.note)
        elif step.state is StepState.WAITING and node.facts.op is not None:
            step.state, step.started = StepState.RUNNING, step.started or self._core.clock.wall()
            self._tell(run, step)

    def _skip_those_behind(self, run: Run, failed: RunStep) -> None:
        """End the steps that can never begin, because what they wait for has failed for good."""
        network = self._core.network
        if failed.action == "on":
            behind, why = network.all_dependents([failed.server]), f"needs {failed.server}, which did not start"
        else:
            group = set(network.group(failed.server))
            behind, why = network.all_dependencies(group), f"{failed.server} still needs it: it did not stop"
            mates = group - behind - {failed.server}
            self._skip(run, mates, f"it gets its power with {failed.server}, which did not stop")
        self._skip(run, behind, why)

    def _skip(self, run: Run, servers: Iterable[str], why: str) -> None:
        network = self._core.network
        for name in servers:
            step = run.current.get(name)
            if step is not None and step.state in OPEN_STEPS and network.getServernode(name).facts.op is None:
                self._take_back(run, step, StepState.SKIPPED, why)

    def _take_back(self, run: Run, step: RunStep, state: StepState, why: str) -> None:
        """End a step that has not begun: the server is again to be what it was to be before."""
        before = run.before.get(step.server)
        self._core.set_desired(self._core.network.getServernode(step.server), Desired(before) if before else None)
        self._end_step(run, step, state, why)

    def _end_step(self, run: Run, step: RunStep, state: StepState, why: str) -> None:
        if step.state not in OPEN_STEPS:
            return
        step.state, step.why, step.ended = state, why, self._core.clock.wall()
        if self._of_server.get(step.server) is run:
            del self._of_server[step.server]
        node = self._core.network.getServer(step.server)
        if node is not None:
            node.facts.graceful = True  # a cut is for once
        run.open_steps -= 1
        self._tell(run, step)
        if run.open_steps == 0 and run.state is RunState.RUNNING:
            self._end_stage(run)

    def _end_stage(self, run: Run) -> None:
        if run.ending is not None:
            self._finish(run, run.ending)
            return
        if run.stage + 1 < len(run.stages):
            stopped = {step.server for step in run.current.values() if step.state is StepState.DONE}
            run.stage += 1
            failpoint("run.stage")
            skipped = self._skip_unstopped(run, stopped)
            self._begin_stage(run)
            for step in skipped:
                self._skip_those_behind(run, step)
            return
        good = all(step.state is StepState.DONE for step in run.steps())
        self._finish(run, RunState.DONE if good else RunState.FAILED)

    def _skip_unstopped(self, run: Run, stopped: set[str]) -> list[RunStep]:
        """Leave out of a restart's second stage what did not stop in the first; return those steps."""
        first = run.stages[0]
        unstopped = [
            step
            for name, step in run.current.items()
            if name in first and name not in stopped and step.state in OPEN_STEPS
        ]
        for step in unstopped:
            step.state, step.why = StepState.SKIPPED, "it did not stop"
        return unstopped

    def _finish(self, run: Run, state: RunState) -> None:
        run.state, run.ended = state, self._core.clock.wall()
        if run in self._restarts:
            self._restarts.remove(run)
        self._save(run)
        self._ended.add(run)
        self._running.pop(run.id, None)
        if (limit := self._limits.pop(run.id, None)) is not None:
            limit.cancel()
        failpoint("run.finished")
        run.finished.set()
        counts = run.summary(run.ended)
        log.info("run %d %s: %d done, %d failed, %d skipped", run.id, state, *_counts(counts))
        self._core.events.publish(
            "run",
            f"run {run.id} {state}: {counts['done']} done, {counts['failed']} failed, {counts['skipped']} skipped",
            run=run.id,
            state=state,
            action=run.action,
        )
        self._core.revision += 1

    # -- ending early

    def cancel(self, run: Run, why: str, state: RunState = RunState.CANCELLED) -> None:
        """Take back what has not begun; what is being switched comes to its end first, and then the run to its."""
        if run.state is not RunState.RUNNING:
            raise CommandError(f"run {run.id} has ended: {run.state}", "refused")
        if not run.begun:
            self._drop(run, why, state)
            return
        run.ending = state
        run.note = f"{run.note}; {why}".lstrip("; ")
        for stage in run.stages[run.stage + 1 :]:
            for step in stage.values():
                step.state, step.why = StepState.CANCELLED, why
        for step in list(run.current.values()):  # a server of a step that has ended may not be there any more
            if step.state in OPEN_STEPS and self._core.network.getServernode(step.server).facts.op is None:
                self._take_back(run, step, StepState.CANCELLED, why)
        if run.open_steps == 0 and run.state is RunState.RUNNING:
            self._finish(run, state)
        self._save(run)

    def _drop(self, run: Run, why: str, state: RunState) -> None:
        """End a run that has not begun: no server has an order from it, so there is nothing to take back."""
        run.note = f"{run.note}; {why}".lstrip("; ")
        for step in run.steps():
            step.state, step.why, step.ended = StepState.CANCELLED, why, self._core.clock.wall()
        self._finish(run, state)

    def forced(self, run: Run, server: str, why: str) -> None:
        """End the step of a server that an operator has taken out of the run's hands."""
        step = run.current.get(server)
        if step is not None:
            self._end_step(run, step, StepState.SUPERSEDED, why)

    def _limit(self, run: Run) -> None:
        if run.state is RunState.RUNNING:  # it may have had nothing to do
            self._limits[run.id] = self._core.later(run.timeout, lambda: self._expire(run))

    def _expire(self, run: Run) -> None:
        log.warning("run %d reached its time limit", run.id)
        self.cancel(run, "the run's time limit is reached", RunState.FAILED)

    # -- keeping

    def _save(self, run: Run) -> None:
        self._core.journal.store.put("runs", run.id, state=run.state.value, created=run.created, body=run.body())

    def _tell(self, run: Run, step: RunStep) -> None:
        self._core.revision += 1
        self._core.events.publish(
            "step",
            f"run {run.id}: {step.server} {step.action} {step.state}" + (f" ({step.why})" if step.why else ""),
            step.server,
            run=run.id,
            action=step.action,
            state=step.state,
        )


def _few(names: Iterable[str], most: int = 5) -> str:
    listed = list(names)
    return ", ".join(listed[:most]) + (f" and {len(listed) - most} more" if len(listed) > most else "")


def _counts(summary: dict[str, int]) -> tuple[int, int, int]:
    return summary["done"], summary["failed"], summary["skipped"]
