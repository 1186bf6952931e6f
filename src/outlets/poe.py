"""Ports of a switch that power what hangs on them (Power over Ethernet)."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from ..common.errors import DeviceAnswerError, DeviceStateError
from ..common.snmp_session import Reading
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

    def _oid(self, column: int) -> str:
        return f"{PORT_TABLE}.{column}.{self.params['group']}.{self.params['port']}"
