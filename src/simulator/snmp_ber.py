"""SNMP v1 and v2c messages: bytes to objects and back (RFC 1157, RFC 3416; BER of X.690, definite lengths only).

No sockets, no state. ``decode`` raises BerError for anything that is not exactly one well-formed message; it never
recurses, and what it builds is bounded by the length of the datagram.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

Oid = tuple[int, ...]

INTEGER: Final = 0x02
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OBJECT_IDENTIFIER: Final = 0x06
SEQUENCE: Final = 0x30
IP_ADDRESS: Final = 0x40
COUNTER32: Final = 0x41
GAUGE32: Final = 0x42
TIME_TICKS: Final = 0x43
OPAQUE: Final = 0x44
COUNTER64: Final = 0x46
NO_SUCH_OBJECT: Final = 0x80
NO_SUCH_INSTANCE: Final = 0x81
END_OF_MIB_VIEW: Final = 0x82

GET: Final = 0xA0
GETNEXT: Final = 0xA1
RESPONSE: Final = 0xA2
SET: Final = 0xA3
GETBULK: Final = 0xA5

V1: Final = 0
V2C: Final = 1

_UNSIGNED: Final = {COUNTER32: 4, GAUGE32: 4, TIME_TICKS: 4, COUNTER64: 8}
_OCTETS: Final = (OCTET_STRING, IP_ADDRESS, OPAQUE)
_EMPTY: Final = (NULL, NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB_VIEW)
_MAX_SUBIDS: Final = 128  # RFC 3416 section 4.1: at most 128 sub-identifiers, each below 2**32


class BerError(ValueError):
    """Not one well-formed SNMP v1 or v2c message."""


class ErrorStatus(IntEnum):
    """RFC 3416 section 3; the first six are all that v1 knows."""

    NO_ERROR = 0
    TOO_BIG = 1
    NO_SUCH_NAME = 2
    BAD_VALUE = 3
    READ_ONLY = 4
    GEN_ERR = 5
    NO_ACCESS = 6
    WRONG_TYPE = 7
    WRONG_VALUE = 10
    NO_CREATION = 11
    NOT_WRITABLE = 17


@dataclass(frozen=True, slots=True)
class Value:
    """One typed value: ``content`` is an int, bytes, an Oid or None, as ``tag`` says."""

    tag: int
    content: int | bytes | Oid | None = None


@dataclass(frozen=True, slots=True)
class VarBind:
    oid: Oid
    value: Value = Value(NULL)


@dataclass(frozen=True, slots=True)
class Message:
    """One message; in a GETBULK ``status`` and ``index`` hold non-repeaters and max-repetitions."""

    version: int
    community: bytes
    kind: int
    request_id: int
    status: int
    index: int
    bindings: tuple[VarBind, ...]

    def answer(self, bindings: Iterable[VarBind], status: int = ErrorStatus.NO_ERROR, index: int = 0) -> Message:
        """The RESPONSE to this request."""
        return replace(self, kind=RESPONSE, status=int(status), index=index, bindings=tuple(bindings))

    def encode(self) -> bytes:
        bindings = b"".join(_tlv(SEQUENCE, _encode_oid(b.oid) + encode_value(b.value)) for b in self.bindings)
        numbers = b"".join(_encode_int(INTEGER, number) for number in (self.request_id, self.status, self.index))
        pdu = _tlv(self.kind, numbers + _tlv(SEQUENCE, bindings))
        return _tlv(SEQUENCE, _encode_int(INTEGER, self.version) + _tlv(OCTET_STRING, self.community) + pdu)


# -- encoding ---------------------------------------------------------------------------------------------------------


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _encode_int(tag: int, number: int) -> bytes:
    # One bit more than the magnitude: the sign, which also keeps unsigned values from looking negative.
    magnitude = number if number >= 0 else ~number
    return _tlv(tag, number.to_bytes(magnitude.bit_length() // 8 + 1, "big", signed=True))


def _encode_oid(oid: Oid) -> bytes:
    first, second, *rest = (*oid, 0, 0)[:2] + oid[2:]
    out = bytearray()
    for subid in (first * 40 + second, *rest):
        groups = [subid & 0x7F]
        while subid := subid >> 7:
            groups.append(0x80 | (subid & 0x7F))
        out += bytes(reversed(groups))
    return _tlv(OBJECT_IDENTIFIER, bytes(out))


def encode_value(value: Value) -> bytes:
    """Raises TypeError when the content does not fit the tag: a fault of the lab, not of the peer."""
    match value.content:
        case None if value.tag in _EMPTY:
            return _tlv(value.tag, b"")
        case int(number) if value.tag == INTEGER or value.tag in _UNSIGNED:
            return _encode_int(value.tag, number)
        case bytes(octets) if value.tag in _OCTETS:
            return _tlv(value.tag, octets)
        case tuple(oid) if value.tag == OBJECT_IDENTIFIER:
            return _encode_oid(oid)
    raise TypeError(f"tag {value.tag:#04x} cannot hold {value.content!r}")


# -- decoding ---------------------------------------------------------------------------------------------------------


class _Reader:
    """A window on the datagram; every read stays inside it."""

    __slots__ = ("_data", "_end", "_position")

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self._data, self._position, self._end = data, start, end

    @property
    def empty(self) -> bool:
        return self._position >= self._end

    def _byte(self) -> int:
        if self.empty:
            raise BerError("cut short")
        self._position += 1
        return self._data[self._position - 1]

    def _header(self) -> tuple[int, int, int]:
        """Tag, start and end of the content; the position moves behind it."""
        tag, size = self._byte(), self._byte()
        if size > 0x84 or size == 0x80:
            raise BerError(f"length octet {size:#04x}: indefinite or absurd")
        if size > 0x80:
            count, size = size & 0x7F, 0
            for _ in range(count):
                size = size << 8 | self._byte()
        start = self._position
        if size > self._end - start:
            raise BerError(f"{size} octets announced, {self._end - start} left")
        self._position = start + size
        return tag, start, self._position

    def enter(self, *tags: int) -> tuple[int, _Reader]:
        tag, start, end = self._header()
        if tag not in tags:
            raise BerError(f"tag {tag:#04x} instead of {' or '.join(f'{wanted:#04x}' for wanted in tags)}")
        return tag, _Reader(self._data, start, end)

    def primitive(self) -> tuple[int, bytes]:
        tag, start, end = self._header()
        return tag, self._data[start:end]

    def integer(self) -> int:
        tag, content = self.primitive()
        if tag != INTEGER:
            raise BerError(f"tag {tag:#04x} instead of an integer")
        return _signed(content)

    def done(self) -> None:
        if not self.empty:
            raise BerError(f"{self._end - self._position} octets too many")


def _signed(content: bytes) -> int:
    if not 1 <= len(content) <= 4:
        raise BerError(f"an INTEGER of {len(content)} octets")
    return int.from_bytes(content, "big", signed=True)


def _decode_oid(content: bytes) -> Oid:
    if not content or content[-1] & 0x80:
        raise BerError("object identifier cut short")
    subids: list[int] = []
    subid = 0
    for octet in content:
        subid = subid << 7 | octet & 0x7F
        if subid >= 2**32:
            raise BerError("sub-identifier of more than 32 bits")
        if not octet & 0x80:
            subids.append(subid)
            subid = 0
            if len(subids) >= _MAX_SUBIDS:
                raise BerError("more than 128 sub-identifiers")
    first = min(subids[0] // 40, 2)
    return (first, subids[0] - 40 * first, *subids[1:])


def _decode_value(tag: int, content: bytes) -> Value:
    if tag == INTEGER:
        return Value(tag, _signed(content))
    if tag in _UNSIGNED:
        limit = _UNSIGNED[tag]
        number = int.from_bytes(content, "big")
        if not 1 <= len(content) <= limit + 1 or number >= 1 << 8 * limit:
            raise BerError(f"an unsigned value of {len(content)} octets")
        return Value(tag, number)
    if tag in _OCTETS:
        if tag == IP_ADDRESS and len(content) != 4:
            raise BerError(f"an IP address of {len(content)} octets")
        return Value(tag, content)
    if tag == OBJECT_IDENTIFIER:
        return Value(tag, _decode_oid(content))
    if tag in _EMPTY and not content:
        return Value(tag)
    raise BerError(f"tag {tag:#04x} with {len(content)} octets is no value")


def decode(data: bytes) -> Message:
    """The one message that ``data`` is. Raises BerError, also for octets behind it."""
    whole = _Reader(data, 0, len(data))
    _, body = whole.enter(SEQUENCE)
    whole.done()
    version = body.integer()
    if version not in (V1, V2C):
        raise BerError(f"version {version} is neither v1 nor v2c")
    tag, community = body.primitive()
    if tag != OCTET_STRING:
        raise BerError(f"tag {tag:#04x} instead of a community")
    kind, pdu = body.enter(GET, GETNEXT, RESPONSE, SET, GETBULK)
    body.done()
    request_id, status, index = pdu.integer(), pdu.integer(), pdu.integer()
    _, items = pdu.enter(SEQUENCE)
    pdu.done()
    bindings: list[VarBind] = []
    while not items.empty:
        _, item = items.enter(SEQUENCE)
        tag, name = item.primitive()
        if tag != OBJECT_IDENTIFIER:
            raise BerError(f"tag {tag:#04x} instead of an object identifier")
        oid = _decode_oid(name)
        bindings.append(VarBind(oid, _decode_value(*item.primitive())))
        item.done()
    return Message(version, community, kind, request_id, status, index, tuple(bindings))
