"""Ports of a switch that power what hangs on them (Power over Ethernet)."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from ..common.errors import DeviceAnswerError, DeviceRefused, DeviceStateError
from ..common.snmp_session import Reading
from ..drivers.bridge_reader import read_bridge
from ..drivers.bridge_tables import Bridge
from ..drivers.port_finder import Numbering
from .snmp_outlet import SnmpOutlet

PORT_TABLE = "1.3.6.1.2.1.105.1.1.1"
ADMIN_ENABLE = 3  # TruthValue: true 1, false 2
DETECTION_STATUS = 6
DISABLED, SEARCHING, DELIVERING, FAULT, TEST, OTHER_FAULT = range(1, 7)
_STATUS = {
    DISABLED: "disabled",
    SEARCHING: "searching",
    DELIVERING: "delivering power",
    FAULT: "fault",
    TEST: "test",
    OTHER_FAULT: "other fault",
}


class PoE(SnmpOutlet):
    """One PoE port of a switch.

    Quirks: an enabled port is no power. The port is on when its detection status says that power is delivered, which
    follows the switching by seconds and never comes while nothing hangs on the port; ``proof`` = admin does without.
    Ports are numbered by the switch as it likes, not by ifIndex. Every switching may be written to its flash.
    Source: RFC 3621, pethPsePortAdminEnable and pethPsePortDetectionStatus, index group.port; RFC 6933,
    entPhysicalSerialNum of the first entity, as a rule the chassis.
    """

    SERIAL = "1.3.6.1.2.1.47.1.1.1.1.11.1"

    @override
    def oids(self) -> Sequence[str]:
        if self.params["proof"] == "admin":
            return (self._oid(ADMIN_ENABLE),)
        return (self._oid(ADMIN_ENABLE), self._oid(DETECTION_STATUS))

    @override
    def command(self, state: bool) -> tuple[str, int]:
        return self._oid(ADMIN_ENABLE), 1 if state else 2

    @override
    def decode(self, readings: Sequence[Reading]) -> bool:
        admin = self.integer(readings[0])
        if admin not in {1, 2}:
            raise DeviceAnswerError(f"{self.name}: AdminEnable is {admin}, neither 1 (true) nor 2 (false)")
        enabled = admin == 1
        if self.params["proof"] == "admin":
            return enabled
        if self.params["proof"] == "auto" and isinstance(readings[1], DeviceAnswerError):
            return enabled  # the switch does not show the detection status
        status = self.integer(readings[1])
        if status not in _STATUS:
            raise DeviceAnswerError(f"{self.name}: DetectionStatus is {status}, which RFC 3621 does not know")
        delivering = status == DELIVERING
        if enabled != delivering:
            what = f"port {'enabled' if enabled else 'disabled'}, detection status: {_STATUS[status]}"
            raise DeviceStateError(f"{self.name}: {what}")
        return delivering

    async def bridge(self) -> Bridge:
        """Read where the switch has seen which address. Raises DeviceError."""
        return await read_bridge(
            self.device.name, self.snmp_settings(), self.settings["bridge_vlans"], self.device.turn
        )

    @property
    def numbering(self) -> Numbering:
        """How the switch numbers its PoE ports, as its file says. Raises DeviceRefused."""
        try:
            own = dict(map(_own_port, self.settings["poe_map"]))
        except ValueError as error:
            raise DeviceRefused(f"outlets/{self.device.name}.ini: poe_map: {error}") from error
        return Numbering(self.settings["poe_numbering"], self.settings["poe_offset"], own)

    @property
    def uplinks(self) -> frozenset[str]:
        """The interfaces that lead to other switches, as the switch's file says."""
        return frozenset(self.settings["uplinks"])

    def _oid(self, column: int) -> str:
        return f"{PORT_TABLE}.{column}.{self.params['group']}.{self.params['port']}"


def _own_port(text: str) -> tuple[str, tuple[int, int]]:
    name, _, place = text.rpartition("=")
    group, _, port = place.rpartition(".")
    if not name or not port.isdecimal() or not (group or "1").isdecimal():
        raise ValueError(f"{text!r} is not of the form INTERFACE=GROUP.PORT")
    return name.strip(), (int(group or 1), int(port))
