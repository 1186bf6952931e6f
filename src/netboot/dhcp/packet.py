"""A DHCP message (RFC 2131 section 2): bytes in, object out, and back."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum

from .options import (
    ARCHITECTURE,
    CLIENT_ID,
    FILE_BYTES,
    MESSAGE_TYPE,
    OVERLOAD,
    SNAME_BYTES,
    OptionsError,
    encode_options,
    overload,
    parse_options,
)

COOKIE = b"\x63\x82\x53\x63"
NOBODY = bytes(4)
BROADCAST_FLAG = 0x8000
ETHERNET = 1
MOST_HOPS = 16
LEAST_BYTES = 300
"""A BOOTP message is no shorter (RFC 1542 section 2.1): some clients drop what is."""
USUAL_BYTES = 548
"""What every client takes: 576 bytes of IP less the headers (RFC 2131 section 2)."""
OVERHEAD = 28
"""Headers of IP and UDP, which option 57 counts."""

_HEAD = struct.Struct("!BBBB4sHH4s4s4s4s16s")
_SNAME, _FILE, _COOKIE, _OPTIONS = 44, 108, 236, 240


class PacketError(ValueError):
    """What no server has to answer."""


class Type(IntEnum):
    """Option 53. BOOTP: a message without it."""

    BOOTP = 0
    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8


_TYPES = {bytes((one,)): one for one in Type if one}


@dataclass(slots=True)
class Packet:
    """A message. Addresses are four bytes, ``hardware`` is as long as ``hlen`` said; options are joined and not cut."""

    op: int
    xid: bytes
    hardware: bytes
    type: Type = Type.BOOTP
    hops: int = 0
    secs: int = 0
    flags: int = 0
    ciaddr: bytes = NOBODY
    yiaddr: bytes = NOBODY
    siaddr: bytes = NOBODY
    giaddr: bytes = NOBODY
    htype: int = ETHERNET
    sname: bytes = b""
    file: bytes = b""
    options: dict[int, bytes] = field(default_factory=dict)

    @property
    def key(self) -> bytes:
        """What the client is known by: its identifier, else its hardware address (RFC 2131 section 4.2).

        An identifier of hardware type and address is the same as none: firmware sends none, systems send this one.
        """
        given = self.options.get(CLIENT_ID, b"")
        return given if len(given) > 1 else bytes((self.htype,)) + self.hardware

    @property
    def architecture(self) -> int | None:
        """The first of option 93 (RFC 4578 section 2.1), None = it was not sent."""
        given = self.options.get(ARCHITECTURE, b"")
        return int.from_bytes(given[:2]) if len(given) >= 2 else None

    def encode(self, most: int = USUAL_BYTES, padded: bool = True) -> bytes:
        """Return the message, at most ``most`` bytes long if its options can be left out or moved into the header."""
        return assemble(self, encode_options(self.options), most, padded)


def parse(data: bytes) -> Packet:
    """Return the message. Raises PacketError for what is none."""
    if len(data) < _COOKIE:
        raise PacketError(f"{len(data)} bytes are too short for a message")
    op, htype, hlen, hops, xid, secs, flags, ciaddr, yiaddr, siaddr, giaddr, chaddr = _HEAD.unpack_from(data)
    if hlen > 16:
        raise PacketError(f"a hardware address of {hlen} bytes")
    options: dict[int, bytes] = {}
    sname, file = data[_SNAME:_FILE], data[_FILE:_COOKIE]
    kind = Type.BOOTP
    if data[_COOKIE:_OPTIONS] == COOKIE:
        try:
            parse_options(data, options, _OPTIONS)
            if OVERLOAD in options:
                sname, file = _overloaded(options, sname, file)
        except OptionsError as error:
            raise PacketError(str(error)) from None
        if MESSAGE_TYPE in options:
            try:
                kind = _TYPES[options[MESSAGE_TYPE]]
            except KeyError:
                raise PacketError(f"message type {options[MESSAGE_TYPE][:8].hex() or 'of no bytes'}") from None
    elif any(data[_COOKIE:_OPTIONS]):
        raise PacketError(f"the cookie is {data[_COOKIE:_OPTIONS].hex()}")
    return Packet(
        op, xid, chaddr[:hlen], kind, hops, secs, flags, ciaddr, yiaddr, siaddr, giaddr, htype,
        sname.split(b"\0", 1)[0], file.split(b"\0", 1)[0], options,
    )  # fmt: skip


def hardware_of(data: bytes) -> bytes:
    """Return the hardware address of a request that was not read yet, b"" when it is none, or not of Ethernet."""
    return data[28:34] if len(data) >= _COOKIE and data[:3] == b"\x01\x01\x06" else b""


def assemble(packet: Packet, options: bytes, most: int, padded: bool = True, last: bytes = b"") -> bytes:
    """Return the message with options that are encoded already, without END; ``packet.options`` are not looked at.

    ``last``  options that have to be the last ones
    """
    file, sname = packet.file, packet.sname
    if _OPTIONS + len(options) + len(last) + 1 > most:
        options, file, sname = overload(options, last, most - _OPTIONS, file, sname)
    else:
        options += last + b"\xff"
    return b"".join((
        _HEAD.pack(
            packet.op, packet.htype, len(packet.hardware), packet.hops, packet.xid, packet.secs, packet.flags,
            packet.ciaddr, packet.yiaddr, packet.siaddr, packet.giaddr, packet.hardware,
        ),
        sname.ljust(SNAME_BYTES, b"\0"),
        file.ljust(FILE_BYTES, b"\0"),
        COOKIE,
        options.ljust(LEAST_BYTES - _OPTIONS, b"\0") if padded else options,
    ))  # fmt: skip


def _overloaded(options: dict[int, bytes], sname: bytes, file: bytes) -> tuple[bytes, bytes]:
    """Read what option 52 says is in the header: first ``file``, then ``sname`` (RFC 3396 section 5)."""
    where = options.pop(OVERLOAD)[-1:]
    if where in {b"\x01", b"\x03"}:
        parse_options(file, options)
        file = b""
    if where in {b"\x02", b"\x03"}:
        parse_options(sname, options)
        sname = b""
    options.pop(OVERLOAD, None)
    return sname, file
