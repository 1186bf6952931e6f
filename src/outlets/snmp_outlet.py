"""Outlets that are objects of an SNMP agent: one session per device, and one GET for all its outlets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from typing_extensions import override

from ..common.errors import DeviceAnswerError, DeviceError
from ..common.snmp import SnmpSession, SnmpSettings, SnmpValue
from .OutletTemplate import OutletTemplate

Reading = SnmpValue | DeviceError
"""A value, or why there is none."""


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

    # -- the same for all of them

    @property
    def session(self) -> SnmpSession:
        return self.device.shared("snmp", lambda: SnmpSession(self._snmp_settings()))

    @override
    async def _setOutletState(self, state: bool) -> None:
        await self.session.set([self.command(state)])

    @override
    async def _getOutletState(self) -> bool:
        return self.decode(await self.session.get(self.oids()))

    @classmethod
    @override
    async def read_many(cls, outlets: Sequence[OutletTemplate]) -> list[bool | DeviceError]:
        """Read all of ``outlets`` (of this type and one device) with as few datagrams as the agent can take."""
        rows = [outlet for outlet in outlets if isinstance(outlet, SnmpOutlet)]
        oids = [row.oids() for row in rows]
        asked = list(dict.fromkeys(oid for row in oids for oid in row))  # a shared outlet is asked for once
        if not asked:
            return []
        first = rows[0]
        limit = (first.timeout * 1.5 + 1.0) * (1 + len(asked) // 8)
        try:
            found = dict(zip(asked, await first.invoke(first.session.get, asked, timeout=limit), strict=True))
        except DeviceError as error:
            return [error] * len(rows)
        return [_judged(row, [found[oid] for oid in own]) for row, own in zip(rows, oids, strict=True)]

    def _snmp_settings(self) -> SnmpSettings:
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


def _judged(row: SnmpOutlet, readings: Sequence[Reading]) -> bool | DeviceError:
    try:
        return row.decode(readings)
    except DeviceError as error:
        return error
