"""``hosts.csv``: which boards are known, in piman's format, ``MAC;IP;name;last used``. Text in, hosts out, and back.

No header, one host a line, semicolons. The address may be empty or 0.0.0.0 (none of its own: it gets one of the pool),
the name may be empty, the last field is seconds since 1970 or empty. Empty lines and such that begin with ``#`` are a
person's, and stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from ipaddress import AddressValueError, IPv4Address

from .mac import parse_mac

MOST_LINES = 100_000
NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,62}[A-Za-z0-9_])?")
NOBODY = IPv4Address(0)


@dataclass(frozen=True, slots=True)
class Host:
    """A board that is known.

    ``mac``        as ``mac.parse_mac`` returns it
    ``ip``         its own address, None = it has none
    ``name``       "" = it has none
    ``last_used``  seconds since 1970 of its last request, 0 = never
    """

    mac: str
    ip: IPv4Address | None = None
    name: str = ""
    last_used: int = 0

    @property
    def label(self) -> str:
        """The name, or the MAC address of a host without one."""
        return self.name or self.mac

    def line(self) -> str:
        """Return the host as its line of the file, without the end of the line."""
        return f"{self.mac};{self.ip or NOBODY};{self.name};{self.last_used}"


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that does not serve; the others do. ``number`` counts from 1."""

    number: int
    text: str

    def __str__(self) -> str:
        return f"line {self.number}: {self.text}"


@dataclass(frozen=True, slots=True)
class HostList:
    """A whole file. ``lines``: each as it is written, with the host that it means (None: a comment or a fault)."""

    lines: tuple[tuple[str, Host | None], ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def hosts(self) -> list[Host]:
        return [host for _text, host in self.lines if host is not None]

    def text(self) -> str:
        """Return the file; lines that nobody changed are as they were."""
        return "".join(f"{text}\n" for text, _host in self.lines)

    def put(self, host: Host) -> HostList:
        """Return the list with ``host`` in the place of the one with its MAC address, or else at the end."""
        line = (host.line(), host)
        at = next((at for at, (_text, old) in enumerate(self.lines) if old is not None and old.mac == host.mac), None)
        lines = [*self.lines, line] if at is None else [*self.lines[:at], line, *self.lines[at + 1 :]]
        return replace(self, lines=tuple(lines))

    def with_uses_of(self, other: HostList) -> HostList:
        """Return the list with the times of last use of ``other`` where these are later."""
        later = {host.mac: host.last_used for host in other.hosts}
        return self.replaced(
            {
                host.mac: replace(host, last_used=later[host.mac])
                for host in self.hosts
                if later.get(host.mac, 0) > host.last_used
            }
        )

    def replaced(self, hosts: Mapping[str, Host]) -> HostList:
        """Return the list with ``hosts`` (by MAC address) in the places of those that are there."""
        lines = []
        for text, old in self.lines:
            new = hosts.get(old.mac) if old is not None else None
            lines.append((text, old) if new is None else (new.line(), new))
        return replace(self, lines=tuple(lines))

    def without(self, mac: str) -> HostList:
        """Return the list without the host ``mac``."""
        return replace(self, lines=tuple(one for one in self.lines if one[1] is None or one[1].mac != mac))


def parse_hosts(text: str) -> HostList:
    """Return the hosts of a file and the lines that do not serve. Of two that contradict, the first one serves."""
    lines: list[tuple[str, Host | None]] = []
    problems: list[Problem] = []
    taken: dict[object, int] = {}
    for number, line in enumerate(text.splitlines()[:MOST_LINES], 1):
        host = None
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                host = parse_line(line)
                _take(taken, host, number)
            except ValueError as error:
                host = None
                problems.append(Problem(number, str(error)))
        lines.append((line, host))
    return HostList(tuple(lines), tuple(problems))


def parse_line(line: str) -> Host:
    """Return the host of one line. Raises ValueError, with a text for a person."""
    fields = [field.strip() for field in line.lstrip("\ufeff").split(";")]
    if len(fields) != 4:
        raise ValueError(f"{len(fields)} fields instead of 4: write MAC;IP;name;last used")
    mac, ip, name, used = fields
    return checked_host(mac, ip, name, used)


def checked_host(mac: str, ip: str = "", name: str = "", last_used: str = "") -> Host:
    """Return the host that four texts mean. Raises ValueError, with a text for a person."""
    try:
        canonical = parse_mac(mac)
    except ValueError:
        raise ValueError(f"{mac[:40]!r} is not a MAC address such as B8:27:EB:01:02:03") from None
    if int(canonical[:2], 16) & 1:
        raise ValueError(f"{canonical} is the address of a group, not of one machine")
    if canonical == "00:00:00:00:00:00":
        raise ValueError("00:00:00:00:00:00 is no machine's address")
    if name and not NAME.fullmatch(name):
        raise ValueError(f"the name {name[:80]!r} is not one: use letters, digits, - . _ (at most 64)")
    if last_used and not (last_used.isascii() and last_used.isdigit() and len(last_used) < 16):
        raise ValueError(f"{last_used[:40]!r} is no time: write seconds since 1970, or nothing")
    return Host(canonical, _address(ip), name, int(last_used or 0))


def _address(text: str) -> IPv4Address | None:
    if not text:
        return None
    try:
        address = IPv4Address(text)
    except AddressValueError:
        raise ValueError(f"{text[:40]!r} is not an IPv4 address") from None
    if address == NOBODY:
        return None
    if address.is_multicast or address.is_reserved or address.is_unspecified:
        raise ValueError(f"{address} cannot be a machine's address")
    return address


def _take(taken: dict[object, int], host: Host, number: int) -> None:
    for what, key in (("MAC address", host.mac), ("address", host.ip), ("name", host.name.casefold() or None)):
        if key is not None and key in taken:
            shown = host.name if what == "name" else key
            raise ValueError(f"{what} {shown} stands in line {taken[key]} already, which serves; this line does not")
    taken.update((key, number) for key in (host.mac, host.ip, host.name.casefold()) if key)


def index_of(hosts: Iterable[Host]) -> dict[object, Host]:
    """Return MAC address (text), address (IPv4Address) and name (in lower case) -> host."""
    found: dict[object, Host] = {}
    for host in hosts:
        found.update((key, host) for key in (host.mac, host.ip, host.name.casefold()) if key)
    return found
