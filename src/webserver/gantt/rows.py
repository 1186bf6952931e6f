"""The rows of a plan or a run, in the order in which they begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..texts import N_

PLANNED = "planned"
STATES = (
    N_("planned"),
    N_("waiting"),
    N_("running"),
    N_("done"),
    N_("failed"),
    N_("skipped"),
    N_("cancelled"),
    N_("superseded"),
)
"""Of a step, as they are shown."""
OPEN = frozenset({PLANNED, "waiting", "running"})


@dataclass(frozen=True, slots=True)
class Row:
    """One step. Times in seconds from the begin of the run.

    ``seconds``      what it usually takes, ``worst_s`` in a bad case; ``learned``: else both are guessed from limits
    ``state``        of the step of a run; PLANNED in a plan
    ``real_begin``   when it began and, as ``real_end``, ended or is now; None while it has not begun
    """

    server: str
    action: str
    begin: float
    seconds: float
    worst_s: float
    learned: bool
    critical: bool
    because: str = ""
    needs: tuple[str, ...] = ()
    state: str = PLANNED
    why: str = ""
    real_begin: float | None = None
    real_end: float | None = None

    @property
    def end(self) -> float:
        return self.begin + self.seconds

    @property
    def has_plan(self) -> bool:
        """Whether its plan is worth a bar: a mere guess is not, once it is known how long it took."""
        return self.learned or self.state in OPEN

    @property
    def worst_end(self) -> float:
        """Where the whisker ends; a guess has none."""
        return self.begin + max(self.seconds, self.worst_s) if self.learned else self.end

    @property
    def last(self) -> float:
        """The last moment that belongs to the row."""
        return max(self.worst_end if self.has_plan else 0.0, self.real_end or 0.0)


def rows_of_plan(plan: Mapping[str, Any]) -> list[Row]:
    """Return the rows of the daemon's reply to ``plan``."""
    return _in_order([_row(step) for step in plan["steps"]])


def rows_of_run(run: Mapping[str, Any], now: float) -> list[Row]:
    """Return the rows of the daemon's reply to ``getRun``; ``now``: seconds since 1970."""
    began = run["begins"]
    found = []
    for step in run["steps"]:
        started, ended = step["started"], step["ended"]
        end = None if started is None else max(0.0, (ended if ended is not None else now) - began)
        begin = None if started is None else max(0.0, started - began)
        found.append(_row(step, state=step["state"], why=step["why"], real_begin=begin, real_end=end))
    return _in_order(found)


def now_of_run(run: Mapping[str, Any], now: float) -> float | None:
    """Return the seconds from a run's begin to now, for the now line; None once it has ended."""
    return None if run["ended"] is not None else max(0.0, now - run["begins"])


def _row(step: Mapping[str, Any], **more: Any) -> Row:
    return Row(
        server=step["server"],
        action=step["action"],
        begin=step["start_s"],
        seconds=step["eta_s"],
        worst_s=step["p95_s"],
        learned=step["learned"],
        critical=step["critical"],
        because=step["because"],
        needs=tuple(step["needs"]),
        **more,
    )


def _in_order(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row.begin)  # stable: what begins together stays in the daemon's order
