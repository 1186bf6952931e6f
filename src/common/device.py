"""A physical device: one queue for its commands, and what its outlets share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, TypeVar

from .clock import TICK_S, Clock, SystemClock
from .metrics import Requests
from .pace import Pace
from .turns import Turns

T = TypeVar("T")

_NO_QUEUE: AbstractAsyncContextManager[None] = nullcontext()


class Device:
    """What all outlets of a PDU (or controls, or tests, of one generator) have in common.

    ``parallel``  commands in flight at the same time; 0 = no limit
    ``gap_s``     least seconds between the begins of two switchings
    ``restarted_at``  moment of the clock when a restart of the device itself was noticed: what was read before says
                      nothing any more
    ``not_before``    moment of the clock before which nothing may be switched
    ``requests``      what became of the commands to it, for monitoring
    """

    def __init__(self, name: str, *, parallel: int = 1, gap_s: float = 0.0, clock: Clock | None = None) -> None:
        self.name = name
        self.clock: Clock = clock or SystemClock()
        self._turns = Turns(name, parallel) if parallel else None
        self._pace = Pace(gap_s, self.clock)
        self.restarted_at = float("-inf")
        self.not_before = float("-inf")
        self.requests = Requests()
        self._shared: dict[object, Any] = {}

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Hold a place in the device's queue for one command, as long as the context lasts.

        Entering raises DeviceUnreachable while commands that are overdue hold all places.
        """
        return self._turns or _NO_QUEUE

    def overdue(self) -> Callable[[], None]:
        """Keep the place of the command that holds one until the returned function is called, from any thread.

        For a command that nobody waits for any more but that is still at work: no other one may overtake it.
        """
        return self._turns.overdue() if self._turns is not None else _nothing

    def restarted(self, ready_at: float) -> None:
        """Take down that the device has restarted: its outlets may be anything, and it is left alone until then."""
        self.restarted_at = self.clock.now()
        self.not_before = max(self.not_before, ready_at)

    async def wait_gap(self) -> None:
        """Wait until the device may switch again, and reserve that moment."""
        while (wait := self.not_before - self.clock.now()) > TICK_S:
            await self.clock.sleep(wait)
        await self._pace.wait()

    def shared(self, key: object, make: Callable[[], T]) -> T:
        """Return the device's one object under ``key`` (a session, say), made by ``make`` at the first call.

        Only for use on the device loop.
        """
        try:
            found: T = self._shared[key]
        except KeyError:
            found = self._shared[key] = make()
        return found

    async def close(self) -> None:
        """Close every shared object that has a ``close`` (plain or async)."""
        for thing in self._shared.values():
            close = getattr(thing, "close", None)
            if close is not None:
                outcome = close()
                if asyncio.iscoroutine(outcome):
                    await outcome
        self._shared.clear()


def _nothing() -> None:
    """No queue, no place to give back."""
