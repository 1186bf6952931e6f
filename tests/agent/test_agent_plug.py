"""The agent on the lab's plug: what it does to the plug and to its machine, and what it never does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ockle.agent.agent import Agent, LostTooLong
from ockle.agent.settings import WatchSettings
from ockle.common.errors import DeviceRefused
from ockle.simulator.lab import Lab
from ockle.simulator.machine import MachineState
from ockle.simulator.spec import PlugSpec
from plug_site import KEY, plug_lab, watched

SPEED = 0.02


def settings_for(lab: Lab, folder: Path, agent: str = "", plug: str = "") -> WatchSettings:
    point = lab.endpoints["plug"]
    path = folder / "agent.ini"
    path.write_text(
        f"[plug]\nhost = {point.host}\nport = {point.ports['esphome']}\nkey = {KEY}\ntimeout = 1s\n{plug}\n"
        f"[agent]\nshutdown_command = true\nconfirm = 200ms\n{agent}\n"
    )
    return watched(path)


@asynccontextmanager
async def at_work(
    lab: Lab, settings: WatchSettings, shutdown: Callable[[], Awaitable[None]] | None = None
) -> AsyncIterator[Agent]:
    async def lab_machine() -> None:
        lab.shut_down("pi")

    agent = Agent(settings, shutdown or lab_machine)
    task = asyncio.create_task(agent.run())
    try:
        yield agent
    finally:
        agent.stop()
        await asyncio.gather(task, return_exceptions=True)


async def until(what: Callable[[], Any], within: float = 20.0) -> None:
    async with asyncio.timeout(within):
        while not what():
            await asyncio.sleep(0.01)


def switched(lab: Lab) -> list[str]:
    return [entry.what for entry in lab.ledger.entries("plug")]


async def machine_up(lab: Lab) -> None:
    lab.press("plug", 1, True)
    await until(lambda: lab.state("pi") is MachineState.UP)


def test_the_delay_switch_shuts_down_and_the_cut_comes_after(tmp_path: Path) -> None:
    async def main() -> None:
        async with plug_lab() as lab:
            await machine_up(lab)
            async with at_work(lab, settings_for(lab, tmp_path)) as agent:
                await until(lambda: agent.up)
                lab.click("plug")
                await until(lambda: lab.state("pi") is MachineState.OFF)
            assert switched(lab) == ["delay switch off", "real delay switch off", "the machine was shut down"]
            asked, armed = lab.ledger.entries("plug")[:2]
            shutdown = lab.ledger.first("shutdown", "pi")
            assert shutdown is not None
            assert asked.t <= armed.t <= shutdown.t
            (opened,) = [entry for entry in lab.ledger.entries("relay") if not entry.detail["closed"]]
            assert opened.t - armed.t >= 15 * SPEED
            assert lab.ledger.cuts_while_mounted() == []

    asyncio.run(main())


def test_losing_the_plug_in_any_way_never_shuts_down(tmp_path: Path) -> None:
    async def main() -> None:
        async with plug_lab() as lab:
            await machine_up(lab)
            async with at_work(lab, settings_for(lab, tmp_path)) as agent:
                await until(lambda: agent.up)
                lab.turn("plug", silent=True)
                await asyncio.sleep(0.3)
                lab.turn("plug", silent=False, drops_s=2)
                await asyncio.sleep(0.3)
                lab.turn("plug", drops_s=0)
                lab.reboot("plug", down_s=5)
                await until(lambda: not agent.up)
                await until(lambda: agent.up)
                await asyncio.sleep(0.5)
                assert not agent.going
            assert switched(lab) == []
            assert lab.state("pi") is MachineState.UP

    asyncio.run(main())


def test_who_asked_while_nobody_listened_is_heard(tmp_path: Path) -> None:
    async def main() -> None:
        async with plug_lab() as lab:
            await machine_up(lab)
            lab.click("plug")  # the agent of the booting machine is not there yet
            async with at_work(lab, settings_for(lab, tmp_path, "off_at_start = no")) as agent:
                await until(lambda: agent.up)
                await asyncio.sleep(0.4)
                assert not agent.going
            async with at_work(lab, settings_for(lab, tmp_path)):
                await until(lambda: lab.state("pi") is MachineState.OFF)
            assert lab.ledger.cuts_while_mounted() == []

    asyncio.run(main())


def test_heartbeats_keep_the_power_and_their_end_takes_it(tmp_path: Path) -> None:
    spec = PlugSpec("plug", key=KEY, heartbeat_s=30, heartbeat_limit=6)  # 3.6 s; the busiest machine is not so late

    async def main() -> None:
        async with plug_lab(spec) as lab:
            await machine_up(lab)
            async with at_work(lab, settings_for(lab, tmp_path, "heartbeat_every = 1s")) as agent:
                await until(lambda: agent.up)
                await asyncio.sleep(4.5)
                assert lab.state("pi") is MachineState.UP
            await until(lambda: lab.state("pi") is MachineState.OFF)
            assert switched(lab) == ["the machine's heartbeat was missed"]

    asyncio.run(main())


def test_a_command_that_fails_calls_the_cut_off(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with plug_lab() as lab:
            await machine_up(lab)

            async def refused() -> None:
                raise DeviceRefused("`poweroff` ended with 1: inhibited")

            async with at_work(lab, settings_for(lab, tmp_path), refused) as agent:
                await until(lambda: agent.up)
                lab.click("plug")
                await until(lambda: "real delay switch on" in switched(lab))
                await asyncio.sleep(0.6)
            assert lab.state("pi") is MachineState.UP
            assert switched(lab).count("real delay switch off") == 1

    asyncio.run(main())
    assert "cannot shut down: `poweroff` ended with 1: inhibited; the plug is told not to cut" in caplog.text


def test_a_plug_that_was_away_is_told_not_to_cut_once_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with plug_lab() as lab:
            await machine_up(lab)

            async def refused() -> None:
                lab.reboot("plug", down_s=100)  # 2 s
                raise DeviceRefused("`poweroff` ended with 1: inhibited")

            async with at_work(lab, settings_for(lab, tmp_path), refused) as agent:
                await until(lambda: agent.up)
                lab.click("plug")
                await until(lambda: "cannot shut down" in caplog.text and not agent.going)
                assert switched(lab)[-1] == "real delay switch off"
                await until(lambda: "real delay switch on" in switched(lab))
            assert lab.state("pi") is MachineState.UP

    asyncio.run(main())


def test_a_command_that_takes_long_holds_neither_heartbeats_nor_watchdog_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fed: list[float] = []
    monkeypatch.setattr("ockle.common.notify.watchdog", lambda: fed.append(time.monotonic()))
    monkeypatch.setenv("WATCHDOG_USEC", "200000")

    async def main() -> None:
        async with plug_lab(PlugSpec("plug", key=KEY, delay_s=1500)) as lab:
            await machine_up(lab)
            let_go = asyncio.Event()

            async def slow() -> None:
                await let_go.wait()
                lab.shut_down("pi")

            settings = replace(settings_for(lab, tmp_path), restart_after=1.0)
            async with at_work(lab, settings, slow) as agent:
                await until(lambda: agent.up)
                lab.click("plug")
                await until(lambda: agent.going)
                lab.reboot("plug", down_s=500)
                await until(lambda: not agent.up)
                lost = time.monotonic()
                await until(lambda: fed[-1] > lost + 1.5)  # longer than restart_after, and it is still there
                let_go.set()
                await until(lambda: lab.state("pi") is MachineState.HALTED)

    asyncio.run(main())


def test_a_dry_run_only_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with plug_lab() as lab:
            await machine_up(lab)
            async with at_work(lab, settings_for(lab, tmp_path, "dry_run = yes")) as agent:
                await until(lambda: agent.up)
                lab.click("plug")
                await until(lambda: "dry run: `true` is not run" in caplog.text)
                await asyncio.sleep(0.5)
            assert lab.state("pi") is MachineState.UP
            assert switched(lab) == ["delay switch off"]

    asyncio.run(main())


def test_an_absence_that_lasts_ends_the_process_and_nothing_else(tmp_path: Path) -> None:
    async def main() -> None:
        async with plug_lab() as lab:
            await machine_up(lab)
            agent = Agent(replace(settings_for(lab, tmp_path), restart_after=1.5))
            lab.turn("plug", silent=True)
            with pytest.raises(LostTooLong, match=r"no connection to the plug for \d s: 127.* no answer within 1 s"):
                await asyncio.wait_for(agent.run(), 10)
            assert lab.state("pi") is MachineState.UP

    asyncio.run(main())


@pytest.mark.parametrize(
    ("plug", "said"),
    [
        ("delay_switch = Delay Swich", "has no switch 'Delay Swich'; it has: Delay Switch, Heartbeat Switch"),
        ("pin_mac = 02:00:00:00:00:01", "another plug answers"),
    ],
)
def test_what_is_wrong_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture, plug: str, said: str) -> None:
    async def main() -> None:
        async with plug_lab() as lab, at_work(lab, settings_for(lab, tmp_path, plug=plug)) as agent:
            await until(lambda: said in caplog.text)
            await asyncio.sleep(0.2)
            assert not agent.up

    asyncio.run(main())
    assert caplog.text.count(said) == 1
