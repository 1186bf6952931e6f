"""Places in a device's queue, and calls that outlive their deadline."""

from __future__ import annotations

import asyncio
import threading

import pytest
from typing_extensions import override

from ockle.common.device import Device
from ockle.common.errors import DeviceUnreachable
from ockle.config.templates import Template, driver_template
from ockle.outlets.OutletTemplate import OutletTemplate


class Hanging(OutletTemplate):
    """Its library hangs whatever its own deadline says, until it is let go."""

    @classmethod
    @override
    def template(cls) -> Template:
        return driver_template("outlets", "Dummy")

    def __init__(self) -> None:
        super().__init__("hanging", {"timeout": "0.05s", "retries": "0"}, {"settle_timeout": "0.1s"})
        self.let_go = threading.Event()
        self.calls: list[bool] = []

    @override
    def _setOutletState(self, state: bool) -> None:
        self.let_go.wait(20)
        self.calls.append(state)

    @override
    def _getOutletState(self) -> bool:
        return bool(self.calls)


def test_a_call_that_hangs_keeps_its_place_and_nobody_waits_behind_it_in_vain() -> None:
    async def scenario() -> None:
        outlet = Hanging()
        outlet.device = Device("pdu")
        with pytest.raises(DeviceUnreachable, match="earlier command is still at work"):
            await outlet.set_state(True)  # after the deadline not even a read goes to the device
        with pytest.raises(DeviceUnreachable, match="pdu: an earlier command is still at work"):
            await outlet.get_state()
        assert outlet.calls == []
        assert outlet.marks.unconfirmed is True
        outlet.let_go.set()
        async with asyncio.timeout(10):
            while not outlet.calls or outlet.device._turns._free < 1:  # type: ignore[union-attr]
                await asyncio.sleep(0.001)
        assert outlet.calls == [True]
        await outlet.get_state()

    asyncio.run(scenario())


def test_places_are_given_in_order_and_come_back_from_the_cancelled() -> None:
    async def scenario() -> None:
        device = Device("pdu", parallel=2)
        running: list[int] = []
        most = 0
        ended: list[int] = []

        async def command(number: int) -> None:
            nonlocal most
            async with device.turn():
                running.append(number)
                most = max(most, len(running))
                try:
                    await asyncio.sleep(0.001)
                finally:
                    running.remove(number)
                ended.append(number)

        tasks = [asyncio.create_task(command(number)) for number in range(9)]
        await asyncio.sleep(0)
        tasks[0].cancel()  # at work
        tasks[5].cancel()  # waiting
        await asyncio.gather(*tasks, return_exceptions=True)
        assert ended == [1, 2, 3, 4, 6, 7, 8]
        assert most == 2
        await command(9)

    asyncio.run(scenario())


def test_a_place_that_comes_in_the_moment_of_a_cancellation_is_not_lost() -> None:
    async def scenario() -> None:
        device = Device("pdu")
        async with device.turn():
            waiting = asyncio.create_task(device.turn().__aenter__())
            await asyncio.sleep(0)
        waiting.cancel()  # it has just been given the place
        await asyncio.gather(waiting, return_exceptions=True)
        async with asyncio.timeout(1), device.turn():
            pass

    asyncio.run(scenario())
