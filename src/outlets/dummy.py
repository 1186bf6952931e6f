"""Outlets without hardware, to try a site and for tests."""

from __future__ import annotations

from typing_extensions import override

from ..common.clock import Clock
from ..common.errors import DeviceRefused, DeviceUnreachable
from .OutletTemplate import OutletTemplate


class Relay:
    """A contact that moves ``delay`` seconds after it was asked to.

    ``closed``  where it really is, as of the last look
    ``asked``   what the last command said
    """

    __slots__ = ("_due", "asked", "closed")

    def __init__(self, closed: bool) -> None:
        self.closed = self.asked = closed
        self._due = 0.0

    def ask(self, closed: bool, delay: float, clock: Clock) -> None:
        self.asked = closed
        self._due = clock.now() + delay if delay else float("-inf")

    def look(self, clock: Clock) -> bool:
        if self.closed is not self.asked and (self._due == float("-inf") or clock.now() >= self._due):
            self.closed = self.asked
        return self.closed


class Dummy(OutletTemplate):
    """An outlet that exists in memory only. ``delay`` passes by the device's clock.

    ``fault`` may be changed in ``params`` at any time: stuck (says yes and does nothing), lie (as stuck, but shows what
    was asked), silent, refuse.
    """

    @property
    def relay(self) -> Relay:
        return self.device.shared(("relay", self.params["outlet"] or self), lambda: Relay(self.params["state"]))

    @override
    async def _setOutletState(self, state: bool) -> None:
        fault = self._fault()
        relay, clock = self.relay, self.device.clock
        if fault == "none":
            relay.look(clock)
            relay.ask(state, self.params["delay"], clock)
        elif fault == "lie":
            self._shown = state

    @override
    async def _getOutletState(self) -> bool:
        if self._fault() == "lie" and self._shown is not None:
            return self._shown
        return self.relay.look(self.device.clock)

    _shown: bool | None = None
    """What a lying outlet pretends."""

    def _fault(self) -> str:
        fault: str = self.params["fault"]
        if fault == "silent":
            raise DeviceUnreachable(f"{self.name}: no answer (this dummy is silent)")
        if fault == "refuse":
            raise DeviceRefused(f"{self.name}: refused (this dummy refuses)")
        return fault
