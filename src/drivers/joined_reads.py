"""Single reads of things of one device that wait at the same time, joined into one exchange."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from ..common.errors import DeviceAnswerError, DeviceError, DeviceUnreachable

log = logging.getLogger(__name__)

T = TypeVar("T")
V = TypeVar("V")


class JoinedReads(Generic[T, V]):
    """While one read is on its way, those that come wait, and then go together.

    Sixteen outlets that are switched at once are read back in two exchanges instead of sixteen. Each read is sent
    after it was asked for, so it shows what was sent before.

    ``read_many``  returns a value or an error for each, in order; raises nothing
    """

    def __init__(self, read_many: Callable[[Sequence[T]], Awaitable[Sequence[V | DeviceError]]]) -> None:
        self._read_many = read_many
        self._waiting: list[tuple[T, asyncio.Future[V | DeviceError]]] = []
        self._reader: asyncio.Task[None] | None = None

    async def read(self, thing: T) -> V | DeviceError:
        """Return what ``thing`` shows, or why it cannot be read."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[V | DeviceError] = loop.create_future()
        self._waiting.append((thing, answer))
        if self._reader is None:
            self._reader = loop.create_task(self._work())
        return await answer

    async def close(self) -> None:
        """End what is on its way; whoever waits is told."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    async def _work(self) -> None:
        group: list[tuple[T, asyncio.Future[V | DeviceError]]] = []
        try:
            while self._waiting:
                group, self._waiting = self._waiting, []
                for (_, answer), seen in zip(group, await self._read([thing for thing, _ in group]), strict=True):
                    if not answer.done():
                        answer.set_result(seen)
        finally:
            self._reader = None
            for _, answer in (*group, *self._waiting):
                if not answer.done():
                    answer.set_result(DeviceUnreachable("the read was broken off"))
            self._waiting = []

    async def _read(self, things: list[T]) -> Sequence[V | DeviceError]:
        try:
            return await self._read_many(things)
        except Exception as bug:  # the outermost loop of reading: whoever waits has to know
            log.exception("reading %d outlets at once ended by a bug", len(things))
            return [DeviceAnswerError(f"reading ended by a bug: {type(bug).__name__}: {bug}")] * len(things)
