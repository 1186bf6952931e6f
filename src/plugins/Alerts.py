"""Alerts: tells people what is wrong, once per cause, and when it is over."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from typing_extensions import override

from ..commands.alerts import AlertCommands
from ..commands.channels import ChannelCommands
from ..common.errors import CommandError, OckleError
from ..common.events import Event
from ..common.problems import Problem, Severity
from ..common.services import DaemonServices
from ..config.paths import find_state
from ..engine.alerts.desk import EVENT, AlertDesk
from ..engine.alerts.looking import Looker, Seen
from ..engine.alerts.outbox import Outbox
from ..engine.alerts.rules import Rules
from ..engine.alerts.site_problems import plugin_problems
from ..engine.alerts.telling import Sender
from ..store.alert_store import AlertStore
from .ModuleTemplate import ModuleTemplate

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_LOOK_S = 60.0
"""How long the first look at all devices may take before problems are looked at without those that do not answer."""
LOOK_S, ASK_S = 10.0, 10.0
FILE = "alerts.db"


class Alerts(ModuleTemplate):
    """Has an event loop of its own in its thread, so that nothing that is slow to send delays a device."""

    def __init__(self, MainDaemon: DaemonServices) -> None:  # noqa: N803 - documented name
        super().__init__(MainDaemon)
        path = find_state(MainDaemon.etc, MainDaemon.site.main["state_dir"]) / FILE
        self.outbox = Outbox(path, MainDaemon.clock, self._tell)
        self._desk = AlertDesk(
            AlertStore(path), MainDaemon.clock, MainDaemon.events, self.outbox.put, self._rules(), self._sender()
        )
        self._looker = Looker(MainDaemon.engine)
        self._seen = Seen((), {})
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._broken = False  # the last look failed
        self._ready = threading.Event()  # it can be asked, or has ended
        AlertCommands(MainDaemon, self._desk, self.ask)
        ChannelCommands(MainDaemon, self.outbox)

    def _rules(self) -> Rules:
        return Rules.of(self.mainDaemon.plugin_settings(self.name))

    def _sender(self) -> Sender:
        return Sender(self.getConfigVar("site_name") or socket.gethostname(), self.getConfigVar("base_url"))

    def _tell(self, text: str) -> None:
        self.mainDaemon.events.publish(EVENT, text)

    # -- its loop

    @override
    def run(self) -> None:
        try:
            asyncio.run(self._main())
        finally:
            self._ready.set()

    @override
    def wait_ready(self, timeout: float) -> None:
        self._ready.wait(timeout)

    async def _main(self) -> None:
        loop = self._loop = asyncio.get_running_loop()
        self._desk.load()
        await self.outbox.take(self.mainDaemon.site.channels, self.mainDaemon)
        sending = loop.create_task(self.outbox.run())
        self._ready.set()
        unsubscribe = self.mainDaemon.events.subscribe(self._heard)
        try:
            await self._first_look()
            while not self._stop.is_set() and not self.stop_requested.is_set():
                await self._one_look()
                await self._pause(float(self.getConfigVar("look_interval")))
        finally:
            unsubscribe()
            self._loop = None
            self.mainDaemon.device_loop.post(self._count, {})
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            self._desk.close()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()

    async def _first_look(self) -> None:
        """Wait until every device was asked once."""
        devices = self.mainDaemon.device_loop.loop
        seen = asyncio.run_coroutine_threadsafe(self.mainDaemon.engine.observer.observed.wait(), devices)
        stop = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait([asyncio.wrap_future(seen), stop], timeout=FIRST_LOOK_S, return_when=asyncio.FIRST_COMPLETED)
        seen.cancel()
        stop.cancel()

    async def _one_look(self) -> None:
        try:
            await self._look()
        except Exception:  # the outermost loop of this thread: one bad look must not end all alerts
            if not self._broken:
                log.exception("a look at what is wrong failed; tried again")
            self._broken = True
        else:
            self._broken = False

    async def _look(self) -> None:
        problems: list[Problem] = []
        try:
            self._seen = await self._on_devices(self._looker.look)
        except TimeoutError:  # what was wrong before still counts
            text = f"the daemon does not answer its own questions within {LOOK_S:g} s: what is known of devices is old"
            problems.append(Problem("daemon/loop", "daemon", Severity.CRITICAL, "daemon", text))
        problems += [*self._seen.problems, *plugin_problems(self.mainDaemon.plugin_states()), *self.outbox.problems()]
        self._desk.look(problems, self._seen.passes)
        counts = self._desk.counts()
        self.mainDaemon.device_loop.post(self._count, counts)

    async def _on_devices(self, look: Callable[[], T]) -> T:
        async def work() -> T:
            return look()

        future = asyncio.run_coroutine_threadsafe(work(), self.mainDaemon.device_loop.loop)
        async with asyncio.timeout(LOOK_S):
            return await asyncio.wrap_future(future)

    def _count(self, counts: dict[str, int]) -> None:
        engine = self.mainDaemon.engine
        if engine.open_alerts != counts:
            engine.open_alerts = counts
            engine.core.revision += 1

    def _heard(self, event: Event) -> None:
        loop = self._loop
        if loop is not None and event.kind != EVENT:
            with suppress(RuntimeError):  # it has just ended
                loop.call_soon_threadsafe(self._desk.notice, event)

    # -- from other threads

    def ask(self, function: Callable[[], T]) -> T:
        """Return what ``function`` returns, called on the loop. Raises CommandError while that does not run."""
        loop = self._loop
        if loop is None:
            raise CommandError("the plugin Alerts is not running now", "timeout")

        async def work() -> T:
            return function()

        future = asyncio.run_coroutine_threadsafe(work(), loop)
        try:
            return future.result(ASK_S)
        except TimeoutError:
            future.cancel()
            raise CommandError(f"no answer within {ASK_S:g} s", "timeout") from None

    @override
    def reconfigured(self) -> None:
        loop = self._loop
        if loop is None:
            return
        future = asyncio.run_coroutine_threadsafe(self._take(), loop)
        try:
            future.result(ASK_S)
        except TimeoutError:
            raise OckleError("the channels cannot be changed now: they do not answer") from None

    async def _take(self) -> None:
        self._desk.configure(self._rules(), self._sender())
        await self.outbox.take(self.mainDaemon.site.channels, self.mainDaemon)

    @override
    def stop(self) -> None:
        super().stop()
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # it has just ended
                loop.call_soon_threadsafe(self._stop.set)
