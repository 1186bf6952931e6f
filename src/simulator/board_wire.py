"""What a board says while it boots from the network, and what it makes of the answers: bytes only, no sockets.

DHCP of RFC 2131 and 2132 with what a Raspberry Pi's firmware puts in, TFTP of RFC 1350, 2347, 2348 and 2349.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address

DISCOVER, OFFER, REQUEST, ACK, NAK = 1, 2, 3, 5, 6
_COOKIE = bytes((99, 130, 83, 99))
_HEAD = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s")
_CLASS = b"PXEClient:Arch:00000:UNDI:002001"
_WANTED = bytes((1, 3, 43, 60, 66, 67, 128, 129, 130, 131, 132, 133, 134, 135))

RRQ, DATA, ACKNOWLEDGE, ERROR, OACK = 1, 3, 4, 5, 6


@dataclass(frozen=True, slots=True)
class Lease:
    """What a server offers or grants. ``boot``: where the boot files are: option 66, siaddr, or the server itself."""

    kind: int
    address: IPv4Address
    server: IPv4Address
    boot: IPv4Address


def ask(kind: int, xid: int, mac: str, relay: IPv4Address, offer: Lease | None = None) -> bytes:
    """Return a DISCOVER or REQUEST that a relay passes on."""
    hardware = bytes.fromhex(mac.replace(":", ""))
    head = _HEAD.pack(1, 1, 6, 1, xid, 0, 0, *[bytes(4)] * 3, relay.packed, hardware, b"", b"")
    options = [
        (53, bytes((kind,))),
        (55, _WANTED),
        (93, b"\0\0"),
        (94, b"\1\2\1"),
        (60, _CLASS),
        (97, b"\0" + b"D" * 16),
    ]
    if offer is not None:
        options += [(50, offer.address.packed), (54, offer.server.packed)]
    return head + _COOKIE + b"".join(bytes((code, len(value))) + value for code, value in options) + b"\xff"


def answer(data: bytes, xid: int, mac: str) -> Lease | None:
    """Return what is for this board in a datagram, None when it is for another or makes no sense."""
    try:
        head = _HEAD.unpack_from(data)
        options = _options(data[_HEAD.size :])
    except (struct.error, IndexError):
        return None
    if head[0] != 2 or head[4] != xid or head[11][:6] != bytes.fromhex(mac.replace(":", "")):
        return None
    kind, server = options.get(53, b"\0")[0], options.get(54, bytes(4))
    text = options.get(66, b"").rstrip(b"\0").decode("ascii", "replace")
    try:
        boot = IPv4Address(text)
    except ValueError:
        boot = IPv4Address(head[9] if any(head[9]) else server)
    return Lease(kind, IPv4Address(head[8]), IPv4Address(server), boot)


def _options(data: bytes) -> dict[int, bytes]:
    if data[:4] != _COOKIE:
        raise IndexError
    found, place = {}, 4
    while data[place] != 255:
        if data[place] == 0:
            place += 1
            continue
        length = data[place + 1]
        found[data[place]] = data[place + 2 : place + 2 + length]
        place += 2 + length
    return found


def read_request(name: str, block: int) -> bytes:
    return struct.pack("!H", RRQ) + b"\0".join(
        (name.encode(), b"octet", b"tsize", b"0", b"blksize", b"%d" % block, b"")
    )


def acknowledge(block: int) -> bytes:
    return struct.pack("!HH", ACKNOWLEDGE, block)


def opened(data: bytes) -> tuple[int, int, bytes]:
    """Return the opcode, the number behind it (0 of an OACK) and the rest."""
    code = struct.unpack_from("!H", data)[0]
    if code == OACK:
        return code, 0, data[2:]
    return code, struct.unpack_from("!H", data, 2)[0], data[4:]


def granted_block(data: bytes) -> int:
    """Return the block size that an OACK grants; 512 without one."""
    words = data.split(b"\0")
    options = dict(zip((word.lower() for word in words[::2]), words[1::2], strict=False))
    return int(options.get(b"blksize", b"512"))
