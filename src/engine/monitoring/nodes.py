"""Which nodes there are, and where each is asked. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ...config.monitors import Monitor


@dataclass(frozen=True, slots=True)
class Node:
    """Something that is asked for its figures.

    ``name``    of the server, or its own; ``NAME@MONITOR`` when an earlier monitor asks the same
    ``server``  "" for one that is no server
    """

    name: str
    server: str
    monitor: Monitor
    url: str


def nodes_of(
    monitors: Iterable[Monitor],
    members: Mapping[str, Iterable[str]],
    addresses: Mapping[str, str],
    boards: Mapping[str, tuple[str, str]],
    servers: Iterable[str],
) -> dict[str, Node]:
    """Return the nodes by name, in the order of the monitors' names and their own.

    ``members``    monitor -> the servers that its ``servers`` select
    ``addresses``  server -> its address
    ``boards``     name of a board -> its server, "" for none, and its address
    ``servers``    all there are: one of ``more`` that is called like a server is that server
    """
    found: dict[str, Node] = {}
    known = set(servers)
    for monitor in sorted(monitors, key=lambda one: one.name):
        if not monitor.enabled:
            continue
        places = dict(_places(monitor, members.get(monitor.name, ()), addresses, boards))
        places |= {name: (name if name in known else "", place) for name, place in monitor.more.items()}
        for name in sorted(places):
            server, place = places[name]
            free = name if name not in found else f"{name}@{monitor.name}"
            found[free] = Node(free, server, monitor, monitor.url_of(place))
    return found


def _places(
    monitor: Monitor,
    members: Iterable[str],
    addresses: Mapping[str, str],
    boards: Mapping[str, tuple[str, str]],
) -> Iterator[tuple[str, tuple[str, str]]]:
    for board, (server, address) in boards.items() if monitor.boards else ():
        yield server or board, (server, address)
    for server in members:
        yield server, (server, addresses.get(server, server))
