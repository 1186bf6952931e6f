"""Watches for relays that do not do what their outlets show (semantics A1, A20)."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from ..networkTree.relays import relay_doubt
from ..networkTree.ServerNode import ServerNode
from ..outlets.OutletTemplate import OutletTemplate
from .core import Core

log = logging.getLogger(__name__)

ROUNDS = 2
"""So many measurements in a row have to be odd: a meter may be between two readings."""


class RelayWatch:
    """Compares what outlets show with what they draw, and alarms once."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._odd: dict[OutletTemplate, tuple[int, float]] = {}  # rounds in a row, and the moment of the last one

    def look(self, pairs: Iterable[tuple[ServerNode, OutletTemplate]]) -> None:
        """Take in what was measured last."""
        for node, outlet in pairs:
            policy, marks = node.facts.policy, outlet.marks
            settled = outlet.measured_at - max(marks.on_at, marks.off_at, outlet.device.restarted_at)
            doubt = relay_doubt(
                outlet.state, outlet.data.get("power_w"), settled, policy.idle_watts, policy.boot_timeout
            )
            if not doubt:
                self._odd.pop(outlet, None)
                self._tell(node, outlet, "")
                continue
            rounds, measured_at = self._odd.get(outlet, (0, float("-inf")))
            if outlet.measured_at > measured_at:
                rounds += 1
                self._odd[outlet] = rounds, outlet.measured_at
            if rounds >= ROUNDS:
                self._tell(node, outlet, doubt)

    def _tell(self, node: ServerNode, outlet: OutletTemplate, doubt: str) -> None:
        if bool(doubt) is not bool(outlet.doubt):
            text = f"{node.name}: outlet {outlet.name}: {doubt or 'what it shows and what it draws agree again'}"
            log.log(logging.ERROR if doubt else logging.INFO, "%s", text)
            self._core.events.publish("relay", text, node.name, outlet=outlet.name, suspect=bool(doubt))
            self._core.revision += 1
        outlet.doubt = doubt
