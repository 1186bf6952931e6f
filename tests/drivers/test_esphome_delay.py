"""The ESPHomeDelay control against the lab's plug: a wish, and what proves that it was granted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ockle.common.errors import DeviceAnswerError, DeviceRefused, DeviceStateError, DeviceUnreachable
from ockle.controllers.esphome_delay import ESPHomeDelay
from ockle.simulator.lab import Lab
from ockle.simulator.spec import PlugSpec
from plug_site import KEY, outlet, plug_lab, plug_options


@asynccontextmanager
async def control(lab: Lab, **params: Any) -> AsyncIterator[ESPHomeDelay]:
    one = ESPHomeDelay("plug", plug_options(lab), params)
    try:
        yield one
    finally:
        await one.device.close()


async def beat(lab: Lab) -> None:
    agent = outlet(lab, entity="Heartbeat Switch")
    await agent._setOutletState(True)
    await agent.device.close()


def test_it_asks_by_the_delay_switch_and_never_cuts() -> None:
    async def main() -> None:
        async with plug_lab() as lab, control(lab) as one:
            lab.press("plug", 1, True)
            await one.shut_down()
            assert [entry.what for entry in lab.ledger.entries("plug")] == ["delay switch off"]
            await asyncio.sleep(0.5)
            assert lab.outlet("plug", 1).closed

    asyncio.run(main())


def test_down_is_an_open_relay() -> None:
    async def main() -> None:
        async with plug_lab() as lab, control(lab) as one:
            assert await one.get_state() is False
            lab.press("plug", 1, True)
            await asyncio.sleep(0.05)
            await beat(lab)
            assert await one.get_state() is True
            lab.press("plug", 1, False)
            await asyncio.sleep(0.05)
            assert await one.get_state() is False

    asyncio.run(main())


def test_a_closed_relay_without_a_heartbeat_is_unknown() -> None:
    async def main() -> None:
        async with plug_lab() as lab, control(lab, heartbeat_within="1s") as one:
            lab.press("plug", 1, True)
            await asyncio.sleep(0.05)
            with pytest.raises(DeviceUnreachable, match="no heartbeat came within 1 s"):
                await one.get_state()
            await beat(lab)
            assert await one.get_state() is True
            one.forget()  # its power was switched: what the former boot said is void
            await asyncio.sleep(0.2)
            with pytest.raises(DeviceUnreachable, match="no heartbeat"):
                await one.get_state()
            async with control(lab, heartbeat_switch="") as trusting:
                assert await trusting.get_state() is True

    asyncio.run(main())


def test_what_is_wrong_raises() -> None:
    async def main() -> None:
        async with plug_lab(PlugSpec("plug", key=KEY)) as lab:
            async with control(lab, delay_switch="Wait") as one:
                with pytest.raises(DeviceAnswerError, match="it has: Delay Switch"):
                    await one.shut_down()
            async with control(lab, delay_switch="Relay") as one:
                with pytest.raises(DeviceRefused, match="only shuts down"):
                    await one.switch(True)
                lab.press("plug", 1, True)
                await asyncio.sleep(0.05)
                lab.turn("plug", stuck=frozenset({1}))
                one.settings["timeout"] = 0.3  # of the control; the session has its own already
                with pytest.raises(DeviceStateError, match="still shows on"):
                    await one.shut_down()
                lab.turn("plug", silent=True)
                with pytest.raises(DeviceUnreachable):
                    await one.get_state()

    asyncio.run(main())
