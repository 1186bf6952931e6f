"""The TFTP service of the boot server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
from typing import Any

from ..mounts import Mounts
from ..service import BootContext
from .engine import TICK_S, Engine
from .files import BootFiles
from .lookup import Lookup
from .progress import Progress
from .rules import Rules

log = logging.getLogger(__name__)

IDLE_S = 0.5
"""How often to look while there is no transfer."""
FLUSH_S = 0.5
"""How long what the boards did may take to be written at the end."""
FORGET_S = 10.0
_SPARE_FILES = 512
"""Descriptors that everything else in this process may need."""


class TftpServer:
    """Serves boot files to firmware: reads only."""

    name = "tftp"

    def __init__(self, context: BootContext) -> None:
        self._context = context
        self._lookup = Lookup(context.hosts, context.boards, context.profiles, context.settings["tftp_prefixes"])
        self._progress = Progress(context.boards, context.report, context.clock, self._lookup.is_ours)
        self._engine: Engine | None = None
        self._ticker: asyncio.Task[None] | None = None
        self._addresses: list[str] = []

    async def open(self) -> None:
        """Begin to serve. Raises OckleError that names the address, and what to do."""
        settings = self._context.settings
        rules = Rules.of(settings)
        _allow_files(2 * rules.transfers + _SPARE_FILES)
        files = BootFiles(self._context.root, None if settings["tftp_network_files"] else Mounts())
        engine = Engine(files, rules, self._lookup.view_of, self._progress.take)
        self._engine = engine
        wire = self._context.wire
        for address in settings["tftp_addresses"] or [str(wire.address)]:
            only = 0 if settings["tftp_addresses"] or wire.loopback else wire.index
            host, port = engine.listen(address, settings["tftp_port"], only)
            self._addresses.append(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        if not self._context.root.is_dir():
            self._context.report.warn("tftp-root", f"TFTP: the folder of boot files, {self._context.root}, is missing")
        asyncio.get_running_loop().add_reader(engine.fileno(), self._service)
        self._ticker = asyncio.create_task(self._tick(engine), name="tftp ticker")

    async def close(self) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticker
            self._ticker = None
        if self._engine is not None:
            asyncio.get_running_loop().remove_reader(self._engine.fileno())
            self._engine.close()
            self._engine = None
            self._progress.flush(FLUSH_S)

    def live(self) -> dict[str, Any]:
        return {"addresses": list(self._addresses), "transfers": self._progress.rows()}

    def reconfigured(self) -> None:
        self._lookup.profiles = self._context.profiles
        if self._engine is not None:
            self._engine.forget_views()

    def _service(self) -> None:
        if self._engine is not None:
            with self._guarded():
                self._engine.service()

    async def _tick(self, engine: Engine) -> None:
        forgot = self._context.clock.now()
        busy = False
        while True:
            await asyncio.sleep(TICK_S if busy else IDLE_S)
            now = self._context.clock.now()
            with self._guarded():
                busy = engine.tick()
                self._progress.flush()
                if now - forgot >= FORGET_S:
                    forgot = now
                    engine.forget()

    @contextlib.contextmanager
    def _guarded(self) -> Any:
        """The outermost loop: a fault of ours in one transfer must not end the others."""
        try:
            yield
        except Exception as error:
            log.debug("TFTP", exc_info=True)
            self._context.report.warn("tftp-fault", f"TFTP: a fault in Ockle itself: {error!r}")


def _allow_files(count: int) -> None:
    """Raise the process's own limit of open files, as far as that may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
