"""Targets of the DHCP server: messages as bytes, and whole conversations of some clients with the desk."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Any

from ockle.config.templates import plugin_template
from ockle.netboot.dhcp.arp import parse_claim
from ockle.netboot.dhcp.clients import identify
from ockle.netboot.dhcp.config import read_config
from ockle.netboot.dhcp.desk import Desk
from ockle.netboot.dhcp.options import MACHINE_ID, RELAY_AGENT, REQUESTED, SERVER_ID
from ockle.netboot.dhcp.packet import LEAST_BYTES, Packet, PacketError, Type, hardware_of, parse
from ockle.netboot.dhcp.routes import frame, route
from ockle.netboot.hosts import Host
from ockle.netboot.profiles import Profile
from ockle.netboot.wire import Wire

from .target import Target

_OWN, _HOST = IPv4Address("10.7.0.1"), Host("52:54:00:00:00:01", IPv4Address("10.7.0.102"), "host")
_MACS = tuple(bytes.fromhex(f"5254000000{number:02x}") for number in range(1, 7))
_ADDRESSES = tuple(
    IPv4Address(text).packed
    for text in (
        "10.7.0.100",
        "10.7.0.101",
        "10.7.0.102",
        "10.7.0.103",
        "10.7.0.1",
        "10.7.0.200",
        "10.9.0.1",
        "0.0.0.0",  # noqa: S104 - the address of nobody
    )
)


def _desk(**changes: Any) -> Desk:
    settings = {
        **plugin_template("NetBoot").defaults("plugins.NetBoot"),
        "dhcp_pool": ["10.7.0.100-10.7.0.103"],
        "dhcp_known_only": False,
        **changes,
    }
    wire = Wire("eth9", 9, _OWN, IPv4Network("10.7.0.0/24"), "02:00:00:00:00:01")
    by_ip = {_HOST.ip.packed if _HOST.ip else b"": _HOST}
    return Desk(read_config(settings, wire), by_ip.get, lambda host: Profile("", boot_file="x" * 200 if host else ""))


def messages(data: bytes) -> None:
    """A message is read or refused; what was read is written and read again; a reply to it is one of its client's."""
    hardware_of(data)
    try:
        packet = parse(data)
    except PacketError:
        return
    again = parse(packet.encode(most=1 << 16))
    assert again.options == {code: value for code, value in packet.options.items() if value}, (again, packet)
    assert (again.hardware, again.xid, again.type) == (packet.hardware, packet.xid, packet.type)
    identify(packet)
    for mode in ("addresses", "proxy"):
        case = _desk(dhcp_mode=mode).handle(packet, None, 0.0)
        if case.reply and case.answer.reply is not None:
            _sound(packet, case.reply)
            where = route(packet, case.answer.reply, case.answer.ip)
            frame(b"\2" * 6, where.mac, _OWN.packed, where.ip, (67, 68), case.reply)


def _sound(asked: Packet, raw: bytes) -> None:
    reply = parse(raw)
    assert (reply.op, reply.xid, reply.hardware) == (2, asked.xid, asked.hardware)
    assert LEAST_BYTES <= len(raw) <= 1472
    assert reply.options.get(RELAY_AGENT) == (asked.options.get(RELAY_AGENT) or None)
    if reply.type not in {Type.NAK, Type.BOOTP} and MACHINE_ID in reply.options:
        assert reply.options[MACHINE_ID] == asked.options[MACHINE_ID]


def talks(data: bytes) -> None:
    """Whatever six clients say: no address is held by two of them, and the one of a host by nobody else.

    Four bytes a message: client and type, address, server, seconds that pass.
    """
    desk, now = _desk(), 0.0
    held: dict[bytes, tuple[bytes, float]] = {}
    for at in range(0, len(data) - 3, 4):
        who, what, server, passed = data[at : at + 4]
        now += passed * 20.0
        mac, ip = _MACS[who % 6], _ADDRESSES[what % 8]
        options = {53: b"\1"}
        if what & 8:
            options[REQUESTED] = ip
        if server & 3:
            options[SERVER_ID] = _OWN.packed if server & 1 else _ADDRESSES[6]
        kind = Type(who // 6 % 8 + 1)
        ciaddr = ip if what & 16 else bytes(4)
        packet = Packet(1, b"abcd", mac, kind, ciaddr=ciaddr, options=options, flags=0x8000 if what & 32 else 0)
        host = _HOST if mac == _MACS[0] else None
        case = desk.handle(packet, host, now)
        if case.reply:
            _sound(packet, case.reply)
        if case.answer.mark is not None and case.answer.reply is None:  # given back, declined, or not taken
            held.pop(case.answer.ip, None)
        if case.answer.reply is Type.ACK and case.answer.seconds:
            given = case.answer.ip
            owner, until = held.get(given, (mac, 0.0))
            assert owner == mac or until <= now, "two clients have one address"
            assert (given == _ADDRESSES[2]) is (host is not None), "a host's address is its own, and its only one"
            held[given] = (mac, now + case.answer.seconds)


def arp(data: bytes) -> None:
    """A frame claims an address or not; never the address of nobody."""
    claim = parse_claim(data)
    assert claim is None or (len(claim.mac), len(claim.ip), any(claim.ip)) == (6, 4, True)


_PXE = {
    53: b"\1",
    60: b"PXEClient:Arch:00000:UNDI:002001",
    93: b"\0\0",
    97: b"\0" + b"D" * 16,
    55: b"\1\3\6\x2b\x3c\x42\x43",
}
_RELAYED = {53: b"\3", 50: _ADDRESSES[0], 54: _OWN.packed, 57: b"\5\xdc", 61: b"\1abcdef", 77: b"iPXE", 82: b"\1\4port"}

TARGETS = {
    "dhcp_messages": Target(
        messages,
        (
            Packet(1, b"\x26\xf3\x03\x39", _MACS[1], options=_PXE).encode(),
            Packet(1, b"abcd", _MACS[2], giaddr=_OWN.packed, options=_RELAYED).encode(padded=False),
            Packet(
                1, b"abcd", _MACS[2], options={53: b"\1", 52: b"\3"}, file=b"\x37\2\1\3\xff", sname=b"\x0c\1a\xff"
            ).encode(),
        ),
        most=1500,
        small=False,
    ),
    "dhcp_talks": Target(
        talks,
        (
            bytes((1, 0, 0, 0)) + bytes((13, 8, 1, 0)) + bytes((37, 16, 1, 1)) + bytes((2, 0, 0, 1)),
            bytes((0, 0, 0, 0)) + bytes((12, 10, 1, 0)) + bytes((18, 10, 0, 0)) + bytes((13, 10, 1, 0)),
        ),
        most=400,
        small=False,
    ),
    "dhcp_arp": Target(arp, (bytes(12) + bytes.fromhex("08060001080006040001") + bytes(20),), most=80),
}
