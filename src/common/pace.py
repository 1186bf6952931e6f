"""A pause between things that must not come too close together."""

from __future__ import annotations

import asyncio

from .clock import Clock


class Pace:
    """Lets through one after the other, ``gap_s`` seconds apart."""

    def __init__(self, gap_s: float, clock: Clock) -> None:
        self.gap_s = gap_s
        self._clock = clock
        self._lock = asyncio.Lock()
        self._next = float("-inf")

    async def wait(self) -> None:
        """Wait until the next one may go, and reserve that moment."""
        if not self.gap_s:
            return
        async with self._lock:
            wait = self._next - self._clock.now()
            if wait > 0:
                await self._clock.sleep(wait)
            self._next = self._clock.now() + self.gap_s
