"""The way to one receiver: a channel, made and opened at its first use, spoken to within limits."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from ...channels.ChannelTemplate import ChannelTemplate, MessageRefused
from ...common.alert_message import AlertMessage
from ...common.device_loop import run_blocking
from ...common.errors import DeviceUnreachable, OckleError
from ...common.services import DaemonServices
from ...config.model import ObjectConfig

log = logging.getLogger(__name__)

CLOSE_S = 5.0

T = TypeVar("T")
Make = Callable[[ObjectConfig], ChannelTemplate]


class Link:
    """Raises OckleError and nothing else, whatever the channel does; ``ChannelTemplate.send`` says what each means."""

    def __init__(self, config: ObjectConfig, make: Make, services: DaemonServices) -> None:
        self.config = config
        self._make = make
        self._services = services
        self._channel: ChannelTemplate | None = None  # once it is open
        self._opening = asyncio.Lock()

    @property
    def is_open(self) -> bool:
        return self._channel is not None

    async def open(self) -> ChannelTemplate:
        """Return the channel, opened."""
        async with self._opening:
            if self._channel is None:
                self._channel = await self._guarded(self._opened, float(self.config.settings["timeout"]))
            return self._channel

    async def _opened(self) -> ChannelTemplate:
        channel = self._make(self.config)
        try:
            await channel.open(self._services)
        except BaseException:
            await self._ended(channel)
            raise
        return channel

    async def send(self, message: AlertMessage) -> str:
        """Return what the receiver said."""
        channel = await self.open()
        limit = channel.timeout * 1.5 + 1.0  # it should notice first
        if inspect.iscoroutinefunction(channel.send):
            return await self._guarded(lambda: channel.send(message), limit) or ""
        plain = cast("Callable[[AlertMessage], Any]", channel.send)  # a thread of its own, so it delays nobody
        name = self.config.name
        return await self._guarded(lambda: run_blocking(lambda: plain(message), limit, name), limit) or ""

    async def close(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            await self._ended(channel)

    async def _ended(self, channel: ChannelTemplate) -> None:
        try:
            async with asyncio.timeout(CLOSE_S):
                await channel.close()
        except Exception as error:  # noqa: BLE001 - foreign code, and nothing depends on it
            log.warning("channel %s did not end cleanly: %r", self.config.name, error)

    async def _guarded(self, work: Callable[[], Awaitable[T]], limit: float) -> T:
        try:
            async with asyncio.timeout(limit):
                return await work()
        except TimeoutError:
            raise DeviceUnreachable(f"no answer within {limit:g} s") from None
        except OckleError:
            raise
        except Exception as bug:
            log.exception("channel %s: the type %s has a bug", self.config.name, self.config.type)
            raise MessageRefused(f"the type {self.config.type} has a bug: {bug!r}") from bug
