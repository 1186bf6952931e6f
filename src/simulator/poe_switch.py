"""A PoE switch of RFC 3621 (POWER-ETHERNET-MIB), index group.port."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from typing_extensions import override

from .bridge_mib import learned_variables, port_variables
from .ledger import Ledger
from .power import Outlet
from .snmp_agent import Variable, gauge, integer, one_of, text
from .snmp_ber import COUNTER32, ErrorStatus, Oid, Value
from .snmp_power import SnmpPowerDevice
from .spec import SwitchSpec

POE: Oid = (1, 3, 6, 1, 2, 1, 105, 1)
ENTITY: Oid = (1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1)
"""ENTITY-MIB, entPhysicalTable; column 11 is the serial number."""
TRUE, FALSE = 1, 2
DISABLED, SEARCHING, DELIVERING, FAULT = 1, 2, 3, 4
LOW = 3
CLASS_WATTS = (15.4, 4.0, 7.0, 15.4, 30.0)
"""Watts of classes 0 to 4, pethPsePortPowerClassifications minus one."""


class PoeSwitch(SnmpPowerDevice):
    """Admin enable is not power: a port searches until a powered device is detected, and may be in fault.

    One port more than those that feed leads elsewhere.
    ``strangers``  addresses that the switch has learned besides those of what is plugged in, as (port, MAC address)
    """

    description = "virtual lab: PoE switch, RFC 3621"
    object_id = (1, 3, 6, 1, 4, 1, 8072, 3, 2, 255)

    def __init__(self, spec: SwitchSpec, ledger: Ledger, speed: float) -> None:
        super().__init__(spec, ledger, speed)
        self._switch = spec
        self._own_mac = (b"\x02\x00" + zlib.crc32(spec.name.encode()).to_bytes(4, "big")).hex(":").upper()
        self._denied = dict.fromkeys(self.outlets, 0)
        self.strangers: set[tuple[int, str]] = set()

    @override
    def knobs_turned(self) -> None:
        super().knobs_turned()
        for number, outlet in self.outlets.items():
            if number in self.knobs.fault:
                self._move(outlet, False)
            elif outlet.asked and not outlet.closed and not outlet.moving:
                self.ask(number, True)

    @override
    def _can_move(self, outlet: Outlet, on: bool) -> bool:
        detected = bool(outlet.loads) and outlet.number not in self.knobs.fault
        return super()._can_move(outlet, on) and (detected or not on)

    @override
    def _delay_s(self, on: bool) -> float:
        return self._switch.detect_s if on else self._switch.move_s

    @override
    def _arrive(self, outlet: Outlet, closed: bool) -> None:
        needed_w = sum(load.rated_w() for load in outlet.loads)
        if closed and self._total_w() + needed_w > self._switch.budget_w:
            outlet.moving = None
            self._denied[outlet.number] += 1
            return
        super()._arrive(outlet, closed)

    def _total_w(self) -> float:
        return sum(map(self.power_w, self.outlets))

    def _status(self, number: int) -> int:
        if number in self.knobs.fault:
            return FAULT
        if self.reads_on(number):
            return DELIVERING
        return SEARCHING if self.outlets[number].asked else DISABLED

    def _class(self, number: int) -> int:
        """1 to 5 for class 0 to 4."""
        watts = self.power_w(number)
        return next((index + 1 for index in (1, 2, 3, 4) if watts <= CLASS_WATTS[index]), 5) if watts else 1

    @override
    def _variables(self) -> Iterator[Variable]:
        group = self._switch.group
        yield Variable((*ENTITY, 11, 1), lambda: text(self.serial))
        yield Variable((*POE, 3, 1, 1, 2, group), lambda: gauge(self._switch.budget_w))
        yield Variable((*POE, 3, 1, 1, 3, group), lambda: integer(1))
        yield Variable((*POE, 3, 1, 1, 4, group), lambda: gauge(self._total_w()))
        for number in self.outlets:
            yield from self._row(group, number)
        uplink = len(self.outlets) + 1
        yield from port_variables((*self.outlets, uplink), self._label, group)

    def _label(self, port: int) -> str:
        return self.outlets[port].label if port in self.outlets else "uplink"

    @override
    def _live_variables(self) -> Iterable[Variable]:
        seen = {
            (number, mac)
            for number, outlet in self.outlets.items()
            for load in outlet.loads
            if outlet.closed and (mac := load.seen_mac())
        }
        return learned_variables(sorted(seen | self.strangers), self._own_mac)

    def _row(self, group: int, number: int) -> Iterator[Variable]:
        def cell(column: int) -> Oid:
            return (*POE, 1, 1, column, group, number)

        def write(value: Value) -> ErrorStatus | None:
            return self.set(number, value.content == TRUE)

        outlet = self.outlets[number]
        yield Variable(cell(3), lambda: integer(TRUE if outlet.asked else FALSE), one_of(TRUE, FALSE), write)
        yield Variable(cell(6), lambda: integer(self._status(number)))
        yield Variable(cell(7), lambda: integer(LOW))
        yield Variable(cell(9), lambda: text(outlet.label))
        yield Variable(cell(10), lambda: integer(self._class(number)))
        yield Variable(cell(12), lambda: Value(COUNTER32, self._denied[number]))
