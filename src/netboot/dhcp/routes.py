"""Where a reply goes (RFC 2131 section 4.1), and the Ethernet frame for a client that has no address yet."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum

from .packet import BROADCAST_FLAG, NOBODY, Packet, Type

EVERYBODY_IP, EVERYBODY_MAC = b"\xff" * 4, b"\xff" * 6
_FRAME = struct.Struct("!6s6sHBBHHHBBH4s4sHHHH")
_IPV4, _UDP = 0x0800, 17
_TTL = 64


class Way(Enum):
    RELAY = "to the relay's server port"
    UNICAST = "to an address that the client has already"
    FRAME = "to a client without an address, by its hardware address: it could not answer an ARP request"
    BROADCAST = "to everybody"


@dataclass(slots=True)
class Route:
    """``ip`` and ``mac`` of the receiver; ``mac`` counts for frames only."""

    way: Way
    ip: bytes
    mac: bytes = EVERYBODY_MAC


def route(packet: Packet, kind: Type, yiaddr: bytes) -> Route:
    """Return where the reply of type ``kind`` to ``packet`` goes."""
    if packet.giaddr != NOBODY:
        return Route(Way.RELAY, packet.giaddr)
    if kind is Type.NAK:  # the address that the client thinks it has is what is wrong
        return Route(Way.BROADCAST, EVERYBODY_IP)
    if packet.ciaddr != NOBODY:
        return Route(Way.UNICAST, packet.ciaddr)
    if packet.flags & BROADCAST_FLAG or yiaddr == NOBODY:
        return Route(Way.BROADCAST, EVERYBODY_IP)
    return Route(Way.FRAME, yiaddr, packet.hardware)


def frame(source_mac: bytes, mac: bytes, source: bytes, target: bytes, ports: tuple[int, int], payload: bytes) -> bytes:
    """Return ``payload`` as UDP over IPv4 over Ethernet, with its checksums. ``ports``: source, destination."""
    length = 8 + len(payload)
    pseudo = source + target + struct.pack("!HHHHH", _UDP, length, *ports, length)
    odd = b"\0" if length & 1 else b""
    checksum = _checksum(pseudo + payload + odd) or 0xFFFF
    header = (0x45, 0, 20 + length, 0, 0x4000, _TTL, _UDP)
    words = struct.pack("!BBHHHBB", *header) + source + target
    return (
        _FRAME.pack(mac, source_mac, _IPV4, *header, _checksum(words), source, target, *ports, length, checksum)
        + payload
    )


def _checksum(words: bytes) -> int:
    """The one's complement of the one's complement sum of 16-bit words (RFC 1071): that sum is a rest modulo 65535."""
    rest = int.from_bytes(words) % 0xFFFF
    return 0xFFFF - rest if rest else (0 if any(words) else 0xFFFF)
