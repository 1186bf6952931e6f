"""Asks a switch over SNMP where it has seen which address."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace

from ..common.errors import DeviceRefused
from ..common.snmp import SnmpSettings
from ..common.snmp_walk import Column, SnmpWalker
from .bridge_tables import FORWARDING, INTERFACES, VLAN_FORWARDING, Bridge, decode

Turn = Callable[[], AbstractAsyncContextManager[None]]


async def read_bridge(
    switch: str, settings: SnmpSettings, vlans: Sequence[str] = (), turn: Turn = nullcontext
) -> Bridge:
    """Return what the switch has learned.

    ``vlans``  those whose tables it shows only under COMMUNITY@VLAN, or in the context ``vlan-N`` (version 3)
    ``turn``   gives the place in the device's queue that each exchange takes
    Raises DeviceError.
    """
    tables = await _read(settings, {**FORWARDING, **VLAN_FORWARDING, **INTERFACES}, turn)
    by_vlan = {_vlan(switch, vlan): await _read(_of_vlan(settings, vlan), FORWARDING, turn) for vlan in vlans}
    return decode(switch, tables, by_vlan)


async def _read(settings: SnmpSettings, columns: Mapping[str, str], turn: Turn) -> dict[str, Column]:
    walker = SnmpWalker(settings, turn)
    try:
        return {name: await walker.column(root) for name, root in columns.items()}
    finally:
        await walker.close()


def _of_vlan(settings: SnmpSettings, vlan: str) -> SnmpSettings:
    if settings.version == "3":
        return replace(settings, context=f"vlan-{vlan}")
    return replace(settings, community=f"{settings.community.partition('@')[0]}@{vlan}")


def _vlan(switch: str, text: str) -> int:
    if not text.isdecimal():
        raise DeviceRefused(f"outlets/{switch}.ini: bridge_vlans: {text!r} is no number of a VLAN")
    return int(text)
