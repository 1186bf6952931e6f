"""Shuts a machine down by the delay switch of its smart plug."""

from __future__ import annotations

import asyncio

from typing_extensions import override

from ..common.errors import DeviceRefused, DeviceStateError, DeviceUnreachable
from ..drivers.esphome import PlugDriver
from .ControllerTemplate import ControllerTemplate

LOOK_EVERY_S = 0.1


class ESPHomeDelay(PlugDriver, ControllerTemplate):
    """Switches the delay switch off; the machine's agent answers that by shutting down, and has the plug cut.

    Evidence: the machine is *down* when the relay is open, which the plug does by itself. It is *up* while the relay is
    closed and its agent is heard by the heartbeat switch; a closed relay without a heartbeat is unknown. Nothing that
    was heard before the power was last switched counts.
    Source: RPiMP's protocol of delay, real delay and heartbeat switch; ESPHome, native API.
    """

    _since = float("-inf")

    @override
    async def _setControlState(self, state: bool) -> None:
        if state:
            raise DeviceRefused(f"{self.name}: the type ESPHomeDelay only shuts down")
        switch = self.params["delay_switch"]
        await self.plug.switch(switch, False)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.timeout
        while (await self.plug.read([("switch", switch)]))[0]:
            if loop.time() >= deadline:
                raise DeviceStateError(f"{self.name}: {switch} was switched off and still shows on")
            await asyncio.sleep(LOOK_EVERY_S)

    @override
    async def _getControlState(self) -> bool:
        heartbeat = self.params["heartbeat_switch"]
        names = [("switch", self.params["entity"]), *([("switch", heartbeat)] if heartbeat else [])]
        closed, *_ = await self.plug.read(names)
        if not closed or not heartbeat:
            return bool(closed)
        within = float(self.params["heartbeat_within"])
        heard = self.plug.last_on(heartbeat)
        if heard is None or heard < max(self._since, asyncio.get_running_loop().time() - within):
            raise DeviceUnreachable(f"{self.name}: the relay is closed, and no heartbeat came within {within:g} s")
        return True

    @override
    def forget(self) -> None:
        super().forget()
        self._since = asyncio.get_running_loop().time()
