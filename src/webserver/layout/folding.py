"""Leaves that are alike, drawn as one stack: web[1-24]."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from ...common.hostranges import fold_names
from .topology import Kind, Topology

LEAST = 3
"""Servers that make a stack, at least."""

_NUMBERED = re.compile(r"([^\[\]]*?)[0-9]{1,18}([^0-9\[\]]*)", re.DOTALL)


@dataclass(frozen=True)
class Folded:
    """A topology where leaves that are alike are one.

    ``stacks``  name of the stack -> its members, in natural order; no server has the name of a stack
    """

    topology: Topology
    stacks: dict[str, tuple[str, ...]]


def stacks(topology: Topology) -> dict[str, tuple[str, ...]]:
    """Return the stacks that could be made: numbered servers of one name that need the same and that nobody needs.

    Who shares an outlet with somebody is no leaf like the others.
    """
    groups: dict[tuple[object, ...], list[str]] = {}
    lines = _lines(topology)
    mates = topology.mates
    for name in topology.names:
        match = _NUMBERED.fullmatch(name)
        if match and not topology.needed_by[name] and name not in mates:
            groups.setdefault((match.groups(), lines.get(name, frozenset())), []).append(name)
    found: dict[str, tuple[str, ...]] = {}
    for members in groups.values():
        named = fold_names(members)
        if len(members) >= LEAST and len(named) == 1 and named[0] not in topology.needs and named[0] not in found:
            found[named[0]] = tuple(members)
    return found


def _lines(topology: Topology) -> dict[str, frozenset[tuple[str, Kind]]]:
    """Return server -> its lines to what it needs."""
    found: dict[str, set[tuple[str, Kind]]] = {}
    for edge in topology.edges:
        if edge.kind is not Kind.MATE:
            found.setdefault(edge.target, set()).add((edge.source, edge.kind))
    return {name: frozenset(lines) for name, lines in found.items()}


def fold(topology: Topology, unfolded: Collection[str] = ()) -> Folded:
    """Return ``topology`` with its stacks made, but for those named in ``unfolded``."""
    made = {stack: members for stack, members in stacks(topology).items() if stack not in unfolded}
    new = {member: stack for stack, members in made.items() for member in members}
    return Folded(topology.renamed(new), made)
