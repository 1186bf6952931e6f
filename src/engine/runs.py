"""Runs: what was ordered, by whom, how far it is, and how it ended."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ..networkTree.plan import Plan


class StepState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


OPEN_STEPS = frozenset({StepState.WAITING, StepState.RUNNING})


class RunState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class RunStep:
    """One server's part; ``action`` is "on", "off" or "cut". ``started`` and ``ended`` are seconds since 1970.

    ``start_s`` to ``because`` are as in the plan, see ``networkTree.plan.Step``.
    """

    server: str
    action: str
    eta_s: float
    p95_s: float = 0.0
    learned: bool = False
    start_s: float = 0.0
    critical: bool = False
    needs: list[str] = field(default_factory=list)
    because: str = ""
    state: StepState = StepState.WAITING
    why: str = ""
    started: float | None = None
    ended: float | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "server": self.server,
            "action": self.action,
            "state": self.state.value,
            "why": self.why,
            "started": self.started,
            "ended": self.ended,
            "eta_s": self.eta_s,
            "p95_s": self.p95_s,
            "learned": self.learned,
            "start_s": self.start_s,
            "critical": self.critical,
            "needs": self.needs,
            "because": self.because,
        }


@dataclass(slots=True)
class Run:
    """An order being carried out.

    ``stages``    the steps by server, one stage after the other (a restart has two)
    ``before``    what each server was to be before, for a cancel
    ``timeout``   seconds from its begin after which it ends, whatever is still open
    ``orders``    the ``desired_gen`` that each server got by this run: another one means that another order came
    ``ending``    the state it is to end in once what runs has ended; None = by its steps
    ``grace``     seconds from ``created`` in which it can be taken back before anything is done
    ``begun``     False within that time
    """

    id: int
    action: str
    targets: list[str]
    who: str
    via: str
    note: str
    created: float
    total_s: float
    timeout: float
    stages: list[dict[str, RunStep]]
    graceful: bool = True
    unguarded: bool = False
    grace: float = 0.0
    begun: bool = True
    before: dict[str, str | None] = field(default_factory=dict)
    orders: dict[str, int] = field(default_factory=dict)
    stage: int = 0
    state: RunState = RunState.RUNNING
    ending: RunState | None = None
    ended: float | None = None
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    open_steps: int = 0  # steps of the current stage that are not at an end

    @property
    def current(self) -> dict[str, RunStep]:
        return self.stages[self.stage]

    def steps(self) -> list[RunStep]:
        return [step for stage in self.stages for step in stage.values()]

    def count(self, *states: StepState) -> int:
        return sum(step.state in states for step in self.steps())

    def summary(self, wall: float) -> dict[str, Any]:
        done = self.count(StepState.DONE)
        total = len(self.steps())
        begins, running = self.created + self.grace, self.state is RunState.RUNNING
        left = max(0.0, self.total_s - (wall - begins)) if running else None
        return {
            "id": self.id,
            "action": self.action,
            "targets": self.targets,
            "who": self.who,
            "via": self.via,
            "note": self.note,
            "created": self.created,
            "begins": begins,
            "begun": self.begun,
            "ended": self.ended,
            "state": self.state.value,
            "done": done,
            "failed": self.count(StepState.FAILED),
            "skipped": self.count(StepState.SKIPPED, StepState.CANCELLED, StepState.SUPERSEDED),
            "total": total,
            "total_s": self.total_s,
            "eta_s": left,
        }

    def as_dict(self, wall: float) -> dict[str, Any]:
        return {**self.summary(wall), "steps": [step.as_dict() for step in self.steps()]}

    def row(self) -> dict[str, Any]:
        """Return what the store keeps of the run, see ``from_row``."""
        return {"id": self.id, "state": self.state.value, "created": self.created, "body": self.body()}

    def body(self) -> dict[str, Any]:
        """Return what the store keeps, enough to go on after a restart."""
        return {
            "action": self.action,
            "targets": self.targets,
            "who": self.who,
            "via": self.via,
            "note": self.note,
            "ended": self.ended,
            "total_s": self.total_s,
            "timeout": self.timeout,
            "graceful": self.graceful,
            "unguarded": self.unguarded,
            "grace": self.grace,
            "begun": self.begun,
            "before": self.before,
            "orders": self.orders,
            "ending": self.ending,
            "stage": self.stage,
            "stages": [[step.as_dict() for step in stage.values()] for stage in self.stages],
        }


def from_plan(number: int, plan: Plan, *, who: str, via: str, note: str, wall: float, timeout: float) -> Run:
    """Return the run that carries out ``plan``."""
    stages: list[dict[str, RunStep]] = []
    previous = ""
    for step in plan.steps:
        if step.action != previous:
            stages.append({})
            previous = step.action
        stages[-1][step.server] = RunStep(
            step.server,
            step.action,
            step.eta_s,
            step.p95_s,
            step.learned,
            step.start_s,
            step.critical,
            list(step.needs),
            step.because,
        )
    return Run(
        id=number,
        action=plan.action,
        targets=plan.targets,
        who=who,
        via=via,
        note=note,
        created=wall,
        total_s=plan.total_s,
        timeout=timeout,
        stages=stages or [{}],
        graceful=plan.action != "cut",
    )


def from_row(row: dict[str, Any]) -> Run:
    """Return the run that ``Run.row`` told of; raises KeyError, TypeError, ValueError for nonsense."""
    body = row["body"]
    stages = []
    for stage in body["stages"]:
        steps = {}
        for one in stage:
            step = RunStep(**{**one, "state": StepState(one["state"])})
            steps[step.server] = step
        stages.append(steps)
    run = Run(
        id=row["id"],
        action=body["action"],
        targets=body["targets"],
        who=body["who"],
        via=body["via"],
        note=body["note"],
        created=row["created"],
        total_s=body["total_s"],
        timeout=body["timeout"],
        stages=stages,
        graceful=body["graceful"],
        unguarded=body["unguarded"],
        grace=body.get("grace", 0.0),
        begun=body.get("begun", True),
        before=body["before"],
        orders=body.get("orders", {}),
        stage=body["stage"],
        state=RunState(row["state"]),
    )
    run.ended = body["ended"]
    run.ending = RunState(body["ending"]) if body.get("ending") else None
    if run.state is not RunState.RUNNING:
        run.finished.set()
    return run
