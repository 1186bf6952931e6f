"""Servers that get other names: what is known of them, and what is forbidden, goes with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ..common.errors import ConfigError
from ..networkTree.ServerNetwork import ServerNetwork
from .core import Core
from .durations import Durations

Renamed = Mapping[str, str]
"""New name of a server -> the one that it had."""


class Holder(Protocol):
    """What is needed of the engine."""

    core: Core
    durations: Durations

    @property
    def network(self) -> ServerNetwork: ...

    def refuse_in_use(self) -> None: ...


class Names:
    """On the device loop only."""

    def __init__(self, engine: Holder) -> None:
        self._engine = engine

    async def announce(self, renamed: Renamed) -> None:
        """Write down what is known of servers under their new names, before the files have them.

        A daemon that dies in between then still knows who is locked off. ``take_back`` undoes it.
        Raises ConfigError while anything is being switched or an emergency keeps one of them down; StoreError.
        """
        network, journal = self._engine.network, self._engine.core.journal
        self._engine.refuse_in_use()
        nodes = {new: network.getServernode(old) for new, old in renamed.items() if old in network}
        latched = sorted(node.name for node in nodes.values() if node.facts.emergency_by is not None)
        if latched:
            raise ConfigError(f"{', '.join(latched)}: kept down by the emergency; clear that before renaming")
        for new, node in nodes.items():
            journal.save_as(node, new)
        await journal.commit()

    async def take_back(self, renamed: Renamed) -> None:
        """Undo ``announce``: the files did not get the new names after all. Raises StoreError."""
        for name in renamed:
            self._engine.core.journal.restore_row(self._engine.network, name)
        await self._engine.core.journal.commit()

    async def settle(self) -> None:
        """Make durable that nobody has the old names any more. Raises StoreError."""
        await self._engine.core.journal.commit()

    def took_over(self, network: ServerNetwork, renamed: Renamed) -> None:
        """Write down that the servers of ``network`` have their new names, and nobody their old ones any more."""
        journal = self._engine.core.journal
        for new, old in renamed.items():
            if new in network:
                journal.take_name(network.getServernode(new))
                if old not in network:
                    journal.drop(old)
        if renamed:
            self._engine.durations.rename(renamed)
