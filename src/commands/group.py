"""A group of commands: functions of one subject, registered together."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from math import isfinite
from typing import Any, TypeVar

from ..common.clock import Clock
from ..common.services import DaemonServices
from ..engine.engine import Engine
from ..networkTree.ServerNetwork import ServerNetwork

T = TypeVar("T")
Data = dict[str, Any]


def wall_time(clock: Clock, moment: float | None) -> float | None:
    """Return a moment of the clock as seconds since 1970, to a tenth; None for one that never was.

    Not finer: two clocks are read, one after the other, and what has not changed has to look so.
    """
    return None if moment is None or not isfinite(moment) else round(clock.wall() - (clock.now() - moment), 1)


class CommandGroup:
    """Base of the groups. A command runs in a thread of its listener and does its work on the device loop."""

    def __init__(self, daemon: DaemonServices) -> None:
        self._daemon = daemon

    @property
    def engine(self) -> Engine:
        engine: Engine = self._daemon.engine
        return engine

    @property
    def network(self) -> ServerNetwork:
        return self.engine.network

    def add(
        self,
        name: str,
        function: Callable[[Data], Data],
        role: str = "viewer",
        params: Mapping[str, str] | None = None,
    ) -> None:
        self._daemon.communicationHandler.AddCommandToList(name, function, role=role, params=params)

    def loop(self, work: Coroutine[Any, Any, T], timeout: float = 60.0) -> T:
        """Do ``work`` on the device loop and wait for it, ``timeout`` seconds at most."""
        return self._daemon.device_loop.call(work, timeout)

    def look(self, function: Callable[[], T]) -> T:
        """Call ``function`` on the device loop, where nothing changes meanwhile, and return what it returns."""

        async def work() -> T:
            return function()

        return self.loop(work())
