"""Schedules that did not do what they are for. On the device loop."""

from __future__ import annotations

from collections.abc import Iterator

from ...common.problems import Problem, Severity
from ..scheduler import Scheduler

REMEMBERED_S = 86400.0
"""How long a time that was missed or refused counts as something to see to, if no other comes meanwhile."""
BAD = frozenset({"missed", "refused"})


def schedule_problems(scheduler: Scheduler, wall: float) -> Iterator[Problem]:
    """Yield the schedules whose last time was missed or refused."""
    for name, last in scheduler.last().items():
        if last.what in BAD and wall - last.at < REMEMBERED_S:
            subject, text = f"schedule/{name}", last.text if last.what == "missed" else f"refused: {last.text}"
            yield Problem(subject, "schedule", Severity.WARNING, subject, f"schedule {name}: {text}")
