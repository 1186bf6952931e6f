"""Commands about nodes: what machines say of themselves, and what of it is too much."""

from __future__ import annotations

from ..common.services import DaemonServices
from ..engine.monitoring.node_keeper import NodeKeeper
from ..engine.monitoring.report import as_dict, never_sent
from .group import CommandGroup, Data
from .selection import text_of


class NodeCommands(CommandGroup):
    """Everybody may look; they read what is known, and wait for no machine."""

    def __init__(self, daemon: DaemonServices, keeper: NodeKeeper) -> None:
        super().__init__(daemon)
        self._keeper = keeper
        self.add("getNodes", self.get)
        self.add("askNode", self.ask, role="operator", params={"node": "its name, as getNodes has it"})

    def get(self, data: Data) -> Data:
        """Return ``nodes``: what each measures of itself, and how it stands to its limits.

        ``state`` is up, missing, waiting (not known yet) or off (its server is, or is being switched: it is not asked).
        ``figures`` are those of the last answer, which came at ``at``; ``problem`` is why there are none, or what is
        wrong with them. A limit is ok, pending (not for long enough yet) or over. ``warnings`` names limits of which no
        node sends the figure.
        """
        looks = self._keeper.looks()
        return {
            "nodes": [as_dict(node, seen, self.engine.core.clock) for node, seen in looks],
            "warnings": never_sent(looks),
        }

    def ask(self, data: Data) -> Data:
        """Ask a node now and return what is known of it then, as getNodes does."""
        node, seen = self._keeper.ask_now(text_of(data, "node"))
        return as_dict(node, seen, self.engine.core.clock)
