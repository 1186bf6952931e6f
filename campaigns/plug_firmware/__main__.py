"""The plug's real firmware, run by ESPHome's own code on this machine, under the outlet, the control and the agent."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from ockle.agent.agent import Agent
from ockle.agent.settings import read_settings
from ockle.common.errors import DeviceError, DeviceStateError
from ockle.controllers.esphome_delay import ESPHomeDelay
from ockle.outlets.esphome import ESPHome
from peers import free_port

from ..common import USAGE, Report, parser
from .build import ROOT, NoBuild, build, find_esphome

CACHE = ROOT / "build" / "plug-firmware"
DELAY_S, LATEST_S, MISSED_S = 2.0, 6.0, 4.0
"""What host.yaml says: to the cut, at most after that, until a missing heartbeat cuts."""


def main(words: list[str] | None = None) -> int:
    options = parser("plug_firmware", __doc__)
    options.add_argument("--only", choices=[scene.__name__ for scene in SCENES], help="this scene alone")
    chosen = options.parse_args(words)
    report = Report("plug_firmware")
    try:
        with report.phase("building the firmware (a minute or two, the first time)"):
            program = build(CACHE, find_esphome())
    except NoBuild as problem:
        print(problem, file=sys.stderr)
        return USAGE
    for scene in SCENES:
        if chosen.only not in (None, scene.__name__):
            continue
        with report.phase((scene.__doc__ or "").splitlines()[0]), tempfile.TemporaryDirectory() as folder:
            asyncio.run(_play(scene, report, program, Path(folder)))
    return report.end()


class Plug:
    """The firmware as a process, and what talks to it."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._program, self.folder = program, folder
        self.port = free_port()
        self.options: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": self.port,
            "encryption": "plaintext",
            "timeout": 2.0,
        }
        self.outlet = self.part("Relay")
        self._parts: dict[str, ESPHome] = {"Relay": self.outlet}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {**os.environ, "HOME": str(self.folder), "PLUG_PORT": str(self.port)}
        with (self.folder / "firmware.log").open("ab") as log:
            self._process = subprocess.Popen([self._program], env=environment, stdout=log, stderr=log)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def part(self, entity: str, **params: Any) -> ESPHome:
        return ESPHome(entity, self.options, {"entity": entity, "min_off_time": 0, "max_per_minute": 0, **params})

    async def shows(self, entity: str) -> bool:
        return await self._get(entity).get_state()

    async def set(self, entity: str, on: bool) -> None:
        await self._get(entity)._setOutletState(on)

    def _get(self, entity: str) -> ESPHome:
        found = self._parts.setdefault(entity, self.part(entity))
        found.device = self.outlet.device
        return found

    async def press(self, button: str) -> None:
        session = self.outlet.plug
        client = session._client
        if client is None:
            raise RuntimeError("the plug is not connected")
        listed, _ = await client.list_entities_services()
        client.button_command(next(one.key for one in listed if one.name == button))

    async def opened_after(self, limit_s: float) -> float:
        """Return after how many seconds the relay is open; ``limit_s`` when it is not."""
        began = time.monotonic()
        while time.monotonic() - began < limit_s:
            if not await self.shows("Relay"):
                return time.monotonic() - began
            await asyncio.sleep(0.05)
        return limit_s

    async def up(self) -> None:
        async with asyncio.timeout(20):
            while True:
                with suppress(DeviceError):
                    await self.outlet.get_state()
                    return
                await asyncio.sleep(0.1)


Scene = Callable[[Report, Plug], Coroutine[Any, Any, None]]


async def _play(scene: Scene, report: Report, program: Path, folder: Path) -> None:
    plug = Plug(program, folder)
    plug.start()
    try:
        await plug.up()
        await scene(report, plug)
    finally:
        await plug.outlet.device.close()
        plug.kill()


@asynccontextmanager
async def agent(plug: Plug, shutdown: Callable[[], Awaitable[None]], **options: str) -> AsyncIterator[Agent]:
    path = plug.folder / "agent.ini"
    lines = [f"{name} = {value}" for name, value in {"confirm": "1s", "heartbeat_every": "1s", **options}.items()]
    where = f"host = 127.0.0.1\nport = {plug.port}\nencryption = plaintext\n"
    path.write_text(f"[plug]\n{where}[agent]\n" + "\n".join(lines))
    watch = read_settings(path).watch
    assert watch is not None
    one = Agent(watch, shutdown)
    task = asyncio.create_task(one.run())
    try:
        async with asyncio.timeout(10):
            while not one.up:
                await asyncio.sleep(0.02)
        yield one
    finally:
        one.stop()
        await asyncio.gather(task, return_exceptions=True)


def check(report: Report, holds: bool, what: str) -> None:
    if not holds:
        report.broken(what)


