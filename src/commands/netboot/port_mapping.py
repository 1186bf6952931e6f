"""Finds out which board hangs on which port: takes the power of one port after the other away and sees who comes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from ...common.clock import Clock
from ...common.errors import CommandError, OckleError
from ...common.events import EventBus
from ...drivers.bridge_tables import Bridge
from ...netboot.host_book import HostBook
from ...netboot.port_book import PoePort, PortBook
from .port_power import PortPower
from .switch_ports import SwitchPorts

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0


class RowState(StrEnum):
    """The value is the text that people read."""

    WAITING = "waiting"
    OFF = "off for a moment"
    LOOKING = "looking who comes"
    FOUND = "found"
    NOTHING = "nothing came"
    LEFT_OUT = "left out"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class Row:
    """One port. ``by``: what showed the address, "switch" (its tables) or "dhcp" (a request while only it started)."""

    at: PoePort
    state: RowState = RowState.WAITING
    text: str = ""
    mac: str = ""
    board: str = ""
    by: str = ""
    written: bool = False

    def as_dict(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "at": str(self.at),
            "port": f"{self.at.group}.{self.at.port}",
            "state": self.state.value,
        }


Asked = Callable[[], dict[str, float]]
"""Returns MAC address -> when it was heard of last, of all machines that the boot server has heard of."""


class MapJob:
    """Maps the ports of one switch, one after the other; an error ends a port, not the job.

    ``number``  its name
    ``state``   "running", "done" or "cancelled"
    ``write``   add what is found to hosts.csv; who is there already stays as it is
    ``wait_s``  how long a board is given to show itself
    """

    def __init__(
        self,
        number: int,
        pdu: str,
        rows: list[Row],
        *,
        ports: SwitchPorts,
        power: PortPower,
        hosts: Callable[[], HostBook],
        book: PortBook,
        asked: Asked,
        events: EventBus,
        clock: Clock,
        who: str,
        write: bool,
        wait_s: float,
    ) -> None:
        self.number, self.pdu, self.rows = number, pdu, rows
        self.write, self.who, self.wait_s = write, who, wait_s
        self.state = "running"
        self.begun = clock.wall()
        self._ports, self._power, self._hosts, self._book = ports, power, hosts, book
        self._asked, self._events, self._clock = asked, events, clock
        self._stop = asyncio.Event()

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.number,
            "pdu": self.pdu,
            "state": self.state,
            "write": self.write,
            "who": self.who,
            "begun": self.begun,
            "rows": [row.as_dict() for row in self.rows],
        }

    def cancel(self) -> None:
        """Have the job end once the command in flight is answered and the port in hand has its power back."""
        self._stop.set()

    async def run(self) -> None:
        """Work through all rows."""
        for row in self.rows:
            if row.state is RowState.WAITING and not self._stop.is_set():
                await self._map(row)
            if row.state is RowState.WAITING:
                row.state = RowState.CANCELLED
        self.state = "cancelled" if any(row.state is RowState.CANCELLED for row in self.rows) else "done"
        found = sum(row.state is RowState.FOUND for row in self.rows)
        self._tell(f"{self.pdu}: mapping its ports is {self.state}: {found} of {len(self.rows)} found")

    async def _map(self, row: Row) -> None:
        try:
            async with self._power.borrowed(row.at) as outlet:
                row.state = RowState.OFF
                await self._power.switch(outlet, False)
                before, asked = await self._seen(), self._asked()
                if not self._stop.is_set():
                    await self._power.switch(outlet, True)
                    row.state = RowState.LOOKING
                    await self._look(row, before, asked)
        except OckleError as error:  # this port's trouble; the next one may do
            row.state, row.text = RowState.FAILED, str(error)
        except Exception as bug:
            log.exception("mapping %s failed", row.at)
            row.state, row.text = RowState.FAILED, f"a bug in Ockle: {bug!r}"
        if row.state in {RowState.OFF, RowState.LOOKING}:
            row.state = RowState.CANCELLED
        if row.state is RowState.FOUND:
            await self._keep(row)
        self._tell(f"{row.at}: {self._result(row)}", mac=row.mac)

    @staticmethod
    def _result(row: Row) -> str:
        who = f"{row.board} ({row.mac})" if row.board else row.mac
        return ", ".join(filter(None, (who or row.state.value, row.text)))

    async def _seen(self) -> Bridge | None:
        """Return the switch's tables; None when it has none, or does not show them: then requests have to do."""
        found, silent = await self._ports.bridges([self.pdu])
        for text in silent.values():
            log.info("%s: its tables cannot be read: %s", self.pdu, text)
        return found[0] if found and found[0].ports else None

    async def _look(self, row: Row, before: Bridge | None, asked: dict[str, float]) -> None:
        deadline = self._clock.now() + self.wait_s
        while not self._stop.is_set():
            now = await self._seen() if before is not None else None
            if before is not None and now is not None:
                macs = await self._came(row.at, before, now)
                row.by = "switch"
            else:
                macs = {mac for mac, at in self._asked().items() if asked.get(mac) != at}
                row.by = "dhcp"
            if len(macs) == 1:
                row.mac, row.state = macs.pop(), RowState.FOUND
                return
            if self._clock.now() >= deadline:
                row.state, row.by = RowState.NOTHING, ""
                row.text = f"{len(macs)} addresses: {', '.join(sorted(macs)[:4])}" if macs else ""
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), LOOK_EVERY_S)

    async def _came(self, at: PoePort, before: Bridge, now: Bridge) -> set[str]:
        """Return who is at the port; where it cannot be told which one that is, who is there since it is on."""
        known: set[str] = set()
        fresh: set[str] = set()
        for mac in {mac for macs in now.macs.values() for mac in macs}:
            for place in await self._ports.judge(mac, [now]):
                if place.uplink:
                    continue
                if place.poe == (at.group, at.port):
                    known.add(mac)
                elif place.poe is None and mac not in before.macs.get(place.port.bridge, ()):
                    fresh.add(mac)
        return known or fresh

    # -- what is found

    async def _keep(self, row: Row) -> None:
        """Take down who hangs where, unless the address was found at another port as well (F4)."""
        twin = next((one for one in self.rows if one is not row and one.mac == row.mac), None)
        try:
            if twin is None:
                await self._take_down(row)
                return
            row.text = twin.text = f"found at {twin.at} and at {row.at}: it is there twice, and neither is used"
            self._ports.alarm(row.mac, f"{row.mac} was found at {twin.at} and at {row.at}")
            await asyncio.to_thread(self._book.forget, row.mac)
        except OckleError as error:
            row.text = f"not written: {error}"

    async def _take_down(self, row: Row) -> None:
        hosts = self._hosts()
        host = hosts.by_mac(row.mac)
        row.board = host.name if host is not None else ""
        await asyncio.to_thread(self._book.put, row.mac, row.at)
        if self.write and host is None:
            name = f"{row.at.pdu}-{row.at.port}"
            added = await asyncio.to_thread(hosts.add, row.mac, name if hosts.by_name(name) is None else "")
            row.board, row.written = added.name, True

    def _tell(self, text: str, **data: Any) -> None:
        self._events.publish("netboot", text, stage="mapping", job=self.number, **data)


def parse_ports(words: Iterable[object], pdu: str) -> list[PoePort]:
    """Return the ports that a person means: 3, "3", "2.7" (group 2), "1-8". Raises CommandError."""
    found: dict[PoePort, None] = {}
    for word in words:
        text = str(word)
        group, _, numbers = text.rpartition(".")
        first, dash, last = numbers.partition("-")
        parts = [group or "1", first, last if dash else first]
        if type(word) not in {int, str} or not all(
            part.isascii() and part.isdecimal() and len(part) < 10 for part in parts
        ):
            raise CommandError(f"{text[:60]!r} is no port: use 3, 2.7 (port 7 of group 2) or 1-8")
        low, high = int(parts[1]), int(parts[2])
        if not 1 <= low <= high <= low + 1000:
            raise CommandError(f"{text[:60]!r} is no range of ports")
        found |= dict.fromkeys(PoePort(pdu, int(parts[0]), number) for number in range(low, high + 1))
    return list(found)
