"""An Outbox on a virtual clock, with channels in memory that do as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from typing_extensions import override

from ockle.channels.ChannelTemplate import ChannelTemplate
from ockle.common.alert_message import AlertMessage
from ockle.common.clock import LoopClock
from ockle.common.problems import Severity
from ockle.common.services import DaemonServices
from ockle.config.model import ObjectConfig, Site
from ockle.config.templates import check_settings, driver_template
from ockle.engine.alerts.outbox import Outbox
from ockle.simulator.virtual_time import run

EPOCH = 1_784_548_800.0  # 2026-07-20 12:00 UTC, a monday


def message(number: int, kind: str = "problem", severity: str = "warning", **more: Any) -> AlertMessage:
    """Return a message of the alert ``number``, with an id that tells them apart."""
    fields = {"title": f"web{number}: {kind}", "subject": f"server/web{number}", "servers": (f"web{number}",), **more}
    return AlertMessage(f"{number}-{kind}", kind, Severity(severity), alert=number, **fields)


class Receiver:
    """What one channel leads to. ``fault``: raised instead of taking a message; ``hang``: never answers."""

    def __init__(self) -> None:
        self.got: list[AlertMessage] = []
        self.tries: list[tuple[float, str]] = []
        self.fault: Exception | None = None
        self.hang = False
        self.opening_s = 0.0
        self.opening_fault: Exception | None = None
        self.opened = self.closed = 0

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.got]

    async def take(self, one: AlertMessage) -> str:
        self.tries.append((asyncio.get_running_loop().time(), one.id))
        if self.hang:
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(0.1)
        if self.fault is not None:
            raise self.fault
        self.got.append(one)
        return "taken"


class Stub(ChannelTemplate):
    def __init__(self, name: str, settings: Mapping[str, Any], receiver: Receiver) -> None:
        super().__init__(name, settings)
        self.receiver = receiver

    @override
    async def open(self, services: DaemonServices) -> None:
        await asyncio.sleep(self.receiver.opening_s)
        if self.receiver.opening_fault is not None:
            raise self.receiver.opening_fault
        self.receiver.opened += 1

    @override
    async def send(self, message: AlertMessage) -> str:
        return await self.receiver.take(message)

    @override
    async def close(self) -> None:
        self.receiver.closed += 1


class Rig:
    """``receivers``: by channel; ``told``: what people may want to know of the delivery."""

    def __init__(self, folder: Path, **channels: Mapping[str, str | list[str]]) -> None:
        self.path = folder / "alerts.db"
        self.channels = {name: self.config(name, options) for name, options in channels.items()}
        self.receivers = {name: Receiver() for name in channels}
        self.told: list[str] = []
        self.site = Site(folder)
        self.outbox: Outbox

    @staticmethod
    def config(name: str, options: Mapping[str, str | list[str]]) -> ObjectConfig:
        raw = {"type": "Log", "time_zone": "UTC", "severity": "info", **options}
        settings = check_settings(driver_template("channels", "Log"), "channel", raw)
        return ObjectConfig(name, "Log", settings, f"channels/{name}.ini")

    def make(self, config: ObjectConfig) -> ChannelTemplate:
        return Stub(config.name, config.settings, self.receivers[config.name])

    def __getitem__(self, name: str) -> Receiver:
        return self.receivers[name]

    async def take(self) -> None:
        await self.outbox.take(
            self.channels,
            cast("DaemonServices", SimpleNamespace(site=self.site, plugin_settings=lambda _name: {"site_name": "Lab"})),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Outbox]:
        self.outbox = Outbox(self.path, LoopClock(EPOCH), self.told.append, self.make)
        await self.take()
        task = asyncio.create_task(self.outbox.run())
        await asyncio.sleep(0)
        try:
            yield self.outbox
        finally:
            task.cancel()
            await asyncio.wait([task])

    def play(self, scenario: Callable[[Outbox], Coroutine[Any, Any, None]]) -> None:
        """Run a scenario on the running Outbox; what waits at its end is there the next time."""

        async def whole() -> None:
            async with self.running() as outbox:
                await scenario(outbox)

        run(whole())
