"""The agent: watches the delay switch, keeps the heartbeat, shuts the machine down when it is asked to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from ..common import notify
from ..common.errors import DeviceError, DeviceRefused, OckleError
from ..common.esphome import PlugSession
from ..common.esphome_entities import Entity, Value
from .settings import WatchSettings
from .shutdown import shut_down
from .wish import Wish

log = logging.getLogger(__name__)

LEAST_BEAT_S = 1.0
REACH_EVERY_S = 10.0
"""How often a plug that is not connected is tried."""
LONGEST_WAIT_S = 10.0
LOOK_EVERY_S = 0.1


class LostTooLong(OckleError):
    """There was no connection for ``restart_after``; a new process may do better."""


class Agent:
    """Runs on one event loop. It shuts down because the delay switch was seen off, and for no other reason.

    ``shutdown``  shuts the machine down and returns; default: the configured command
    ``up``        whether the plug is connected and has all the switches that are needed
    """

    def __init__(self, settings: WatchSettings, shutdown: Callable[[], Awaitable[None]] | None = None) -> None:
        self._settings = settings
        self._shutdown = shutdown or self._by_command
        self._wish = Wish(settings.confirm, off_at_start=settings.off_at_start)
        self._plug = PlugSession(
            settings.plug,
            client="Ockle agent",
            on_change=self._changed,
            on_up=self._is_up,
            on_down=self._is_down,
        )
        self._delay: Entity | None = None
        self._heartbeat: Entity | None = None
        self.up = False
        self.going = False  # the machine was asked to go, and goes
        self._take_back = False  # the plug is still to be told not to cut
        self._told: list[str] = []  # the problems that were logged since there was a connection
        self._wake = asyncio.Event()
        self._stopped = False
        self._reaching: asyncio.Task[None] | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._lost_at = self._reached_at = self._beat_at = float("-inf")
        self._beat_wanted = False

    # -- life

    async def run(self) -> None:
        """Work until ``stop``. Raises LostTooLong."""
        self._lost_at = self._now()
        try:
            while not self._stopped:
                self._wake.clear()
                await self._step()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._pause()):
                        await self._wake.wait()
        finally:
            if self._reaching is not None:
                self._reaching.cancel()
                await asyncio.gather(self._reaching, return_exceptions=True)
            if self._leaving is not None:
                await self._leaving  # a shutdown that was begun is not left half done
            await self._plug.close()

    def stop(self) -> None:
        self._stopped = True
        self._wake.set()

    async def _step(self) -> None:
        now = self._now()
        notify.watchdog()
        if not self.up:
            self._reach(now)
            return
        if not self.going and self._take_back:
            self._take_back = not await self._arm(on=True)
        if not self.going and self._wish.due(now) == 0:
            self._go()
        beaten = now - self._beat_at
        if beaten >= self._settings.heartbeat_every or (self._beat_wanted and beaten >= LEAST_BEAT_S):
            self._beat(now)

    def _pause(self) -> float:
        now = self._now()
        waits = [LONGEST_WAIT_S, (notify.watchdog_interval_s() or LONGEST_WAIT_S) / 2]
        if self.up:
            every = LEAST_BEAT_S if self._beat_wanted else self._settings.heartbeat_every
            waits.append(max(self._beat_at + every - now, 0.01))
            due = None if self.going else self._wish.due(now)
            waits += [] if due is None else [due]
        else:
            waits.append(max(self._reached_at + REACH_EVERY_S - now, 0.01))
            waits += [] if self.going else [max(self._lost_at + self._settings.restart_after - now, 0.01)]
        return min(waits)

    # -- connection

    def _reach(self, now: float) -> None:
        """Try again; the library does, too, but with pauses of up to a minute."""
        if now - self._lost_at >= self._settings.restart_after and not self.going:
            raise LostTooLong(
                f"no connection to the plug for {now - self._lost_at:.0f} s: {', '.join(self._told[-1:])}"
            )
        if now - self._reached_at >= REACH_EVERY_S and (self._reaching is None or self._reaching.done()):
            self._reached_at = now
            self._reaching = asyncio.create_task(self._connect(), name="reaching the plug")

    async def _connect(self) -> None:
        try:
            await self._plug.connected()
        except DeviceError as error:
            self._tell(error)

    def _is_up(self) -> None:
        entities, settings = self._plug.entities, self._settings
        if entities is None:
            return
        self._wish.lost()
        try:
            self._delay = entities.find("switch", settings.delay_switch)
            entities.find("switch", settings.real_delay_switch)
            self._heartbeat = entities.find("switch", settings.heartbeat_switch) if settings.heartbeat_switch else None
        except DeviceError as error:
            self._tell(error)
            return
        self.up = True
        self._told.clear()
        log.info("connected to the plug %s", settings.plug)
        notify.status(f"connected to {settings.plug}")
        self._beat_at = float("-inf")
        self._wake.set()

    def _is_down(self, error: DeviceError) -> None:
        if self.up:
            self._lost_at = self._now()
        self.up = False
        self._wish.lost()
        self._tell(error)
        self._wake.set()

    def _tell(self, error: DeviceError) -> None:
        """Say each problem once, until there is a connection."""
        text = str(error)
        level = logging.ERROR if isinstance(error, DeviceRefused) else logging.WARNING
        log.log(logging.DEBUG if text in self._told else level, "%s", text)
        if text not in self._told:
            self._told.append(text)
        notify.status(text)

    # -- states

    def _changed(self, entity: Entity, value: Value | None) -> None:
        if not self.up:
            return
        if entity == self._delay and isinstance(value, bool):
            self._wish.saw(value, self._now())
            self._wake.set()
        if entity != self._heartbeat:  # (it answers each heartbeat)
            self._beat_wanted = True
            if self._now() - self._beat_at >= LEAST_BEAT_S:
                self._wake.set()

    def _beat(self, now: float) -> None:
        self._beat_at, self._beat_wanted = now, False
        if self._heartbeat is not None:
            with suppress(DeviceError):  # the connection is lost, which is told
                self._plug.send(self._heartbeat, True)

    # -- shutdown

    def _go(self) -> None:
        settings = self._settings
        if settings.dry_run:
            log.warning("the delay switch is off; dry run: `%s` is not run", " ".join(settings.shutdown_command))
            self._wish.given_up()
            return
        self.going = True
        log.warning("the delay switch is off: the plug is told to cut, and this machine shuts down")
        notify.status("shutting the machine down")
        self._leaving = asyncio.create_task(self._leave(), name="shutting the machine down")

    async def _leave(self) -> None:
        """Beside the loop, which goes on with heartbeats and watchdog however long the command takes."""
        await self._arm(on=False)
        try:
            await self._shutdown()
        except DeviceError as error:
            log.error("cannot shut down: %s; the plug is told not to cut", error)
            self._take_back = not await self._arm(on=True)
            self._wish.given_up()
            self.going = False
            self._wake.set()

    async def _arm(self, *, on: bool) -> bool:
        """Use the real delay switch; off has the plug cut later, on takes that back. A lost plug holds nothing up.

        Returns whether the plug has taken it in.
        """
        name, until = self._settings.real_delay_switch, self._now() + self._settings.plug.timeout
        try:
            await self._plug.switch(name, on)
            (shown,) = await self._plug.read([("switch", name)])  # an answer: it has come there
            while on and not shown and self._now() < until:  # or the answer was to what was asked before
                await asyncio.sleep(LOOK_EVERY_S)
                (shown,) = await self._plug.read([("switch", name)])
        except DeviceError as error:
            log.error("the real delay switch may not have been switched %s: %s", "on" if on else "off", error)
            return False
        if shown is not on:
            log.error("the real delay switch was switched %s and shows %s", *("on", "off")[:: 1 if on else -1])
        return True

    async def _by_command(self) -> None:
        await shut_down(self._settings.shutdown_command, self._settings.shutdown_timeout)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
