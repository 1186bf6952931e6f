"""Time as an object, so that tests can let an hour pass in no time."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What the engine knows of time. Timers use ``now``; ``wall`` is for display and records only."""

    def now(self) -> float:
        """Return monotonic seconds; only differences have a meaning."""

    def wall(self) -> float:
        """Return seconds since 1970 UTC; may jump."""

    async def sleep(self, seconds: float) -> None:
        """Let ``seconds`` of this clock pass."""


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class LoopClock:
    """The running event loop's time: virtual when the loop is (``simulator.virtual_time``).

    ``epoch``  what ``wall`` shows at loop time 0, in seconds since 1970
    """

    def __init__(self, epoch: float = 1_767_225_600.0) -> None:
        self._epoch = epoch

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def wall(self) -> float:
        return self._epoch + asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