async def relay(report: Report, plug: Plug) -> None:
    """the relay is switched, read back and measured"""
    for state in (True, False, True):
        await plug.outlet.set_state(state)
    check(report, await plug.shows("Delay Switch"), "the delay switch does not follow the relay")
    check(report, (await plug.outlet.measure()).get("power_w") is not None, "no power is measured")
    reads = 200
    began = time.monotonic()
    for _ in range(reads):
        check(report, await plug.outlet.get_state(), "a read shows another state")
    report.figure("reads, each subscribed anew", reads / (time.monotonic() - began), "per s", least=3)


async def wish(report: Report, plug: Plug) -> None:
    """off is a wish, and the cut comes after the shutdown"""
    gone: list[float] = []

    async def shutdown() -> None:
        gone.append(time.monotonic())

    await plug.outlet.set_state(True)
    with suppress(DeviceStateError):
        await plug.part("Relay", delay_switch="Delay Switch", delay_timeout=1).set_state(False)
        report.broken("a wish that nobody granted was told as done")
    check(report, await plug.shows("Relay"), "a wish alone has cut")
    await plug.set("Delay Switch", True)
    control = ESPHomeDelay("plug", plug.options, {})
    async with agent(plug, shutdown):
        await control.shut_down()
        report.figure("from the wish to the cut", await plug.opened_after(10), "s", least=DELAY_S - 0.2, most=4)
    check(report, len(gone) == 1, f"the shutdown was called {len(gone)} times")
    check(report, await control.get_state() is False, "the control does not say down")
    check(report, plug.outlet.cause == "the machine was shut down", f"the plug's reason is {plug.outlet.cause!r}")
    await control.device.close()


async def patience(report: Report, plug: Plug) -> None:
    """the cut waits while the machine draws, but not for ever"""
    for stops_after, least, most in ((4.0, 3.9, 5.5), (99.0, DELAY_S + LATEST_S - 0.3, DELAY_S + LATEST_S + 1.5)):
        await plug.outlet.set_state(True)
        await plug.set("Draws", True)
        await asyncio.sleep(0.5)
        await plug.set("Real Delay Switch", False)
        asyncio.get_running_loop().call_later(stops_after, lambda: asyncio.ensure_future(plug.set("Draws", False)))
        report.figure(f"machine draws for {stops_after:g} s", await plug.opened_after(15), "s", least=least, most=most)


async def failing_command(report: Report, plug: Plug) -> None:
    """a shutdown that fails takes the cut back"""

    async def shutdown() -> None:
        raise DeviceStateError("inhibited")

    await plug.outlet.set_state(True)
    async with agent(plug, shutdown):
        await plug.set("Delay Switch", False)
        check(report, await plug.opened_after(DELAY_S + 2) >= DELAY_S + 2, "it was cut all the same")
        check(report, await plug.shows("Delay Switch"), "the wish was not taken back")


async def heartbeat(report: Report, plug: Plug) -> None:
    """heartbeats keep the power, and only their end takes it"""

    async def shutdown() -> None:
        report.broken("the agent shut down unasked")

    await plug.outlet.set_state(True)
    check(report, await plug.opened_after(MISSED_S + 2) >= MISSED_S + 2, "cut without ever having heard a heartbeat")
    async with agent(plug, shutdown):
        check(report, await plug.opened_after(MISSED_S + 3) >= MISSED_S + 3, "cut in spite of heartbeats")
    report.figure("from the agent's end to the cut", await plug.opened_after(10), "s", least=1.5, most=MISSED_S + 1.5)
    check(report, "heartbeat" in plug.outlet.cause, f"the plug's reason is {plug.outlet.cause!r}")


async def button(report: Report, plug: Plug) -> None:
    """the button asks once, and cuts twice"""
    await plug.outlet.set_state(True)
    await plug.press("Once")
    await asyncio.sleep(1.5)
    check(report, not await plug.shows("Delay Switch"), "pressed once: not asked")
    check(report, await plug.shows("Relay"), "pressed once: cut")
    await plug.press("Twice")
    await asyncio.sleep(1.5)
    check(report, not await plug.shows("Relay"), "pressed twice: not cut")
    await plug.press("Once")
    await asyncio.sleep(1.5)
    check(report, await plug.shows("Relay"), "pressed once while off: not on")


async def restart(report: Report, plug: Plug) -> None:
    """a plug that starts anew keeps its relay, and shuts nobody down"""

    async def shutdown() -> None:
        report.broken("the agent shut down because the plug started anew")

    await plug.outlet.set_state(True)
    await asyncio.sleep(3)  # its flash is written once a second
    before = plug.outlet.device.restarted_at
    async with agent(plug, shutdown) as one:
        plug.kill()
        while one.up:
            await asyncio.sleep(0.02)
        plug.start()
        await plug.up()
        async with asyncio.timeout(20):
            while not one.up:
                await asyncio.sleep(0.02)
        await asyncio.sleep(3)
        check(report, await plug.shows("Relay"), "the relay was not put back")
        check(report, await plug.shows("Delay Switch"), "it asks to go after a start")
    check(report, plug.outlet.device.restarted_at > before, "the outlet has not noticed the restart")


SCENES: tuple[Scene, ...] = (relay, wish, patience, failing_command, heartbeat, button, restart)

if __name__ == "__main__":
    sys.exit(main())
