"""Outlets of Raritan Dominion PX power strips (first generation, PDU-MIB)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from typing_extensions import override

from ..common.errors import DeviceAnswerError, DeviceStateError
from ..common.snmp_session import Reading
from .snmp_outlet import SnmpOutlet

OUTLET_TABLE = "1.3.6.1.4.1.13742.4.1.2.2.1"
OPERATIONAL_STATE = 3  # error -1, off 0, on 1, cycling 2; writing 2 cycles, which is never done here
MEASURED = {  # name in ``data`` -> column, units per number on the wire
    "current_a": (4, 0.001),
    "voltage_v": (6, 0.001),
    "power_w": (7, 1.0),
    "energy_wh": (31, 1.0),
}


class Raritan(SnmpOutlet):
    """One outlet of a PX.

    Data: ``current_a``, ``voltage_v``, ``power_w`` (active), ``energy_wh``; models without a meter leave them out.
    Quirk: PX2 and PX3 speak another MIB (PDU2-MIB) with other numbers; they are not this type.
    Source: Raritan PDU-MIB, outletTable, serialNumber, outletCount.
    """

    SERIAL = "1.3.6.1.4.1.13742.4.1.1.2.0"
    OUTLETS = "1.3.6.1.4.1.13742.4.1.2.1.0"

    @override
    def oids(self) -> Sequence[str]:
        return (self._oid(OPERATIONAL_STATE),)

    @override
    def command(self, state: bool) -> tuple[str, int]:
        return self._oid(OPERATIONAL_STATE), int(state)

    @override
    def decode(self, readings: Sequence[Reading]) -> bool:
        state = self.integer(readings[0])
        if state in {-1, 2}:
            raise DeviceStateError(f"{self.name}: the outlet reports {'cycling' if state == 2 else 'an error'}")
        if state not in {0, 1}:
            raise DeviceAnswerError(f"{self.name}: outletOperationalState is {state}, neither 1 (on) nor 0 (off)")
        return state == 1

    @override
    def measured(self) -> Mapping[str, tuple[str, float]]:
        return {name: (self._oid(column), unit) for name, (column, unit) in MEASURED.items()}

    def _oid(self, column: int) -> str:
        return f"{OUTLET_TABLE}.{column}.{self.params['outlet']}"
