"""ARP (RFC 826): asking whether anybody uses an address (RFC 5227 section 2.1), and who says that he does."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .packet import NOBODY
from .routes import EVERYBODY_MAC

ETHERTYPE = 0x0806
_FRAME = struct.Struct("!6s6sHHHBBH6s4s6s4s")
_ETHERNET, _IPV4 = 1, 0x0800
_REQUEST = 1


@dataclass(frozen=True, slots=True)
class Claim:
    """A machine that says by ARP that ``ip`` is its own."""

    ip: bytes
    mac: bytes


def probe(source_mac: bytes, ip: bytes) -> bytes:
    """Return the frame that asks who has ``ip``, without claiming any address."""
    return _FRAME.pack(
        EVERYBODY_MAC, source_mac, ETHERTYPE, _ETHERNET, _IPV4, 6, 4, _REQUEST, source_mac, NOBODY, bytes(6), ip
    )


def parse_claim(frame: bytes) -> Claim | None:
    """Return what a frame claims; None: nothing, or it is no ARP."""
    if len(frame) < _FRAME.size:
        return None
    _to, _from, kind, hardware, protocol, hlen, plen, _op, mac, ip, _mac, _ip = _FRAME.unpack_from(frame)
    if (kind, hardware, protocol, hlen, plen) != (ETHERTYPE, _ETHERNET, _IPV4, 6, 4) or ip == NOBODY:
        return None
    return Claim(ip, mac)
