"""What is made of the nodes: problems, samples, and what a client is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ...common.clock import Clock
from ...common.metrics import GAUGE, Family
from ...common.problems import Problem, Severity
from ...config.limits import Limit
from ...store.samples.sample_store import Series
from ..sampling import Measured
from .limit_watch import LimitSeen
from .node_watch import NodeState, Seen, over, said
from .nodes import Node

KIND = "node"
Looks = Iterable[tuple[Node, Seen]]


def problems(looks: Looks, rests: Callable[[str], bool]) -> Iterator[Problem]:
    """Yield what is wrong with the nodes now. ``rests``: whether a server is off, or being switched, at this moment."""
    for node, seen in looks:
        if seen.state is NodeState.OFF or (node.server and rests(node.server)):
            continue
        if seen.state is NodeState.MISSING:
            yield _missing(node, seen)
        yield from _beyond(node, seen)


def _missing(node: Node, seen: Seen) -> Problem:
    return Problem(
        key=f"node/{node.name}",
        kind="node",
        severity=Severity.WARNING,
        subject=f"node/{node.name}",
        text=f"{node.name}: its figures are missing: {seen.problem}",
        server=node.server,
        hangs_on=(f"server/{node.server}",) if node.server else (),
    )


def _beyond(node: Node, seen: Seen) -> Iterator[Problem]:
    """Yield one problem for each figure and side, as bad as the worst of the limits that it is beyond."""
    worst: dict[tuple[str, bool], tuple[Limit, LimitSeen]] = {}
    for limit, known in over(node, seen):
        place = (limit.key, limit.above)
        if place not in worst or worst[place][0].severity.rank < limit.severity.rank:
            worst[place] = (limit, known)
    for (key, above), (limit, known) in worst.items():
        yield Problem(
            key=f"limit/{node.name}/{key}{'' if above else '/low'}",
            kind="limit",
            severity=limit.severity,
            subject=f"node/{node.name}/{key}",
            text=f"{node.name}: {said(limit, known)}",
            server=node.server,
            hangs_on=(f"node/{node.name}",),
        )


def measured(looks: Looks) -> dict[Series, Measured]:
    """Return the figures of the nodes that answer, for the samples."""
    return {
        Series(node.server, KIND, node.name, key): Measured(value, seen.at, node.monitor.interval)
        for node, seen in looks
        if seen.at is not None and seen.state is NodeState.UP
        for key, value in seen.figures.items()
    }


def answers(looks: Looks) -> Family:
    """Return which nodes answer, for Prometheus; nothing of those that are not asked, or have not been."""
    family = Family("ockle_node_up", GAUGE, "1 while a node answers, 0 while its figures are missing.")
    for node, seen in looks:
        if seen.state in (NodeState.UP, NodeState.MISSING):
            labels = {"node": node.name} | ({"server": node.server} if node.server else {})
            family.add(int(seen.state is NodeState.UP), **labels)
    return family


def as_dict(node: Node, seen: Seen, clock: Clock) -> dict[str, Any]:
    """Return a node for a client."""
    return {
        "name": node.name,
        "server": node.server,
        "monitor": node.monitor.name,
        "url": node.url,
        "state": seen.state.value,
        "since": _wall(clock, seen.since),
        "at": seen.wall,
        "problem": seen.problem,
        "figures": dict(seen.figures),
        "limits": [
            {
                "key": limit.key,
                "rule": limit.text,
                "severity": limit.severity.value,
                "state": (known := seen.limit(limit)).level.value,
                "since": _wall(clock, known.since) if known.seen_at else None,
                "value": known.value,
            }
            for limit in node.monitor.limits
        ],
    }


def _wall(clock: Clock, moment: float) -> float:
    return round(clock.wall() - (clock.now() - moment), 1)


def never_sent(looks: Looks) -> list[str]:
    """Return in a line each the limits whose figure no node of their monitor has, although some answer."""
    wanted: dict[tuple[str, str], str] = {}
    sent: dict[str, set[str]] = {}
    for node, seen in looks:
        wanted |= {(node.monitor.name, limit.key): limit.text for limit in node.monitor.limits}
        if seen.figures:
            sent.setdefault(node.monitor.name, set()).update(seen.figures)
    return [
        f"monitor {monitor}: no node sends {key}, so the limit {text!r} guards nothing; they send "
        f"{', '.join(sorted(sent[monitor])[:20])}"
        for (monitor, key), text in wanted.items()
        if monitor in sent and key not in sent[monitor]
    ]
