"""Which UPS feeds which server, in the network as it is now."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ..config.ups import Ups
from ..networkTree.selection import select
from .engine import Engine


class Feeds:
    """``upses``: by name. ``renew`` finds out who feeds whom, for all at once: servers may come and go, tags change."""

    def __init__(self, engine: Engine, upses: Iterable[Ups] = ()) -> None:
        self._engine = engine
        self.upses = {ups.name: ups for ups in upses}
        self._members: dict[str, set[str]] = {}
        self._of: dict[str, list[str]] = {}
        if self.upses:
            self.renew()

    def renew(self) -> None:
        """Look at the network anew."""
        network = self._engine.network
        self._members = {name: set(select(network, ups.servers)[0]) for name, ups in self.upses.items()}
        self._of = {}
        for name, members in self._members.items():
            for server in members:
                self._of.setdefault(server, []).append(name)

    def members(self, ups: Ups) -> set[str]:
        """Return the servers that it feeds."""
        return self._members[ups.name]

    def chosen(self, ups: Ups, levels: Collection[str]) -> set[str]:
        """Return which of them the stages go for whose texts are among ``levels``."""
        early = [stage.selector for stage in ups.stages if stage.text in levels]
        return self.members(ups) & set(select(self._engine.network, early)[0]) if early else set()

    def of(self, server: str) -> list[str]:
        """Return the names of the UPSes that feed it."""
        return self._of.get(server, [])

    def need(self, server: str) -> int:
        """Return how many of the UPSes that feed a server it needs: ``min_supplies``, 0 = all."""
        feeds, node = len(self.of(server)), self._engine.network.getServer(server)
        least = node.facts.policy.min_supplies if node is not None else 0
        return min(least, feeds) if least else feeds

    def shutdown_s(self, ups: Ups) -> float:
        """Return how long the shutdown of all that it feeds takes by its plan."""
        here = [name for name in sorted(self.members(ups)) if name in self._engine.network]
        return self._engine.plan("off", here).total_s if here else 0.0
