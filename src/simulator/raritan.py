"""A metered PDU in the dialect of Raritan's PX (PDU-MIB below enterprises.13742.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from typing_extensions import override

from .snmp_agent import Variable, gauge, integer, one_of, text
from .snmp_ber import ErrorStatus, Oid, Value
from .snmp_power import SnmpPowerDevice

PX: Oid = (1, 3, 6, 1, 4, 1, 13742, 4)
MAINS_MV = 230_000
CYCLE_S = 1.0

OFF, ON, CYCLE = 0, 1, 2


class RaritanPx(SnmpPowerDevice):
    """outletOperationalState follows the contacts, not the command; writing 2 cycles the outlet."""

    description = "virtual lab: metered PDU, PX dialect"
    object_id = (1, 3, 6, 1, 4, 1, 13742, 4)

    @override
    def _variables(self) -> Iterator[Variable]:
        yield Variable((*PX, 1, 1, 2, 0), lambda: text(self.serial))
        yield Variable((*PX, 1, 2, 1, 0), lambda: integer(len(self.outlets)))
        for number in self.outlets:
            yield from self._row(number)

    def _row(self, number: int) -> Iterator[Variable]:
        def cell(column: int) -> Oid:
            return (*PX, 1, 2, 2, 1, column, number)

        def write(value: Value) -> ErrorStatus | None:
            if value.content == CYCLE:
                return self._cycle(number)
            return self.set(number, value.content == ON)

        yield Variable(cell(2), lambda: text(self.outlets[number].label))
        yield Variable(cell(3), lambda: integer(ON if self.reads_on(number) else OFF), one_of(OFF, ON, CYCLE), write)
        yield Variable(cell(4), lambda: gauge(self.power_w(number) / MAINS_MV * 1e6))  # mA
        yield Variable(cell(6), lambda: gauge(MAINS_MV if self.outlets[number].closed else 0))
        yield Variable(cell(7), lambda: gauge(self.power_w(number)))
        yield Variable(cell(8), lambda: gauge(self.power_w(number) / 0.95))  # VA at a power factor of 0.95

    def _cycle(self, number: int) -> ErrorStatus | None:
        failed = self.set(number, False)
        if not failed:
            asyncio.get_running_loop().call_later(CYCLE_S * self._speed, self.ask, number, True)
        return failed
