"""Where a switch has seen which address: its forwarding tables, decoded. No I/O.

Sources: BRIDGE-MIB (RFC 4188), Q-BRIDGE-MIB (RFC 4363), IF-MIB (RFC 2863), LLDP-MIB (IEEE 802.1AB), POWER-ETHERNET-MIB
(RFC 3621).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ..common.snmp import SnmpValue
from ..common.snmp_walk import Column

FORWARDING: Final = {
    "fdb_port": "1.3.6.1.2.1.17.4.3.1.2",
    "fdb_status": "1.3.6.1.2.1.17.4.3.1.3",
}
"""The columns that some switches show by VLAN, under a community or context of its own."""

VLAN_FORWARDING: Final = {
    "q_port": "1.3.6.1.2.1.17.7.1.2.2.1.2",  # index FdbId, MAC
    "q_status": "1.3.6.1.2.1.17.7.1.2.2.1.3",
    "vlan_fdb": "1.3.6.1.2.1.17.7.1.4.2.1.3",  # index time mark, VLAN
}

INTERFACES: Final = {
    "base_if": "1.3.6.1.2.1.17.1.4.1.2",  # index bridge port
    "if_name": "1.3.6.1.2.1.31.1.1.1.1",  # index ifIndex
    "if_alias": "1.3.6.1.2.1.31.1.1.1.18",
    "if_descr": "1.3.6.1.2.1.2.2.1.2",
    "lldp_local": "1.0.8802.1.1.2.1.3.7.1.3",  # index local port number
    "lldp_chassis": "1.0.8802.1.1.2.1.4.1.1.5",  # index time mark, local port number, number
    "lldp_name": "1.0.8802.1.1.2.1.4.1.1.9",
    "poe_admin": "1.3.6.1.2.1.105.1.1.1.3",  # index group, port
}

LEARNED: Final = 3  # dot1dTpFdbStatus, dot1qTpFdbStatus
NOT_LEARNED: Final = 0  # as a port: the address is known, and not where
MAC_OCTETS: Final = 6


@dataclass(frozen=True, slots=True)
class Port:
    """``bridge`` is the number in the forwarding tables, ``index`` the ifIndex (0 = the switch does not tell)."""

    bridge: int
    index: int
    name: str
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """What another device says of itself by LLDP; ``chassis`` as a MAC address, where it is one."""

    chassis: str
    name: str

    def __str__(self) -> str:
        return self.name or self.chassis or "a device that speaks LLDP"


@dataclass(frozen=True, slots=True)
class Bridge:
    """What one switch knows.

    ``ports``       bridge port -> port
    ``macs``        bridge port -> the addresses learned there
    ``vlans``       (bridge port, address) -> the VLANs in which it was learned, as far as the switch tells
    ``neighbours``  bridge port -> who is at its other end, by LLDP
    ``poe``         the (group, port) pairs that can feed something
    """

    switch: str
    ports: Mapping[int, Port]
    macs: Mapping[int, frozenset[str]]
    vlans: Mapping[tuple[int, str], tuple[int, ...]]
    neighbours: Mapping[int, Neighbour]
    poe: frozenset[tuple[int, int]]


def decode(switch: str, tables: Mapping[str, Column], by_vlan: Mapping[int, Mapping[str, Column]]) -> Bridge:
    """Return what the columns say; cells that make no sense are left out.

    ``by_vlan``  VLAN -> the columns ``FORWARDING`` as the switch shows them for it alone
    """
    learned: dict[int, set[str]] = {}
    vlans: dict[tuple[int, str], set[int]] = {}
    for bridge, mac, vlan in _learned(tables, by_vlan):
        learned.setdefault(bridge, set()).add(mac)
        if vlan:
            vlans.setdefault((bridge, mac), set()).add(vlan)
    ports = _ports(tables, learned)
    return Bridge(
        switch,
        ports,
        {bridge: frozenset(macs) for bridge, macs in learned.items()},
        {key: tuple(sorted(found)) for key, found in vlans.items()},
        _neighbours(tables, ports),
        frozenset((index[0], index[1]) for index in tables.get("poe_admin", {}) if len(index) == 2),
    )


def _learned(
    tables: Mapping[str, Column], by_vlan: Mapping[int, Mapping[str, Column]]
) -> Iterator[tuple[int, str, int]]:
    """Yield bridge port, address and VLAN (0 = not told) of every learned entry."""
    for vlan, columns in ((0, tables), *by_vlan.items()):
        for index, port in columns.get("fdb_port", {}).items():
            mac = _mac(index)
            if mac and _is_learned(port, columns.get("fdb_status", {}).get(index)):
                yield int(port), mac, vlan
    vlan_of = _vlans_of_tables(tables.get("vlan_fdb", {}))
    for index, port in tables.get("q_port", {}).items():
        mac = _mac(index[1:])
        if mac and _is_learned(port, tables.get("q_status", {}).get(index)):
            yield int(port), mac, vlan_of.get(index[0], 0)


def _is_learned(port: SnmpValue, status: SnmpValue | None) -> bool:
    return isinstance(port, int) and port != NOT_LEARNED and status == LEARNED


def _vlans_of_tables(column: Column) -> dict[int, int]:
    """Return the number of a table (FdbId) -> the VLAN that it is of; one that several share tells nothing."""
    found: dict[int, set[int]] = {}
    for index, table in column.items():
        if isinstance(table, int):
            found.setdefault(table, set()).add(index[-1])
    return {table: min(vlans) for table, vlans in found.items() if len(vlans) == 1}


def _ports(tables: Mapping[str, Column], learned: Mapping[int, set[str]]) -> dict[int, Port]:
    index_of = {
        index[0]: value
        for index, value in tables.get("base_if", {}).items()
        if len(index) == 1 and isinstance(value, int)
    }
    return {bridge: _port(tables, bridge, index_of.get(bridge, 0)) for bridge in sorted({*index_of, *learned})}


def _port(tables: Mapping[str, Column], bridge: int, index: int) -> Port:
    def text(column: str) -> str:
        return _text(tables.get(column, {}).get((index,)))

    return Port(bridge, index, text("if_name") or text("if_descr") or f"bridge port {bridge}", text("if_alias"))


def _neighbours(tables: Mapping[str, Column], ports: Mapping[int, Port]) -> dict[int, Neighbour]:
    """Return who is at the ports. LLDP numbers them in its own way: by name, as a bridge port, or by ifIndex."""
    by_name = {port.name: bridge for bridge, port in ports.items()}
    by_index = {port.index: bridge for bridge, port in ports.items()}
    found = {}
    for index, chassis in tables.get("lldp_chassis", {}).items():
        if len(index) < 2:
            continue
        local = index[-2]
        name = _text(tables.get("lldp_local", {}).get((local,)))
        bridge = by_name.get(name) or (local if local in ports else by_index.get(local))
        if bridge is not None:
            known = _mac(tuple(chassis)) if isinstance(chassis, bytes) else ""
            found[bridge] = Neighbour(known, _text(tables.get("lldp_name", {}).get(index)))
    return found


def _mac(octets: tuple[int, ...]) -> str:
    """Return an address as six numbers in the usual form, "" for anything else."""
    if len(octets) != MAC_OCTETS or any(octet > 255 for octet in octets):
        return ""
    return ":".join(f"{octet:02X}" for octet in octets)


def _text(value: SnmpValue | None) -> str:
    return value.decode("utf-8", "replace").strip("\0 ") if isinstance(value, bytes) else ""
