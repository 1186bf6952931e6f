"""Which library speaks to an agent."""

from __future__ import annotations

from .snmp import SnmpSettings, Wire
from .snmp_pysnmp import PysnmpWire


def wire_for(settings: SnmpSettings) -> Wire:
    return PysnmpWire(settings)
