"""Who starts next when not all can: those that wait for room on a circuit, the most important first."""

from __future__ import annotations

from collections import defaultdict
from heapq import heappop, heappush

from ..networkTree.budget import Lack, Load
from ..networkTree.ServerNetwork import ServerNetwork
from ..networkTree.ServerNode import ServerNode
from .core import Core
from .durations import Durations

Rank = tuple[float, float, str]
"""Higher priority first, then the longer way to the last server that waits for it, then the name."""


class Ranks:
    """How important each server's start is; worked out once for each form of the network."""

    def __init__(self, core: Core, durations: Durations) -> None:
        self._core = core
        self._durations = durations
        self._network: object = None
        self._revision = -1
        self._tails: dict[str, float] = {}

    def of(self, node: ServerNode) -> Rank:
        network = self._core.network
        if self._network is not network or self._revision != network.revision:
            self._network, self._revision = network, network.revision
            self._tails = self._measure(network)
        return (-float(node.facts.policy.priority), -self._tails.get(node.name, 0.0), node.name)

    def _measure(self, network: ServerNetwork) -> dict[str, float]:
        """Return the seconds from the begin of each server's start to the end of the last one that waits for it."""
        tails: dict[str, float] = {}
        for name in reversed(network.getSortedNodeListIndex()):
            behind = max((tails[other] for other in network.getDependent(name)), default=0.0)
            tails[name] = behind + self._durations.expect(network, name, "on").seconds
        return tails


class StartQueue:
    """Servers that could start if there were room.

    A server waits at the circuit that lacks room for it, behind those that are more important, even if there were
    room for it: else the large ones would never come to their turn. Those that no other start's end can help stand
    aside and hold up nobody. Cost: O(log servers) for each that is put in or taken out.
    """

    def __init__(self) -> None:
        self._ready: list[Rank] = []
        self._parked: dict[Load, list[Rank]] = defaultdict(list)
        self._aside: dict[Load, list[Rank]] = defaultdict(list)
        self._place: dict[str, list[Rank]] = {}  # server -> the heap that holds it; another one's entry is outdated
        self._open: list[Load] = []

    def __contains__(self, name: object) -> bool:
        return name in self._place

    def add(self, rank: Rank) -> None:
        """Have a server looked at in the next round."""
        self._put(self._ready, rank)

    def begin(self, freed: dict[Load, bool]) -> None:
        """Begin a round: those at ``freed`` circuits are looked at, too; True: also those that stand aside there."""
        for load in [load for load, lasting in freed.items() if lasting]:
            aside = self._aside.pop(load, [])
            for rank in aside:
                if self._place.get(rank[2]) is aside:
                    self._put(self._parked[load], rank)
        self._open = [load for load in freed if self._top(self._parked[load]) is not None]

    def next(self) -> Rank | None:
        """Take out the most important server of this round; None when the round is over."""
        best: list[Rank] | None = None
        for heap in (self._ready, *(self._parked[load] for load in self._open)):
            top = self._top(heap)
            if top is not None and (best is None or top < best[0]):
                best = heap
        if best is None:
            return None
        rank = heappop(best)
        del self._place[rank[2]]
        return rank

    def ahead(self, rank: Rank, loads: list[Load]) -> Load | None:
        """Return a circuit at which somebody more important waits for room; None when there is none."""
        for load in loads:
            top = self._top(self._parked[load]) if load not in self._open else None
            if top is not None and top < rank:
                return load
        return None

    def park(self, rank: Rank, lack: Lack) -> None:
        """Have a server wait until the circuit that it lacks carries less."""
        if lack.lasting:
            self._put(self._aside[lack.load], rank)
            return
        self.wait_at(rank, lack.load)

    def wait_at(self, rank: Rank, load: Load) -> None:
        """Have a server wait at a circuit, and all behind it, too."""
        self._put(self._parked[load], rank)
        if load in self._open:
            self._open.remove(load)

    def _put(self, heap: list[Rank], rank: Rank) -> None:
        if self._place.get(rank[2]) is not heap:
            self._place[rank[2]] = heap
            heappush(heap, rank)

    def _top(self, heap: list[Rank]) -> Rank | None:
        while heap and self._place.get(heap[0][2]) is not heap:
            heappop(heap)
        return heap[0] if heap else None
