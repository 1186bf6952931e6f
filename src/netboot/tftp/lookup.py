"""Which board an address is, and what it is given to boot."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path

from ..boards import Boards
from ..host_book import HostBook
from ..mac import parse_mac
from ..profiles import Profiles
from .names import View

NEIGHBOURS = Path("/proc/net/arp")


class Lookup:
    """``prefixes``: fixed texts that boards put in front of what they ask for. ``profiles`` may be exchanged."""

    def __init__(self, hosts: HostBook, boards: Boards, profiles: Profiles, prefixes: Collection[str]) -> None:
        self._hosts = hosts
        self._boards = boards
        self._prefixes = tuple(prefixes)
        self.profiles = profiles

    def mac_of(self, ip: str) -> str:
        """Return the MAC address of the machine that has ``ip`` now; "" when nobody knows.

        The kernel knows it of a neighbour, which has just asked for ours; of one beyond a router hosts.csv may have
        it, or else the board that was seen with it last.
        """
        try:
            address = IPv4Address(ip)
        except AddressValueError:
            return ""
        if mac := neighbour(ip):
            return mac
        if host := self._hosts.by_ip(address):
            return host.mac
        seen = [board for board in self._boards.all() if board.ip == ip]
        return max(seen, key=lambda board: board.last_seen).mac if seen else ""

    def view_of(self, ip: str) -> View:
        """Return how the client at ``ip`` sees the boot files."""
        mac = self.mac_of(ip)
        profile = self.profiles.of(self._hosts.by_mac(mac) if mac else None)
        maps = {asked.strip("/"): served.strip("/") for asked, served in profile.maps.items()}
        return View(mac, profile.root.strip("/"), maps, self._prefixes, profile.kernel_args)

    def is_ours(self, mac: str) -> bool:
        """Whether ``mac`` is a board that we know, and not any machine on the wire."""
        return self._hosts.by_mac(mac) is not None or self._boards.get(mac) is not None


def neighbour(ip: str) -> str:
    """Return the MAC address that the kernel's ARP table has for ``ip``; "" when it has none."""
    try:
        table = NEIGHBOURS.read_text("ascii", "replace")
    except OSError:
        return ""
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) >= 4 and fields[0] == ip and int(fields[2], 16) & 2:  # ATF_COM: it has answered
            try:
                mac = parse_mac(fields[3])
            except ValueError:
                continue
            return mac if mac != "00:00:00:00:00:00" else ""
    return ""
