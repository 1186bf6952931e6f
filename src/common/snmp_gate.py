"""How many SNMP reads are under way at a time, over all devices of a loop.

Reading costs CPU time rather than waiting: when hundreds of devices are asked at the same moment, their answers lie in
the socket until their time limits are over, and are then asked for again, which makes it worse.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

AT_A_TIME: Final = 16
HOLD_S: Final = 3.0
SUSPECT_HOLD_S: Final = 0.5
"""So long a read keeps its place at most, of a device that answered last time and of one that did not: the dead must
not keep the living from being read."""


class Gate:
    """Lets ``AT_A_TIME`` reads through at a time; one that is not answered soon is no longer counted."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(AT_A_TIME)

    @asynccontextmanager
    async def place(self, *, suspect: bool) -> AsyncIterator[None]:
        await self._places.acquire()
        held = True

        def let_go() -> None:
            nonlocal held
            if held:
                held = False
                self._places.release()

        timer = asyncio.get_running_loop().call_later(SUSPECT_HOLD_S if suspect else HOLD_S, let_go)
        try:
            yield
        finally:
            timer.cancel()
            let_go()


_gates: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Gate] = weakref.WeakKeyDictionary()


def gate() -> Gate:
    """Return the gate of the running loop."""
    loop = asyncio.get_running_loop()
    found = _gates.get(loop)
    if found is None:
        found = _gates[loop] = Gate()
    return found
