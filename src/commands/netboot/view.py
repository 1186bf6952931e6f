"""What is known of boards, as plain data for people: pure functions of what the boot server has written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from typing import Any
from zlib import crc32

from ...config.model import Site
from ...config.outlet_address import outlet_address
from ...netboot.boards import Board, Line
from ...netboot.hosts import Host
from ...netboot.profiles import Profile
from ..group import Data

Live = Mapping[str, Any]
"""The content of live.json, see ``netboot.folder``."""


def board_view(host: Host | None, board: Board, server: str, port: str, profile: Profile) -> Data:
    """Return a board: how it is known, where it is, how far it has come. Times are seconds since 1970, 0 = never."""
    found: Data = {name: getattr(board, name) for name in _AS_IT_IS}
    found |= {
        "name": host.name if host is not None else "",
        "label": host.label if host is not None else board.mac,
        "known": host is not None,
        "ip": str(host.ip) if host is not None and host.ip else board.ip,
        "last_used": host.last_used if host is not None else 0,
        "stage": board.stage.key,
        "text": board.stage.value,
        "ok": board.stage.ok,
        "since": board.stage_at,
        "reinstall": board.reinstall.value,
        "server": server,
        "port": port,
        "profile": profile.name,
        "image": board.image or profile.image,
        "loading": None,
    }
    return found


_AS_IT_IS = """
mac note kind serial arch hostname first_seen last_seen booted_at installed_at reinstall_image reinstall_by reinstall_at
""".split()  # noqa: SIM905 - a list of literals would take a line for each
"""Of a board; ids and stamps are of meaning to the daemon only."""


def line_view(line: Line) -> Data:
    return {"id": line.id, "at": line.at, "stage": line.stage, "text": line.text}


def ports(site: Site) -> dict[str, str]:
    """Return server -> the outlets that feed it, as people name them: ``sw1 port 3``."""
    found: dict[str, str] = {}
    for server in site.servers.values():
        texts = []
        for outlet in server.outlets:
            pdu = site.pdus.get(outlet.generator)
            address = outlet_address(pdu, outlet) if pdu is not None else None
            texts.append(str(address) if address is not None else outlet.generator)
        found[server.name] = ", ".join(texts)
    return found


# -- live.json


def services(live: Live, wanted: Iterable[str]) -> list[Data]:
    """Return each service that is wanted or runs: ``name``, ``running``, ``addresses``, ``problem``."""
    running: Mapping[str, Any] = live["services"] if live["serving"] else {}
    return [
        {
            "name": name,
            "running": name in running,
            "addresses": list(running.get(name, {}).get("addresses", [])),
            "problem": str(running.get(name, {}).get("problem", "")),
        }
        for name in dict.fromkeys([*wanted, *running])
    ]


def transfers(live: Live, labels: Mapping[str, str], by_ip: Mapping[str, str]) -> list[Data]:
    """Return what is being sent and what was sent last, the running ones first.

    ``labels``  MAC address -> what a board is called
    ``by_ip``   address -> MAC address
    """
    found = []
    for service, told in (live["services"] if live["serving"] else {}).items():
        for one in told.get("transfers", ()):
            mac = str(one["mac"]) or by_ip.get(str(one["ip"]), "")
            found.append(_transfer(service, one) | {"mac": mac, "board": labels.get(mac, "")})
    return sorted(found, key=lambda one: one["state"] not in ("running", "waiting"))


def _transfer(service: str, one: Mapping[str, Any]) -> Data:
    state = _STATES.get(str(one["state"]), "failed")
    return {
        "id": f"{service}-{one['ip']}-{one['begun']:.3f}-{crc32(str(one['file']).encode()):x}",
        "service": service,
        "ip": str(one["ip"]),
        "file": str(one["file"]),
        "sent": int(one["sent"]),
        "size": int(one["size"]) if one["size"] >= 0 else None,
        "rate": float(one["rate"]),
        "retries": int(one.get("retries", 0)),
        "begun": float(one["begun"]),
        "state": state,
        "text": str(one["state"]) if state == "failed" else "",
    }


_STATES = {"loading": "running", "sending": "running", "ending": "running", "waiting": "waiting", "done": "done"}
"""State of a transfer as TFTP and the installation name it -> the one of three that people see; others: failed."""


def unknown(live: Live) -> list[Data]:
    """Return who asked and is no host: ``mac``, ``first``, ``last``, ``count``, ``text`` (what it says) …"""
    rows = live["services"].get("dhcp", {}).get("unknown", ()) if live["serving"] else ()
    return sorted(map(_unknown, rows), key=lambda one: (one["first"], one["mac"]))


def _unknown(one: Mapping[str, Any]) -> Data:
    serial = f"serial number {one['serial']}" if one["serial"] else ""
    parts = [one["kind"] or one["vendor"], one["hostname"], serial]
    kept = {name: one[name] for name in ("mac", "first", "last", "count", "kind", "vendor", "hostname", "serial")}
    return kept | {"text": ", ".join(part for part in parts if part)}


# -- addresses


def wire_network(live: Live) -> IPv4Network | None:
    """Return the network that the boards are on; None as long as no boot server has said so."""
    try:
        return IPv4Network(str(live["wire"].get("network", "")))
    except (AddressValueError, NetmaskValueError, ValueError):
        return None


Pools = list[tuple[IPv4Address, IPv4Address]]
"""First and last address of each range that is given to machines without one of their own."""


def pools(texts: Iterable[str]) -> Pools:
    """Return the ranges of the option dhcp_pool; one that makes no sense is none, and is told by the DHCP service."""
    found: Pools = []
    for text in texts:
        low, _, high = text.partition("-")
        try:
            found.append((IPv4Address(low.strip()), IPv4Address((high or low).strip())))
        except AddressValueError:
            continue
    return found


def next_address(
    network: IPv4Network | None, hosts: Iterable[Host], taken: Iterable[IPv4Address], pools: Pools | None = None
) -> str:
    """Return the address to propose for a new host, "" where there is none to propose.

    The one above the highest of the hosts there, as people count upwards; when that is taken or of a pool, the lowest
    free one.
    """
    if network is None or network.prefixlen > 30:
        return ""
    used = {host.ip for host in hosts if host.ip is not None and host.ip in network}
    blocked = used | set(taken) | {network.network_address, network.broadcast_address}

    def free(address: IPv4Address) -> bool:
        return address not in blocked and not any(low <= address <= high for low, high in pools or ())

    above = max(used) + 1 if used else None
    if above is not None and above in network and free(above):
        return str(above)
    return next((str(one) for one in network.hosts() if free(one)), "")
