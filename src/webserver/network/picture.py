"""The network as it is drawn: what of it, where, and in which looks. Positions depend on the topology alone."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ..layout.arrange import arrange, depth
from ..layout.folding import Folded, fold, stacks
from ..layout.model import Layout, Metrics
from ..layout.neighbourhood import neighbourhood
from ..layout.topology import Topology
from ..states import look
from .view import STEPS, View
from .words import box_width

MOST = 500
"""Boxes that are drawn at once; of larger networks, what is near one server."""
MARGIN_PX = 16
SHEET_PX = 950
"""Width of the sheet in a usual window: boxes are as wide as there is room for."""
GAP_PX = 52
"""Usual space between columns: more than the least, as some lines are steep."""
METRICS = Metrics(height=56, row_gap=12, column_gap=40, margin=MARGIN_PX, page=SHEET_PX - 2 * MARGIN_PX)
KEPT = 16
"""Pictures that are remembered."""

Servers = Mapping[str, Mapping[str, Any]]
"""As ``status`` of the daemon has them."""


@dataclass(frozen=True)
class Picture:
    """What is drawn.

    ``topology``  the whole network, not folded
    ``drawn``     what is drawn of it, with its stacks
    ``stacks``    name -> members, drawn as one box
    ``foldable``  all stacks that could be made: name -> members
    ``centre``    the server whose neighbourhood it is; "" when it is all of the network
    ``steps``     how far the neighbourhood reaches
    ``too_many``  boxes that all of the network would have, when that is why only a neighbourhood is drawn; else 0
    """

    topology: Topology
    drawn: Topology
    layout: Layout
    stacks: Mapping[str, tuple[str, ...]]
    foldable: Mapping[str, tuple[str, ...]]
    centre: str = ""
    steps: int = 0
    too_many: int = 0

    @cached_property
    def shown(self) -> frozenset[str]:
        """The servers that are drawn, those in stacks as well."""
        return frozenset(name for box in self.drawn.names for name in self.stacks.get(box, (box,)))

    def box_of(self, server: str) -> str:
        """Return the name of the box that shows a server: its own, or its stack's."""
        return next((stack for stack, members in self.stacks.items() if server in members), server)


def topology_of(servers: Servers) -> Topology:
    return Topology.of(
        {name: server["needs"] for name, server in servers.items()},
        {name: server.get("because", ()) for name, server in servers.items()},
        {name: server.get("mates", ()) for name, server in servers.items()},
    )


class Pictures:
    """Draws, and remembers what it drew; may be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._topology: tuple[str, Topology] | None = None
        self._drawn: OrderedDict[tuple[object, ...], Picture] = OrderedDict()

    def of(self, tag: str, servers: Servers, view: View) -> Picture:
        """Return the picture of ``servers``, which the snapshot ``tag`` has, for a view."""
        topology = self.topology(tag, servers)
        centre, steps = view.focus if view.focus in topology.needs else "", view.steps
        if centre:
            key: tuple[object, ...] = (topology.revision, centre, steps, view.unfold)
            return self._remembered(key, lambda: _near(topology, centre, steps, view.unfold))
        whole = self._remembered((topology.revision, view.unfold), lambda: _whole(topology, view.unfold))
        if not whole.too_many:
            return whole
        centre = view.select if view.select in topology.needs else _most_interesting(topology, servers)
        key = (topology.revision, centre, steps, view.unfold, "instead")
        return self._remembered(key, lambda: _near(topology, centre, STEPS, view.unfold, whole.too_many))

    def topology(self, tag: str, servers: Servers) -> Topology:
        """Return who needs whom; of the same tag it is not worked out again."""
        known = self._topology
        if known is None or known[0] != tag:
            known = self._topology = tag, topology_of(servers)
        return known[1]

    def _remembered(self, key: tuple[object, ...], draw: Callable[[], Picture]) -> Picture:
        with self._lock:
            if key in self._drawn:
                self._drawn.move_to_end(key)
                return self._drawn[key]
        picture = draw()
        with self._lock:
            self._drawn[key] = picture
            while len(self._drawn) > KEPT:
                self._drawn.popitem(last=False)
        return picture


def _whole(topology: Topology, unfold: tuple[str, ...]) -> Picture:
    folded = fold(topology, unfold)
    if len(folded.topology.names) > MOST:
        nothing = Topology((), ())
        return Picture(topology, nothing, arrange(nothing), {}, {}, too_many=len(folded.topology.names))
    return Picture(topology, folded.topology, _laid_out(folded), folded.stacks, stacks(topology))


def _near(topology: Topology, centre: str, steps: int, unfold: tuple[str, ...], too_many: int = 0) -> Picture:
    part = neighbourhood(topology, centre, steps)
    folded = fold(part, unfold)
    if len(folded.topology.names) > MOST:
        part = neighbourhood(topology, centre, steps, MOST)
        folded = fold(part, unfold)
    return Picture(topology, folded.topology, _laid_out(folded), folded.stacks, stacks(part), centre, steps, too_many)


def _laid_out(folded: Folded) -> Layout:
    columns = depth(folded.topology)
    room = (SHEET_PX - 2 * MARGIN_PX + GAP_PX) / max(columns, 1) - GAP_PX
    return arrange(folded.topology, replace(METRICS, width=box_width(folded.topology.names, room)))


def _most_interesting(topology: Topology, servers: Servers) -> str:
    """Return the server to begin with in a network too large to draw: one that failed, else what most servers need."""

    def interest(name: str) -> tuple[bool, int]:
        return look(servers[name]["state"]).group == "failed", len(topology.needed_by[name])

    return max(topology.names, key=interest)
