"""Which library speaks to an agent."""

from __future__ import annotations

from importlib.util import find_spec

from .snmp import SnmpSettings, Wire


def wire_for(settings: SnmpSettings) -> Wire:
    """Return gufo-snmp where it is installed (extra ``snmp-fast``) and fits, else pysnmp."""
    if settings.version != "3" and find_spec("gufo") and find_spec("gufo.snmp"):
        from .snmp_gufo import GufoWire

        return GufoWire(settings)
    from .snmp_pysnmp import PysnmpWire

    return PysnmpWire(settings)
