"""The boot server: its services together, on one event loop in one thread, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from ..common.clock import Clock, SystemClock
from ..common.errors import OckleError
from .boards import Boards
from .folder import BootFolder
from .host_book import HostBook
from .profiles import Profiles
from .reporter import Reporter
from .service import BootContext, Service
from .wire import find_wire

log = logging.getLogger(__name__)

TICK_S = 0.5
LIVE_EVERY_S = 1.0

SERVICES: dict[str, tuple[str, str]] = {
    "dhcp": ("dhcp.server", "DhcpServer"),
    "tftp": ("tftp.server", "TftpServer"),
    "install": ("install.server", "InstallServer"),
    "ntp": ("ntp.server", "NtpServer"),
}
"""Name -> module and class; a service's code is imported when it is served."""


@dataclass
class BootConfig:
    """What a boot server is told. ``etc``: the configuration folder, ``state``: that of what must be remembered."""

    etc: Path
    state: Path
    settings: Mapping[str, Any]
    profiles: Profiles = field(default_factory=Profiles)


class BootServer:
    """Serves until ``stop``, which like ``reconfigure`` may be called from any thread.

    ``tick``  called on the loop twice a second, for instance to tell what the boards did
    """

    def __init__(
        self,
        config: BootConfig,
        *,
        by: str = "unit",
        clock: Clock | None = None,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        self._config = config
        self._by = by
        self._clock = clock or SystemClock()
        self._tick = tick
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave: asyncio.Event | None = None
        self._stopped = False
        self._services: list[Service] = []
        self.addresses: dict[str, list[str]] = {}

    def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Open all services, call ``ready``, serve until ``stop``; raises OckleError when they cannot be opened."""
        asyncio.run(self._run(ready))

    def stop(self) -> None:
        self._stopped = True
        if self._leave is not None:
            self._tell(self._leave.set)

    def reconfigure(self, profiles: Profiles) -> None:
        """Serve by other profiles from now on; other settings need another server."""

        def change() -> None:
            self._config.profiles = self._context.profiles = profiles
            self._changed()

        self._tell(change)

    def _tell(self, work: Callable[[], object]) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(work)

    async def _run(self, ready: Callable[[], None]) -> None:
        self._loop, self._leave = asyncio.get_running_loop(), asyncio.Event()
        if self._stopped:  # asked before there was a loop to tell
            return
        folder = BootFolder(self._config.state)
        async with AsyncExitStack() as stack:
            folder.take()
            stack.callback(folder.release)
            try:
                await self._open(folder, stack)
            except OckleError as error:
                self._write_live(folder, str(error))
                raise
            log.info("boot server: %s", "; ".join(f"{name} {', '.join(at)}" for name, at in self.addresses.items()))
            self._write_live(folder, "")
            ready()
            await self._serve(folder)
            self._services = []
            self._write_live(folder, "the boot server was stopped")

    async def _open(self, folder: BootFolder, stack: AsyncExitStack) -> None:
        config, settings = self._config, self._config.settings
        boards = Boards(folder.boards, self._clock)
        stack.callback(boards.close)
        self._context = BootContext(
            settings=settings,
            wire=find_wire(settings["interface"], settings["address"]),
            hosts=HostBook(config.etc / settings["hosts_file"]),
            profiles=config.profiles,
            boards=boards,
            clock=self._clock,
            report=Reporter(logging.getLogger("ockle.netboot"), self._clock),
            root=(config.etc / settings["root"]).resolve(),
            images=(config.etc / settings["images"]).resolve(),
        )
        services = [make_service(name, self._context) for name in settings["services"]]
        # addresses are given out last, and no more first: who gets one is to find the rest at work
        for service in sorted(services, key=lambda one: one.name == "dhcp"):
            stack.push_async_callback(service.close)
            await service.open()
        self._services = services
        self.addresses = {service.name: list(service.live().get("addresses", [])) for service in self._services}

    async def _serve(self, folder: BootFolder) -> None:
        assert self._leave is not None  # noqa: S101 - made by _run
        written = self._clock.now()
        while not self._leave.is_set():
            self._look()
            if self._clock.now() - written >= LIVE_EVERY_S:
                written = self._clock.now()
                self._write_live(folder, "")
            try:
                async with asyncio.timeout(TICK_S):
                    await self._leave.wait()
            except TimeoutError:
                pass

    def _look(self) -> None:
        try:
            self._context.boards.poll()
        except OckleError as error:
            self._context.report.warn("boards", str(error))
        if self._context.hosts.reload():
            self._changed()
        self._tick()

    def _changed(self) -> None:
        for service in self._services:
            service.reconfigured()

    def _write_live(self, folder: BootFolder, problem: str) -> None:
        wire = getattr(self, "_context", None) and self._context.wire
        live = {
            "by": self._by,
            "pid": os.getpid(),
            "problem": problem,
            "wire": {name: str(value) for name, value in asdict(wire).items()} if wire else {},
            "services": {service.name: service.live() for service in self._services},
        }
        try:
            folder.write_live(live)
        except OSError as error:
            log.debug("live.json: %s", error)  # a full disk is told by what must be written


def make_service(name: str, context: BootContext) -> Service:
    """Return the service of that name, not open yet. Raises OckleError when there is none."""
    if name not in SERVICES:
        raise OckleError(f"[plugins.NetBoot] services: there is no {name}; there are {', '.join(SERVICES)}")
    module, kind = SERVICES[name]
    service: Service = getattr(import_module(f".{module}", __package__), kind)(context)
    return service
