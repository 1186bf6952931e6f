"""DHCP messages for tests, made and read without the code under test, and a desk that answers them."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from netboot_site import options as settings
from ockle.netboot.dhcp.config import read_config
from ockle.netboot.dhcp.desk import Case, Desk
from ockle.netboot.dhcp.packet import parse
from ockle.netboot.hosts import Host, index_of, parse_hosts
from ockle.netboot.mac import of_bytes, parse_mac
from ockle.netboot.profiles import Profile
from ockle.netboot.wire import Wire

DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)
DEADLINE_S = 20.0
COOKIE = b"\x63\x82\x53\x63"
PI3_MAC, PI4_MAC, PC_MAC, NEW_MAC = "b8:27:eb:00:00:01", "dc:a6:32:00:00:02", "52:54:00:00:00:03", "52:54:00:00:00:99"
SERVER = "10.7.0.1"
HOSTS = f"{PI3_MAC};10.7.0.11;pi3;0\n{PI4_MAC};10.7.0.12;pi4;0\n{PC_MAC};;pc;0\n"
WIRE = Wire("eth9", 9, IPv4Address(SERVER), IPv4Network("10.7.0.0/24"), "02:00:00:00:00:01")


def ip(text: str) -> bytes:
    return IPv4Address(text).packed


def text(raw: bytes) -> str:
    return str(IPv4Address(raw))


def message(
    kind: int | None,
    mac: str = PC_MAC,
    options: Mapping[int, bytes] | None = None,
    *,
    op: int = 1,
    htype: int = 1,
    hlen: int = 6,
    hops: int = 0,
    xid: int = 0x26F30339,
    secs: int = 0,
    flags: int = 0,
    ciaddr: str = "0.0.0.0",
    giaddr: str = "0.0.0.0",
    sname: bytes = b"",
    file: bytes = b"",
    tail: bytes = b"\xff",
) -> bytes:
    """Return a message. The transaction number is by default that of every Raspberry Pi 3 there is."""
    head = struct.pack("!BBBBIHH", op, htype, hlen, hops, xid, secs, flags)
    chaddr = bytes.fromhex(parse_mac(mac).replace(":", "")).ljust(16, b"\0")
    addresses = ip(ciaddr) + bytes(8) + ip(giaddr)
    pieces = [] if kind is None else [bytes((53, 1, kind))]
    pieces += [bytes((code, len(value))) + value for code, value in (options or {}).items()]
    body = sname.ljust(64, b"\0") + file.ljust(128, b"\0") + COOKIE + b"".join(pieces) + tail
    return head + addresses + chaddr + body


@dataclass
class Reply:
    """A message as a client reads it. ``order``: the codes of its options as they came, repeated ones, too."""

    raw: bytes
    op: int = 0
    xid: int = 0
    flags: int = 0
    ciaddr: str = ""
    yiaddr: str = ""
    siaddr: str = ""
    giaddr: str = ""
    mac: str = ""
    sname: bytes = b""
    file: bytes = b""
    options: dict[int, bytes] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)

    @property
    def type(self) -> int:
        return self.options[53][0]


def read(raw: bytes) -> Reply:
    op, _htype, hlen, _hops, xid, _secs, flags = struct.unpack_from("!BBBBIHH", raw)
    ciaddr, yiaddr, siaddr, giaddr = (text(raw[at : at + 4]) for at in (12, 16, 20, 24))
    mac = of_bytes(raw[28 : 28 + hlen])
    reply = Reply(raw, op, xid, flags, ciaddr, yiaddr, siaddr, giaddr, mac, raw[44:108], raw[108:236])
    assert raw[236:240] == COOKIE
    _read(reply, raw[240:])
    where = reply.options.get(52, b"\0")[0]
    if where & 1:
        _read(reply, reply.file)
    if where & 2:
        _read(reply, reply.sname)
    return reply


def _read(reply: Reply, data: bytes) -> None:
    at = 0
    while data[at] != 255:
        assert data[at] != 0, "a pad before the end: a Raspberry Pi of 2019 stops there"
        code, length = data[at], data[at + 1]
        value = data[at + 2 : at + 2 + length]
        assert len(value) == length
        reply.options[code] = reply.options.get(code, b"") + value
        reply.order.append(code)
        at += 2 + length
    assert not any(data[at + 1 :])


class Site:
    """A desk on the network 10.7.0.0/24 and a clock. ``profiles``: host name -> boot file."""

    def __init__(self, hosts: str = HOSTS, wire: Wire = WIRE, **changes: Any) -> None:
        self.now = 1000.0
        self.profiles: dict[str, str] = {}
        self.hosts = hosts
        chosen = {"interface": "eth9", "address": SERVER, "dhcp_pool": ["10.7.0.100-10.7.0.199"], "dhcp_probe": 0.0}
        self.config = read_config(settings(**{**chosen, **changes}), wire)
        self.desk = Desk(self.config, self._by_ip, self._profile)

    @property
    def hosts(self) -> str:
        return self._hosts

    @hosts.setter
    def hosts(self, lines: str) -> None:
        self._hosts = lines
        self._index = index_of(parse_hosts(lines).hosts)

    def _by_ip(self, address: bytes) -> Host | None:
        return self._index.get(IPv4Address(address))

    def _profile(self, host: Host | None) -> Profile:
        return Profile("", boot_file=self.profiles.get(host.name, "") if host else "")

    def case(self, data: bytes, **more: Any) -> Case:
        packet = parse(data)
        return self.desk.handle(packet, self._index.get(of_bytes(packet.hardware)), self.now, **more)

    def ask(self, *arguments: Any, **fields: Any) -> Reply | None:
        """Send ``message(...)``; None: silence."""
        case = self.case(message(*arguments, **fields))
        return read(case.reply) if case.reply else None

    def must(self, *arguments: Any, **fields: Any) -> Reply:
        reply = self.ask(*arguments, **fields)
        assert reply is not None
        return reply

    def lease(self, mac: str = PC_MAC, options: Mapping[int, bytes] | None = None, **fields: Any) -> Reply:
        """Get an address as a client does."""
        offer = self.must(DISCOVER, mac, options, **fields)
        wanted = {**(options or {}), 50: ip(offer.yiaddr), 54: offer.options[54]}
        ack = self.must(REQUEST, mac, wanted, **fields)
        assert (ack.type, ack.yiaddr) == (ACK, offer.yiaddr)
        return ack


def mac_of(number: int) -> str:
    return of_bytes(b"\x52\x54" + number.to_bytes(4))


def other_wire(network: str) -> Wire:
    return replace(WIRE, network=IPv4Network(network))


def until(done: Callable[[], bool]) -> None:
    """Wait until something that another process does is done."""
    end = time.monotonic() + DEADLINE_S
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)
