"""The places in a device's queue."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from typing_extensions import override

from .errors import DeviceUnreachable


class Turns(AbstractAsyncContextManager[None]):
    """At most ``parallel`` commands at a time, first come, first served.

    A command whose deadline passed while it is still at work (a thread that hangs) keeps its place: what it does may
    still reach the device. While such commands hold all places, nobody waits for one in vain.
    """

    def __init__(self, name: str, parallel: int) -> None:
        self._name = name
        self._free = parallel
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._overdue: dict[object, float] = {}  # commands that outlived their deadline -> when that was
        self._parallel = parallel

    @override
    async def __aenter__(self) -> None:
        self._refuse_if_stuck()
        if self._free and not self._waiting:
            self._free -= 1
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except BaseException:
            if place.done() and not place.cancelled() and place.exception() is None:
                self._give_back()  # it came in the moment of the cancellation
            elif place in self._waiting:
                self._waiting.remove(place)
            raise

    @override
    async def __aexit__(self, *_: object) -> None:
        self._give_back()

    def overdue(self) -> Callable[[], None]:
        """Take another place, for the command that is about to leave its own but is still at work.

        Returns what gives it back, to be called once, from any thread.
        """
        loop, command = asyncio.get_running_loop(), object()
        self._overdue[command] = time.monotonic()
        self._free -= 1  # below zero until the command leaves
        if len(self._overdue) >= self._parallel:
            while self._waiting:
                place = self._waiting.popleft()
                if not place.done():
                    place.set_exception(self._stuck())

        def ended() -> None:
            if self._overdue.pop(command, None) is not None:
                self._give_back()

        def from_any_thread() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(ended)

        return from_any_thread

    def _give_back(self) -> None:
        self._free += 1
        while self._free > 0 and self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                self._free -= 1
                place.set_result(None)

    def _refuse_if_stuck(self) -> None:
        if len(self._overdue) >= self._parallel:
            raise self._stuck()

    def _stuck(self) -> DeviceUnreachable:
        since = time.monotonic() - min(self._overdue.values())
        return DeviceUnreachable(f"{self._name}: an earlier command is still at work, {since:.0f} s past its time")
