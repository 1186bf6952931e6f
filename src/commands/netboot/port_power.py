"""Takes the power of a port away for a moment, and gives it back whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ...common.errors import CommandError, DeviceError, OckleError
from ...common.services import DaemonServices
from ...engine.by_hand import Guard
from ...netboot.port_book import PoePort, PortBook
from ...outlets.poe import PoE
from .switch_ports import SwitchPorts

log = logging.getLogger(__name__)

TRIES = 3
RETRY_S = 2.0
KEEP_S = 30.0
"""How long after a failure a port that is owed its power is tried again."""


class PortPower:
    """Everything ``async`` here runs on the device loop.

    A port that feeds a server of the network is never touched: the engine switches that, with its guards. A port that
    was on is noted durably before it is switched off: should the daemon die, the next one switches it on again.
    """

    def __init__(self, daemon: DaemonServices, ports: SwitchPorts, book: PortBook) -> None:
        self._daemon = daemon
        self._ports = ports
        self._book = book
        self._in_hand: set[PoePort] = set()
        self._keeper: asyncio.Task[None] | None = None

    # -- cycling

    @asynccontextmanager
    async def borrowed(self, at: PoePort) -> AsyncIterator[PoE]:
        """Give the port to be switched; at the end it is as it was, on or off.

        Raises CommandError when it feeds a server or somebody else has it, DeviceError, OckleError.
        """
        if at in self._in_hand:
            raise CommandError(f"{at} is being switched by another command: wait for its end", "refused")
        self._in_hand.add(at)
        try:
            outlet = await self._ports.port(at)
            self.guard(outlet)()
            was_on = await outlet.get_state()
            if was_on:
                await asyncio.to_thread(self._book.owe, at)
            try:
                yield outlet
            finally:
                await self._give_back(at, outlet, was_on)
        finally:
            self._in_hand.discard(at)

    async def switch(self, outlet: PoE, on: bool) -> None:
        """Switch a borrowed port. Raises CommandError, DeviceError, StoreError."""
        await self._daemon.engine.by_hand.switch_spare(outlet, on, self.guard(outlet))

    async def cycle(self, at: PoePort) -> None:
        """Take the power away and give it back; a port that was off is on afterwards, too. Raises as ``borrowed``."""
        outlet = await self._ports.port(at)
        self.guard(outlet)()
        if not await outlet.get_state():
            await self.switch(outlet, True)
            return
        async with self.borrowed(at) as outlet:
            await self.switch(outlet, False)

    def guard(self, outlet: PoE) -> Guard:
        """Return what is asked before each command: it raises CommandError where the port feeds a server."""

        def ask() -> None:
            fed = self._ports.fed_by(outlet)
            if fed:
                names = ", ".join(node.name for node in fed)
                raise CommandError(f"not switched: {outlet.marks.label} feeds {names}: restart the server", "refused")

        return ask

    async def _give_back(self, at: PoePort, outlet: PoE, was_on: bool) -> None:
        """Switch the port as it was. It is owed on until that is seen."""
        for attempt in range(TRIES):
            try:
                if await outlet.get_state() is not was_on:  # unguarded: it has to be as it was
                    await self._daemon.engine.by_hand.switch_spare(outlet, was_on)
                await asyncio.to_thread(self._book.settle, at)
            except OckleError as error:
                self._tell(at, was_on, error)
                if attempt < TRIES - 1:
                    await self._daemon.clock.sleep(RETRY_S)
            else:
                return
        self.keep_promises()

    def _tell(self, at: PoePort, was_on: bool, error: OckleError) -> None:
        state = "on" if was_on else "off"
        log.error("%s cannot be switched %s again: %s", at, state, error)
        self._daemon.events.publish("netboot", f"{at} cannot be switched {state} again: {error}", stage="alarm")

    # -- what is owed

    def keep_promises(self) -> None:
        """Have ports that are owed their power switched on, as soon as their switch lets itself be asked."""
        if self._keeper is None or self._keeper.done():
            self._keeper = asyncio.get_running_loop().create_task(self._keep())

    async def _keep(self) -> None:
        await self._daemon.engine.observer.observed.wait()  # nothing is sent before the first look at everything
        while owed := [at for at in self._book.owed() if at not in self._in_hand]:
            for at in owed:
                try:
                    await self._redeem(at)
                except (CommandError, DeviceError) as error:
                    log.warning("%s is owed its power: %s; tried again in %g s", at, error, KEEP_S)
                except OckleError as error:
                    log.error("%s is owed its power: %s", at, error)
            await self._daemon.clock.sleep(KEEP_S if self._book.owed() else 0)

    async def _redeem(self, at: PoePort) -> None:
        if at.pdu not in self._ports.names():
            log.error("%s was switched off for a moment, and its switch is no longer in the configuration", at)
        else:
            outlet = await self._ports.port(at)
            if not self._ports.fed_by(outlet) and not await outlet.get_state():  # else it is the engine's business
                await self.switch(outlet, True)
                self._daemon.events.publish("netboot", f"{at} is on again: it was off for a moment only")
        await asyncio.to_thread(self._book.settle, at)

    async def stop(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
