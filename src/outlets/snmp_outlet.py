"""Outlets that are objects of an SNMP agent: one session per device, and one GET for all its outlets."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from typing_extensions import override

from ..common.errors import DeviceAnswerError, DeviceError, DeviceStateError
from ..common.snmp import SnmpSettings
from ..common.snmp_session import Reading, SnmpSession
from ..drivers.joined_reads import JoinedReads
from .OutletTemplate import OutletTemplate
from .snmp_device import Identity, SnmpDevice

log = logging.getLogger(__name__)


class SnmpOutlet(OutletTemplate, ABC):
    """Base of the types that are rows of an SNMP table; such a type says which objects and what their values mean."""

    # -- what a type implements

    @abstractmethod
    def oids(self) -> Sequence[str]:
        """Return the objects that show this outlet's state, without leading dots."""

    @abstractmethod
    def decode(self, readings: Sequence[Reading]) -> bool:
        """Return on or off from the readings of ``oids``, in that order; raises DeviceError for all else."""

    @abstractmethod
    def command(self, state: bool) -> tuple[str, int]:
        """Return the object and the value that switch this outlet."""

    def measured(self) -> Mapping[str, tuple[str, float]]:
        """Return name in ``data`` -> the object that is measured, and the units of one count of it."""
        return {}

    SERIAL: ClassVar[str] = ""
    """The object with the device's serial number; "" = the type has none."""
    OUTLETS: ClassVar[str] = ""
    """The object with its number of outlets; "" = the type has none."""

    # -- the same for all of them

    @property
    def agent(self) -> SnmpDevice:
        return self.device.shared("snmp", lambda: self.watched(SnmpSession(self.snmp_settings())))

    @override
    async def _setOutletState(self, state: bool) -> None:
        await self.agent.write([self.command(state)])

    @override
    async def _getOutletState(self) -> bool:
        return self.decode(await self.agent.read(self.oids()))

    @override
    async def _checkOutlet(self) -> None:
        (oid, on), (_, off) = self.command(True), self.command(False)
        (shown,) = await self.agent.read([oid])
        value = self.integer(shown)
        if value not in {on, off}:
            raise DeviceStateError(f"{self.name}: it shows {value}, which may be a command of another meaning")
        await self.agent.write([(oid, value)])
        (after,) = await self.agent.read([oid])
        if self.integer(after) != value:
            raise DeviceStateError(f"{self.name}: it shows {after!r} after {value} was written again")

    @override
    def about(self) -> list[str]:
        return self.agent.identity.lines() if self.agent.identity else []

    @property
    @override
    def measures(self) -> bool:
        return bool(self.measured())

    @override
    async def _read_once(self) -> bool | DeviceError:
        joined = self.device.shared(("reads", type(self)), lambda: JoinedReads(type(self)._read_group))
        return await joined.read(self)

    @override
    async def measure(self) -> dict[str, Any]:
        if self.measures:
            joined = self.device.shared(("measures", type(self)), lambda: JoinedReads(type(self)._measure_group))
            problem = await joined.read(self)
            if problem is not None:
                raise problem
        return self.data

    @classmethod
    @override
    async def read_many(cls, outlets: Sequence[OutletTemplate]) -> list[bool | DeviceError]:
        """Read all of ``outlets`` (of this type and one device) with as few datagrams as the agent can take."""
        return await cls._read_group(outlets, poll=True)

    @classmethod
    async def _read_group(cls, outlets: Sequence[OutletTemplate], *, poll: bool = False) -> list[bool | DeviceError]:
        rows = [outlet for outlet in outlets if isinstance(outlet, SnmpOutlet)]
        oids = [row.oids() for row in rows]
        try:
            found = await _read_all(rows, oids, poll=poll)
        except DeviceError as error:
            return [error] * len(rows)
        return [_judged(row, [found[oid] for oid in own]) for row, own in zip(rows, oids, strict=True)]

    @classmethod
    @override
    async def measure_many(cls, outlets: Sequence[OutletTemplate]) -> None:
        """Measure all of ``outlets`` (of this type and one device) with as few datagrams as the agent can take."""
        await cls._measure_group(outlets, poll=True)

    @classmethod
    async def _measure_group(cls, outlets: Sequence[OutletTemplate], *, poll: bool = False) -> list[DeviceError | None]:
        rows = [outlet for outlet in outlets if isinstance(outlet, SnmpOutlet)]
        oids = [[oid for oid, _ in row.measured().values()] for row in rows]
        try:
            found = await _read_all(rows, oids, poll=poll)
        except DeviceError as error:
            log.debug("%s: cannot measure: %s", rows[0].device.name, error)
            for row in rows:
                row.data.clear()
            return [error] * len(rows)
        for row, own in zip(rows, oids, strict=True):
            row._take([found[oid] for oid in own])
        return [None] * len(rows)

    def _take(self, readings: Sequence[Reading]) -> None:
        """Keep what was measured; what the model does not measure, or not now, is left out."""
        for (name, (_, unit)), reading in zip(self.measured().items(), readings, strict=True):
            if isinstance(reading, int):
                self.data[name] = round(reading * unit, 3)
            else:
                self.data.pop(name, None)
        self.measured_at = self.device.clock.now()

    def watched(self, session: SnmpSession) -> SnmpDevice:
        """Return the device behind ``session``, to be watched as its settings say."""
        settings = self.settings
        pinned_outlets = settings.get("pin_outlets", 0)
        pins = Identity(settings["pin_object_id"], settings["pin_serial"], str(pinned_outlets or ""))
        return SnmpDevice(self.device, session, pins, (self.SERIAL, self.OUTLETS), settings["init_delay"])

    def snmp_settings(self) -> SnmpSettings:
        """Return how to speak to the device."""
        settings = self.settings
        return SnmpSettings(
            host=settings["host"],
            port=settings["port"],
            version=settings["version"],
            community=self.secret("community"),
            write_community=self.secret("write_community"),
            user=settings["user"],
            auth=settings["auth_protocol"],
            auth_password=self.secret("auth_password"),
            privacy=settings["privacy_protocol"],
            privacy_password=self.secret("privacy_password"),
            timeout=settings["timeout"],
            retries=settings["retries"],
        )

    def integer(self, reading: Reading) -> int:
        """Return ``reading`` if it is an integer; raises the error that it is, or DeviceAnswerError."""
        if isinstance(reading, DeviceError):
            raise reading
        if not isinstance(reading, int):
            raise DeviceAnswerError(f"{self.name}: {reading!r} instead of a number")
        return reading


async def _read_all(rows: Sequence[SnmpOutlet], oids: Sequence[Sequence[str]], *, poll: bool) -> dict[str, Reading]:
    """Return the reading of each of ``oids``; a shared outlet is asked for once. ``poll``: see ``SnmpSession.get``."""
    asked = list(dict.fromkeys(oid for row in oids for oid in row))
    if not asked:
        return {}
    first = rows[0]
    limit = (first.timeout * 1.5 + 1.0) * (2 + len(asked) // 8)
    readings = await first.invoke(partial(first.agent.read, asked, poll=poll), timeout=limit)
    return dict(zip(asked, readings, strict=True))


def _judged(row: SnmpOutlet, readings: Sequence[Reading]) -> bool | DeviceError:
    try:
        return row.decode(readings)
    except DeviceError as error:
        return error
