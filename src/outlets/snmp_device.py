"""A device that is spoken to by SNMP: who it is, and whether it has restarted. Shared by its outlets."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..common.device import Device
from ..common.errors import DeviceError, DeviceRefused, DeviceStateError
from ..common.snmp_session import Reading, SnmpSession

log = logging.getLogger(__name__)

SYS_OBJECT_ID: Final = "1.3.6.1.2.1.1.2.0"
SYS_UPTIME: Final = "1.3.6.1.2.1.1.3.0"
TICKS_PER_S: Final = 100
WRAP: Final = 2**32
"""sysUpTime counts hundredths of a second in 32 bits (RFC 3418): it starts over after 497 days."""
SLACK_S: Final = 300.0
"""How far a device's clock may be off over a wrap."""
TICK_SLACK_S: Final = 1.0
"""How long an answer may have been under way, and then some: for clocks that are compared over a poll."""


def has_restarted(before: int, now: int, elapsed_s: float, *, trusted: bool = False) -> bool:
    """Tell whether sysUpTime, ``before`` and ``now``, read ``elapsed_s`` later, shows a restart between the two.

    It does when it fell, unless it may have wrapped, and when it began after the first read. The latter only counts for
    a clock that is ``trusted``: devices are known whose sysUpTime stands still or counts other units than it should.
    """
    if before + (elapsed_s + SLACK_S) * TICKS_PER_S >= WRAP:
        return False
    return now < before or (trusted and now < (elapsed_s - TICK_SLACK_S) * TICKS_PER_S)


def keeps_time(before: int, now: int, elapsed_s: float) -> bool:
    """Tell whether sysUpTime went on as time did."""
    return abs((now - before) / TICKS_PER_S - elapsed_s) <= TICK_SLACK_S + elapsed_s / 10


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a device says it is; "" = it does not say."""

    object_id: str = ""
    serial: str = ""
    outlets: str = ""

    def lines(self) -> list[str]:
        """Return it as lines of the PDU's file."""
        known = (("pin_object_id", self.object_id), ("pin_serial", self.serial), ("pin_outlets", self.outlets))
        return [f"{option} = {value}" for option, value in known if value]

    def differs(self, pins: Identity) -> str:
        """Return what is not as pinned, for a person; an empty pin allows everything."""
        pairs = (
            ("sysObjectID", self.object_id, pins.object_id),
            ("serial number", self.serial, pins.serial),
            ("number of outlets", self.outlets, pins.outlets),
        )
        return ", ".join(
            f"its {what} is {seen or 'not told'}, pinned is {pin}" for what, seen, pin in pairs if pin and seen != pin
        )


class SnmpDevice:
    """The session of a device, watched: nothing is believed or sent while it is not known to be the right one.

    ``pins``        what it has to be
    ``objects``     the OIDs of its serial number and its number of outlets; "" = the type has none
    ``init_delay``  seconds after its start before it is believed and switched
    """

    def __init__(
        self, device: Device, session: SnmpSession, pins: Identity, objects: tuple[str, str], init_delay: float
    ) -> None:
        self._device = device
        self._session = session
        self._pins = pins
        self._asked = [SYS_UPTIME, SYS_OBJECT_ID, *filter(None, objects)]
        self._objects = objects
        self._init_delay = init_delay
        self._uptime: tuple[float, int] | None = None  # the moment when it was read, and what it was
        self._steady = False  # its clock kept time between the last two reads
        self._renewals = session.renewals
        self.identity: Identity | None = None  # None: to be asked before anything else

    async def read(self, oids: Sequence[str], *, poll: bool = False) -> list[Reading]:
        """Read as ``SnmpSession.get`` does, and look at the device's uptime on the way.

        Raises DeviceError also when the device has just restarted, or is not the one that is pinned.
        """
        try:
            await self._meet()
            uptime, *readings = await self._session.get([SYS_UPTIME, *oids], poll=poll)
            if self._note(uptime):
                await self._meet()  # it may come back as another one
        except DeviceError:
            self.identity = None  # whoever answers next may be another one
            raise
        self._check_ready()
        return readings

    async def write(self, pairs: Sequence[tuple[str, int | str]]) -> None:
        """Write as ``SnmpSession.set`` does; raises as ``read`` does."""
        known_since = self._device.restarted_at
        await self._meet()
        self._check_ready()
        if self._device.restarted_at != known_since:
            raise DeviceStateError(f"{self._device.name} has restarted: its outlets have to be read first")
        await self._session.set(pairs)

    async def close(self) -> None:
        await self._session.close()

    async def _meet(self) -> None:
        """Ask who it is, unless that is known. Raises DeviceError, DeviceRefused when it is not the pinned one."""
        if self.identity is not None:
            return
        (uptime,) = await self._session.get([SYS_UPTIME])  # alone: a dead device costs one time limit, not several
        self._note(uptime)
        found = dict(zip(self._asked[1:], await self._session.get(self._asked[1:]), strict=True))
        serial, outlets = (_text(found.get(oid, "")) for oid in self._objects)
        identity = Identity(_text(found[SYS_OBJECT_ID]), serial, outlets)
        wrong = identity.differs(self._pins)
        if wrong:
            now = "; ".join(identity.lines())
            raise DeviceRefused(
                f"{self._device.name}: another device answers: {wrong}. Nothing is read from it or sent to it. If that "
                f"is meant, write into outlets/{self._device.name}.ini: {now}"
            )
        self.identity = identity

    def _note(self, uptime: Reading) -> bool:
        """Take down the uptime; True when the device has restarted. One that does not tell it is hardly watched."""
        now = self._device.clock.now()
        renewed, self._renewals = self._session.renewals != self._renewals, self._session.renewals
        fell = False
        if isinstance(uptime, int):
            before, self._uptime = self._uptime, (now, uptime)
            if before is not None:
                elapsed = now - before[0]
                trusted = self._steady or self.identity is None  # after a silence a wrong alarm does no harm
                fell = has_restarted(before[1], uptime, elapsed, trusted=trusted)
                self._steady = keeps_time(before[1], uptime, elapsed)
        if not (fell or renewed):
            return False
        up_s = uptime / TICKS_PER_S if isinstance(uptime, int) else 0.0
        log.warning(
            "%s has restarted %.0f s ago: its outlets are not known until they are read", self._device.name, up_s
        )
        self._device.restarted(now - up_s + self._init_delay)
        self.identity = None
        return True

    def _check_ready(self) -> None:
        wait = self._device.not_before - self._device.clock.now()
        if wait > 0:
            raise DeviceStateError(f"{self._device.name} has restarted; it is left alone for another {wait:.0f} s")


def _text(reading: Reading) -> str:
    if isinstance(reading, DeviceError):  # it has no such object, or does not show it
        return ""
    return reading.decode("utf-8", "replace").strip() if isinstance(reading, bytes) else str(reading)
