"""What is known of boards, as plain data for people: pure functions of what the boot server has written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError
from typing import Any

from ..config.model import Site
from ..config.outlet_address import outlet_address
from ..netboot.boards import Board, Line
from ..netboot.hosts import Host
from ..netboot.profiles import Profile
from .group import Data

Live = Mapping[str, Any]
"""The content of live.json, see ``netboot.folder``."""


def board_view(host: Host | None, board: Board, server: str, port: str, profile: Profile) -> Data:
    """Return a board: how it is known, where it is, how far it has come. Times are seconds since 1970, 0 = never."""
    found = asdict(board)
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
    for name in ("stage_at", "stage_stamp", "booted_stamp"):  # of meaning to the daemon only, or told already
        del found[name]
    return found


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
    """Return each service that is wanted or runs: ``name``, ``running``, ``addresses``."""
    running: Mapping[str, Any] = live["services"] if live["serving"] else {}
    names = dict.fromkeys([*wanted, *running])
    return [
        {"name": name, "running": name in running, "addresses": list(running.get(name, {}).get("addresses", []))}
        for name in names
    ]


def transfers(live: Live, labels: Mapping[str, str], by_ip: Mapping[str, str]) -> list[Data]:
    """Return what is being sent and what was sent last, the running ones first.

    ``labels``  MAC address -> what a board is called
    ``by_ip``   address -> MAC address
    """
    found = []
    for service, told in (live["services"] if live["serving"] else {}).items():
        for number, one in enumerate(told.get("transfers", ())):
            ip = str(one.get("ip", ""))
            mac = str(one.get("mac", "")) or by_ip.get(ip, "")
            found.append(
                {
                    "id": f"{service}-{one.get('id', number)}",
                    "service": service,
                    "mac": mac,
                    "ip": ip,
                    "board": labels.get(mac, ""),
                    "file": str(one.get("file", "")),
                    "sent": int(one.get("sent", 0)),
                    "size": one.get("size"),
                    "rate": one.get("rate"),
                    "retries": int(one.get("retries", 0)),
                    "begun": one.get("begun"),
                    "state": str(one.get("state", "running")),
                    "text": str(one.get("text", "")),
                }
            )
    return sorted(found, key=lambda one: one["state"] != "running")


def unknown(live: Live) -> list[Data]:
    """Return who asked and is no host, the newest last: ``mac``, ``first``, ``last``, ``count``, ``text``, ``kind``."""
    found = []
    for one in live["services"].get("dhcp", {}).get("unknown", ()) if live["serving"] else ():
        parts = [str(one.get(name, "")) for name in ("kind", "hostname", "text")]
        found.append(
            {
                "mac": str(one["mac"]),
                "first": one.get("first"),
                "last": one.get("last"),
                "count": int(one.get("count", 1)),
                "kind": parts[0],
                "hostname": parts[1],
                "vendor": str(one.get("vendor", "")),
                "text": ", ".join(part for part in dict.fromkeys(parts) if part),
            }
        )
    return sorted(found, key=lambda one: one["first"] or 0)


# -- addresses


def wire_network(live: Live) -> IPv4Network | None:
    """Return the network that the boards are on; None as long as no boot server has said so."""
    try:
        return IPv4Network(str(live["wire"].get("network", "")))
    except (AddressValueError, NetmaskValueError, ValueError):
        return None


def next_address(network: IPv4Network | None, hosts: Iterable[Host], taken: Iterable[IPv4Address]) -> str:
    """Return the address to propose for a new host, "" where there is none to propose.

    The one above the highest of the hosts there, as people count upwards; when that is taken, the lowest free one.
    """
    if network is None or network.prefixlen > 30:
        return ""
    used = {host.ip for host in hosts if host.ip is not None and host.ip in network}
    blocked = used | set(taken) | {network.network_address, network.broadcast_address}
    above = max(used) + 1 if used else None
    if above is not None and above in network and above not in blocked:
        return str(above)
    return next((str(one) for one in network.hosts() if one not in blocked), "")
