"""Counts switchings and runs as the events tell of them, since the daemon started."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable

from ...common.clock import Clock
from ...common.common import FAILED_START, OpState
from ...common.events import Event
from ...common.metrics import COUNTER, HISTOGRAM, Family, Histogram
from ...networkTree.plan import ACTIONS

ON, OFF = "on", "off"
OPERATION = {OpState.SwitchingOn.value: ON, OpState.SwitchingOff.value: OFF}
RESULTS = {
    ON: {OpState.OK.value: "ok", **dict.fromkeys((state.value for state in FAILED_START), "failed")},
    OFF: {
        OpState.OFF.value: "ok",
        OpState.failedToStop.value: "failed",
        OpState.permanentlyFailedToStop.value: "failed",
    },
}
"""Operation -> what the state after it says of it; any other state: it was dropped for something else."""
WHAT_BECAME = ("ok", "failed", "dropped")
TRANSITION_EDGES = (1, 5, 10, 20, 30, 60, 120, 300, 600, 1800)
RUN_EDGES = (5, 15, 30, 60, 120, 300, 600, 1200, 3600, 7200)
ENDED = frozenset({"done", "failed", "cancelled"})


class Tally:
    """A listener of the event bus. May be used from any thread.

    Durations are of the clock that does not jump. A run that an earlier daemon began is counted when it ends, but how
    long it took is not known here.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._switching: dict[str, tuple[str, float]] = {}  # server -> operation, and when it began
        self._begun: dict[int, float] = {}  # run that has not ended -> when it began
        self._transitions: Counter[tuple[str, str]] = Counter(
            {(op, result): 0 for op in (ON, OFF) for result in WHAT_BECAME}
        )
        self._took = {op: Histogram(TRANSITION_EDGES) for op in (ON, OFF)}
        # what never happened is told as 0: a counter whose first value is 1 has not risen for who looks at its rise
        self._runs: Counter[tuple[str, str]] = Counter(
            {(one, result): 0 for one in ACTIONS for result in sorted(ENDED)}
        )
        self._runs_took: dict[str, Histogram] = {}

    def take(self, event: Event) -> None:
        if event.kind == "state":
            with self._lock:
                self._take_state(event.server, str(event.data.get("state", "")))
        elif event.kind == "run" and "action" in event.data:
            with self._lock:
                self._take_run(event.data["run"], str(event.data["action"]), str(event.data.get("state", "")))

    def _take_state(self, server: str, state: str) -> None:
        now = self._clock.now()
        op, begun = self._switching.pop(server, ("", now))
        if op:
            result = RESULTS[op].get(state, "dropped")
            self._transitions[op, result] += 1
            if result == "ok":
                self._took[op].observe(now - begun)
        if state in OPERATION:
            self._switching[server] = OPERATION[state], now

    def _take_run(self, run: int, action: str, state: str) -> None:
        if state not in ENDED:
            self._begun[run] = self._clock.now()
            return
        self._runs[action, state] += 1
        begun = self._begun.pop(run, None)
        if begun is not None:
            self._runs_took.setdefault(action, Histogram(RUN_EDGES)).observe(self._clock.now() - begun)

    def families(self) -> Iterable[Family]:
        transitions = Family(
            "ockle_transitions", COUNTER, "Switchings of servers that have ended, by what became of them."
        )
        took = Family("ockle_transition_duration_seconds", HISTOGRAM, "How long switchings took that went well.")
        runs = Family("ockle_runs", COUNTER, "Runs that have ended, by what became of them.")
        runs_took = Family("ockle_run_duration_seconds", HISTOGRAM, "How long runs took, whatever became of them.")
        with self._lock:
            for (op, result), count in self._transitions.items():
                transitions.count(count, op=op, result=result)
            for op, histogram in self._took.items():
                took.observed(histogram, op=op)
            for (action, result), count in self._runs.items():
                runs.count(count, action=action, result=result)
            for action, histogram in self._runs_took.items():
                runs_took.observed(histogram, action=action)
        return transitions, took, runs, runs_took
