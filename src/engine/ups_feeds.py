"""Which UPS feeds which server, in the network as it is now."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ..config.ups import Ups
from ..networkTree.selection import select
from .engine import Engine


class Feeds:
    """``upses``: by name."""

    def __init__(self, engine: Engine, upses: Iterable[Ups] = ()) -> None:
        self._engine = engine
        self.upses = {ups.name: ups for ups in upses}

    def members(self, ups: Ups) -> set[str]:
        """Return the servers that it feeds."""
        return set(select(self._engine.network, ups.servers)[0])

    def chosen(self, ups: Ups, levels: Collection[str]) -> set[str]:
        """Return which of them the stages go for whose texts are among ``levels``."""
        early = [stage.selector for stage in ups.stages if stage.text in levels]
        return self.members(ups) & set(select(self._engine.network, early)[0]) if early else set()

    def of(self, server: str) -> list[str]:
        """Return the names of the UPSes that feed it."""
        return [name for name, ups in self.upses.items() if server in self.members(ups)]

    def need(self, server: str) -> int:
        """Return how many of the UPSes that feed a server it needs: ``min_supplies``, 0 = all."""
        feeds, node = len(self.of(server)), self._engine.network.getServer(server)
        least = node.facts.policy.min_supplies if node is not None else 0
        return min(least, feeds) if least else feeds

    def shutdown_s(self, ups: Ups) -> float:
        """Return how long the shutdown of all that it feeds takes by its plan."""
        members = self.members(ups)
        return self._engine.plan("off", sorted(members)).total_s if members else 0.0
