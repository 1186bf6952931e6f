"""Finds cycles in who needs whom, where servers on one outlet count as one, and tells them in words. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

import networkx

from ..common.errors import DependencyException
from .sharing import Sharing


@dataclass(frozen=True, slots=True)
class Implied:
    """A dependency that nobody wrote down as one: ``server`` needs ``needed`` because of a ``via``.

    ``text``  why, for a person: "pdu-a is reached through sw1"
    ``file``, ``section``  where its option ``via`` stands
    """

    server: str
    needed: str
    text: str
    file: str
    section: str


def quotient(graph: networkx.DiGraph[str], sharing: Sharing) -> networkx.DiGraph[str]:
    """Return ``graph``, whose edges run from what is needed to what needs it, with each group as one node."""
    if not sharing:
        return graph
    found: networkx.DiGraph[str] = networkx.DiGraph()
    found.add_nodes_from(sharing.group(name)[0] for name in graph)
    found.add_edges_from((sharing.group(left)[0], sharing.group(right)[0]) for left, right in graph.edges)
    return found


def find_cycle(graph: networkx.DiGraph[str], sharing: Sharing) -> tuple[str, ...]:
    """Return a cycle, () if there is none: a, what it needs or shares an outlet with …, a. The first needs the second.

    A dependency that was written down comes first, if there is one in the cycle: there it can be mended.
    Cost: O(servers + dependencies).
    """
    small = quotient(graph, sharing)
    if networkx.is_directed_acyclic_graph(small):
        return ()
    knot = next(
        part
        for part in networkx.strongly_connected_components(small)
        if len(part) > 1 or any(small.has_edge(name, name) for name in part)
    )
    inside = [
        (left, right)
        for left, right in graph.edges
        if sharing.group(left)[0] in knot and sharing.group(right)[0] in knot
    ]
    needed, server = min(inside, key=lambda edge: graph.edges[edge].get("implied") is not None)
    return closed_by(graph, sharing, server, needed)


def closed_by(graph: networkx.DiGraph[str], sharing: Sharing, server: str, needed: str) -> tuple[str, ...]:
    """Return the shortest cycle that ``server`` needing ``needed`` closes, or would close; () if none."""
    if server == needed:
        return (server, server)
    if not sharing:
        if not networkx.has_path(graph, server, needed):
            return ()
        return (server, *reversed(networkx.shortest_path(graph, server, needed)))
    path = _path(server, needed, lambda name: [*graph.successors(name), *sharing.mates(name)])
    return (server, *reversed(path)) if path else ()


def _path(start: str, goal: str, onward: Callable[[str], Iterable[str]]) -> list[str]:
    came: dict[str, str] = {start: start}
    todo = [start]
    for name in todo:  # grows while it is walked
        for other in onward(name):
            if other not in came:
                came[other] = name
                todo.append(other)
        if goal in came:
            break
    if goal not in came:
        return []
    path = [goal]
    while path[-1] != start:
        path.append(came[path[-1]])
    return path[::-1]


def cycle_error(graph: networkx.DiGraph[str], sharing: Sharing, cycle: tuple[str, ...]) -> DependencyException:
    """Return the error that tells ``cycle``; a step that is no plain dependency says what it is."""
    words = [cycle[0]]
    for name, needed in pairwise(cycle):
        implied: Implied | None = graph.get_edge_data(needed, name, default={}).get("implied")
        if implied is not None:
            words.append(f"{needed} ({implied.text})")
        elif not graph.has_edge(needed, name) and needed in sharing.mates(name):
            words.append(f"{needed} (on the same outlet, {sharing.mates(name)[needed]})")
        else:
            words.append(needed)
    first = graph.get_edge_data(cycle[1], cycle[0], default={}).get("implied")
    place = (first.file, first.section) if first is not None else None
    return DependencyException("the dependencies have a cycle: " + " -> ".join(words), cycle, place)
