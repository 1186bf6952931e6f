"""What is near a server: what it needs and what needs it, so many steps away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .topology import Topology


def reach(start: str, onward: Mapping[str, Sequence[str]], steps: int | None = None) -> dict[str, int]:
    """Return what can be reached from ``start`` -> how many steps away, nearest first; ``start`` itself is 0 away."""
    away = {start: 0}
    todo = [start]
    for name in todo:  # grows while it is walked
        if steps is None or away[name] < steps:
            for other in onward[name]:
                if other not in away:
                    away[other] = away[name] + 1
                    todo.append(other)
    return away


def neighbourhood(topology: Topology, server: str, steps: int, most: int | None = None) -> Topology:
    """Return ``server`` with all that it needs and all that needs it at most ``steps`` away, and its mates.

    ``most``  servers, at most: the nearest, what is needed before what needs, then by name
    Raises KeyError when there is no such server.
    """
    up = reach(server, topology.needs, steps)
    down = reach(server, topology.needed_by, steps)
    mates = topology.mates.get(server, ())
    near = {server: 0, **dict.fromkeys(mates, 1)}
    for name, away in sorted([*up.items(), *down.items()], key=lambda one: one[1]):  # stable: needed first
        near.setdefault(name, away)
    return topology.only(list(near)[:most])
