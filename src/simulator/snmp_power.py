"""Devices that switch outlets and speak SNMP."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

from .power import PowerDevice
from .snmp_agent import Mib, Variable, integer, text
from .snmp_ber import OBJECT_IDENTIFIER, TIME_TICKS, ErrorStatus, Oid, Value

SYSTEM: Oid = (1, 3, 6, 1, 2, 1, 1)
"""SNMPv2-MIB system group."""


class SnmpPowerDevice(PowerDevice, ABC):
    """Subclasses add their MIB."""

    description = ""
    object_id: Oid = ()

    def set(self, number: int, on: bool) -> ErrorStatus | None:
        """A SET arrived; the answer's error, or None."""
        self.command(number, on)
        return ErrorStatus.GEN_ERR if self.knobs.refuse or self.knobs.error_but_applied else None

    def mib(self) -> Mib:
        return Mib((*self._system(), *self._variables()), self._live_variables)

    @abstractmethod
    def _variables(self) -> Iterator[Variable]:
        """The variables of the device's own MIB."""

    def _live_variables(self) -> Iterable[Variable]:
        """Those of them that come and go."""
        return ()

    def _system(self) -> Iterator[Variable]:
        yield Variable((*SYSTEM, 1, 0), lambda: text(self.description))
        yield Variable((*SYSTEM, 2, 0), lambda: Value(OBJECT_IDENTIFIER, self.object_id))
        yield Variable((*SYSTEM, 3, 0), lambda: Value(TIME_TICKS, int(self.up_s() * 100) % 2**32))
        yield Variable((*SYSTEM, 5, 0), lambda: text(self.name))
        yield Variable((*SYSTEM, 7, 0), lambda: integer(2))
