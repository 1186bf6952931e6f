"""What is of the present boot: said or done after the last time when the server's power may have been away."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from math import isfinite

from ..common.clock import Clock
from ..common.stamps import before, is_later
from ..networkTree.ServerNode import ServerNode
from ..outlets.OutletTemplate import OutletTemplate
from .journal import Journal


class PowerOn:
    """Tells the tests of a server whether a moment is later than its last power-on.

    It is when one of its outlets has fed it without a break since before that moment: not switched on since, not seen
    off, and its device has not restarted. Outlets that do not show on prove it only all together.
    """

    def __init__(self, clock: Clock, journal: Journal) -> None:
        self._clock = clock
        self._journal = journal

    def tell(self, node: ServerNode) -> None:
        """Have the tests of ``node`` ask here."""
        for test in node.tests:
            test.since_power_on = partial(self.is_before, node)

    def is_before(self, node: ServerNode, stamp: str) -> bool:
        """Tell whether the server's last power-on is before the moment ``stamp`` for sure."""
        on = [outlet for outlet in node.outlets if outlet.state is True]
        if on:
            return any(self._fed_since(outlet, stamp) for outlet in on)
        return all(self._fed_since(outlet, stamp) for outlet in node.outlets)

    def _fed_since(self, outlet: OutletTemplate, stamp: str) -> bool:
        return all(is_later(stamp, moment, self._journal.boots) for moment in self._power_ons(outlet))

    def _power_ons(self, outlet: OutletTemplate) -> Iterator[str]:
        marks = outlet.marks
        if marks.away_stamp:
            yield marks.away_stamp
        elif isfinite(marks.away_at):
            yield self._stamp(marks.away_at)
        if isfinite(outlet.device.restarted_at):
            yield self._stamp(outlet.device.restarted_at)

    def _stamp(self, moment: float) -> str:
        return before(self._clock.stamp(), self._clock.now() - moment)
