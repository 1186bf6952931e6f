"""One node over time: whether it answers, its figures, its limits. Pure: answers and moments in, what is known out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from ...config.limits import Limit
from .figures import figures_of, steady
from .limit_watch import Level, LimitSeen, judged, not_told, out_of_touch
from .nodes import Node

FORGET_S = 600.0
"""How long a figure that is no longer sent stays beyond its limit."""


class NodeState(StrEnum):
    """``waiting``: it has not answered yet, or not for long enough; ``off``: it is not asked, for its server is off."""

    UP = "up"
    MISSING = "missing"
    WAITING = "waiting"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a node. Moments are those of the engine's clock; ``wall``: seconds since 1970.

    ``since``       when its state began
    ``lost_since``  when it first did not answer, None = it does
    ``at``          when its figures came, None = they never did
    ``problem``     why there are none, or what is wrong with them
    ``limits``      text of a limit -> what is known of it
    ``names``       under which figures have come so far
    """

    state: NodeState = NodeState.WAITING
    since: float = 0.0
    lost_since: float | None = None
    at: float | None = None
    wall: float | None = None
    problem: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    limits: Mapping[str, LimitSeen] = field(default_factory=dict)
    names: frozenset[str] = frozenset()

    def limit(self, limit: Limit) -> LimitSeen:
        return self.limits.get(limit.text, LimitSeen())


def answered(node: Node, before: Seen, found: Mapping[str, Any], now: float, wall: float) -> Seen:
    """Return what is known after an answer, whether there are figures in it or not."""
    limited = [limit.key for limit in node.monitor.limits]
    figures, problem = figures_of(found, limited)
    good, names, more = steady(figures, before.names, limited)
    problem, known = "; ".join(filter(None, (problem, more))), replace(before, names=names)
    return saw(node, known, good, problem, now, wall) if good else lost(node, known, problem, now)


def saw(node: Node, before: Seen, figures: Mapping[str, float], problem: str, now: float, wall: float) -> Seen:
    """Return what is known after an answer with figures."""
    limits = {}
    for limit in node.monitor.limits:
        known = before.limit(limit)
        value = figures.get(limit.key)
        patience = max(FORGET_S, 3 * node.monitor.interval)
        limits[limit.text] = not_told(known, now, patience) if value is None else judged(limit, known, value, now)
    since = before.since if before.state is NodeState.UP else now
    return Seen(NodeState.UP, since, None, now, wall, problem, figures, limits, before.names)


def lost(node: Node, before: Seen, problem: str, now: float) -> Seen:
    """Return what is known when there was no answer, or none that could be used."""
    lost_since = now if before.lost_since is None else before.lost_since
    after = node.monitor.missing_after
    gone = before.state is NodeState.MISSING or (after > 0 and now - lost_since >= after)
    state = NodeState.MISSING if gone else NodeState.WAITING
    return replace(
        before,
        state=state,
        since=before.since if before.state is state else now,
        lost_since=lost_since,
        problem=problem,
        limits={limit.text: out_of_touch(before.limit(limit), now) for limit in node.monitor.limits},
    )


def rested(before: Seen, now: float) -> Seen:
    """Return what is known of a node whose server is off, or being switched: nothing, and nothing is wrong."""
    return before if before.state is NodeState.OFF else Seen(NodeState.OFF, now, names=before.names)


def awake(before: Seen, now: float) -> Seen:
    """Return what is known of a node whose server came back."""
    return Seen(since=now, names=before.names) if before.state is NodeState.OFF else before


def over(node: Node, seen: Seen) -> Iterator[tuple[Limit, LimitSeen]]:
    """Yield the limits that the node is beyond."""
    for limit in node.monitor.limits:
        known = seen.limit(limit)
        if known.level is Level.OVER:
            yield limit, known


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is worth a line."""

    text: str
    good: bool


def changes(node: Node, before: Seen, after: Seen) -> Iterator[Change]:
    """Yield what a person wants to know of the step from ``before`` to ``after``; one lost answer is not worth it."""
    was_missing, is_missing = (one.state is NodeState.MISSING for one in (before, after))
    if is_missing and not was_missing:
        yield Change(f"its figures are missing: {after.problem}", good=False)
    elif after.state is NodeState.UP:
        if was_missing:
            yield Change("its figures are back", good=True)
        if after.problem and kind_of(after.problem) != kind_of(before.problem):
            yield Change(after.problem, good=False)
        elif before.state is NodeState.UP and before.problem and not after.problem:
            yield Change("nothing is wrong with its figures any more", good=True)
    if after.state is not NodeState.OFF:
        yield from _limits(node, before, after)


def kind_of(problem: str) -> str:
    """Return a problem without its figures, which may differ each time."""
    return "".join(letter for letter in problem if not letter.isdigit())


def _limits(node: Node, before: Seen, after: Seen) -> Iterator[Change]:
    for limit in node.monitor.limits:
        was, now = before.limit(limit), after.limit(limit)
        if now.level is Level.OVER and was.level is not Level.OVER:
            yield Change(said(limit, now), good=False)
        elif was.level is Level.OVER and now.level is not Level.OVER:
            value = f" is {now.value:g}" if now.value is not None else " is not sent any more"
            yield Change(f"{limit.key}{value}: {limit.text} is over", good=True)


def said(limit: Limit, seen: LimitSeen) -> str:
    """Return a limit that is passed, for a person."""
    side = "more" if limit.above else "less"
    value = "was" if seen.value is None else f"is {seen.value:g},"
    return f"{limit.key} {value} {side} than {limit.bound:g}"
