"""Visits every state that can be reached, nearest first, and looks where each ends when nothing more goes wrong."""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass, field

from .daemon import Model
from .state import State


@dataclass
class Finding:
    """A broken promise and the shortest way there."""

    what: str
    trace: list[str]

    def __str__(self) -> str:
        lines = [f"{self.what}, after {len(self.trace)} steps:"]
        return "\n".join([*lines, *(f"  {number:2} {label}" for number, label in enumerate(self.trace, 1))])


@dataclass
class Exploration:
    """``longest``  steps of the longest way to rest when nothing more goes wrong; ``rests``  states at rest."""

    states: int = 0
    steps: int = 0
    longest: int = 0
    rests: int = 0
    complete: bool = True
    findings: list[Finding] = field(default_factory=list)


class Explorer:
    """Explores one model. ``most``: stop after that many states (0 = never), and say so; ``findings``: of how many
    kinds the first is kept before the search ends."""

    def __init__(self, model: Model, most: int = 0, findings: int = 1) -> None:
        self._model = model
        self._most = most
        self._most_findings = findings
        self._numbers: dict[State, int] = {}
        self._parents = array("i")
        self._labels: list[str] = []
        self._sources, self._targets = array("i"), array("i")  # the steps that are free
        self._result = Exploration()

    def run(self) -> Exploration:
        """Return what was found; a broken invariant ends the search, being the nearest one."""
        for state in self._model.configuration.starts():
            self._add(state, -1, "")
        states = list(self._numbers)
        labels: dict[str, str] = {}
        number = 0
        while number < len(states):
            if self._most and len(states) > self._most:
                self._result.complete = False
                break
            for label, after, free, bad in self._model.steps(states[number]):
                self._result.steps += 1
                label = labels.setdefault(label, label)  # noqa: PLW2901 - one string for all
                found = bad or self._published(states[number], after)
                if found:
                    self._find(found, number, label)
                    if len(self._result.findings) >= self._most_findings:
                        return self._ended(states)
                    continue
                known = self._numbers.get(after)
                if known is None:
                    known = self._add(after, number, label)
                    states.append(after)
                if free:
                    self._sources.append(number)
                    self._targets.append(known)
            number += 1
        if self._result.complete and not self._result.findings:
            self._look_for_rest(states)
        return self._ended(states)

    def _ended(self, states: list[State]) -> Exploration:
        self._result.states = len(states)
        return self._result

    def _add(self, state: State, parent: int, label: str) -> int:
        number = self._numbers[state] = len(self._numbers)
        self._parents.append(parent)
        self._labels.append(label)
        return number

    def _published(self, before: State, after: State) -> str:
        if after.servers is before.servers and after.outlets is before.outlets:
            return ""
        for index, server in enumerate(after.servers):
            if server is not before.servers[index] or after.outlets is not before.outlets:
                bad = self._model.judge.published(before.servers[index], after, index)
                if bad:
                    return f"{bad} ({self._model.planner.names[index]})"
        return ""

    def _find(self, what: str, number: int, *labels: str) -> None:
        if any(one.what == what for one in self._result.findings):
            return
        trace = [*reversed(labels)]
        while number >= 0 and self._parents[number] >= 0:
            trace.append(self._labels[number])
            number = self._parents[number]
        self._result.findings.append(Finding(what, trace[::-1]))

    # -- nothing more goes wrong

    def _look_for_rest(self, states: list[State]) -> None:
        """Every way of free steps ends, and ends well: no circle among them (no livelock), no bad last state."""
        count = len(states)
        ways_out = array("i", bytes(4 * count))
        into: list[list[int]] = [[] for _ in range(count)]
        for source, target in zip(self._sources, self._targets, strict=True):
            ways_out[source] += 1
            into[target].append(source)
        ready = deque(number for number in range(count) if not ways_out[number])
        self._result.rests = len(ready)
        for number in ready:
            bad = self._model.judge.at_rest(states[number])
            if bad:
                self._find(bad, number)
                return
        length = array("i", bytes(4 * count))
        settled = 0
        while ready:
            number = ready.popleft()
            settled += 1
            for source in into[number]:
                length[source] = max(length[source], length[number] + 1)
                ways_out[source] -= 1
                if not ways_out[source]:
                    ready.append(source)
        if settled < count:
            self._find_circle(states, ways_out)
        self._result.longest = max(length, default=0)

    def _find_circle(self, states: list[State], ways_out: array[int]) -> None:
        first = next(number for number in range(len(states)) if ways_out[number])
        walk, at = [], first
        seen: set[int] = set()
        labels = []
        while at not in seen:
            seen.add(at)
            walk.append(at)
            for label, after, free, _ in self._model.steps(states[at]):
                number = self._numbers[after]
                if free and ways_out[number]:
                    labels.append(label)
                    at = number
                    break
        start = walk.index(at)
        self._find("livelock: the last steps repeat for ever", first, *labels[:start], "-- for ever:", *labels[start:])
