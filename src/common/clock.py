"""Time as an object, so that tests can let an hour pass in no time."""

from __future__ import annotations

import asyncio
import functools
import time
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """What the engine knows of time. Timers use ``now``; ``wall`` is for display and records only.

    What has to be measured across a restart is noted as a ``stamp``: the wall clock may jump by hours, on a machine
    without a battery for it at every start.
    """

    def now(self) -> float:
        """Return monotonic seconds; only differences have a meaning."""

    def wall(self) -> float:
        """Return seconds since 1970 UTC; may jump."""

    def stamp(self) -> str:
        """Return this moment as text that a later process understands."""

    def since(self, stamp: str) -> float:
        """Return how many seconds have passed since ``stamp`` at least: perhaps more, never fewer."""

    async def sleep(self, seconds: float) -> None:
        """Let ``seconds`` of this clock pass."""


TICK_S = 0.001
"""A shorter wait is over: added to a large moment it may vanish, and a loop that waits for its end never ends."""

BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")


class SystemClock:
    """The machine's clocks. Stamps count from the machine's boot: after another boot at least that long has passed."""

    def now(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()

    def stamp(self) -> str:
        return f"{_boot_id()} {_uptime():.3f}"

    def since(self, stamp: str) -> float:
        boot, _, moment = stamp.partition(" ")
        return max(0.0, _uptime() - float(moment)) if boot == _boot_id() else _uptime()

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

    def stamp(self) -> str:
        return f"{self.now():.3f}"

    def since(self, stamp: str) -> float:
        return max(0.0, self.now() - float(stamp))

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@functools.cache
def _boot_id() -> str:
    """Return what names this boot of the machine; a system that does not tell counts as booted with each process."""
    try:
        return BOOT_ID_FILE.read_text("ascii").strip()
    except OSError:
        return f"process-{time.time_ns()}"


def _uptime() -> float:
    """Return seconds since the boot, sleep included where the system counts it."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
