"""NTP packets as a server sees them: a request in, an answer out. No socket, no clock.

Source: RFC 5905, section 7.3 (header), 7.4 (kiss codes), 14 (what a server answers); RFC 4330 for simple clients.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

SIZE = 48
CLIENT, SERVER = 3, 4
VERSIONS = range(1, 5)
"""Version 0 has no modes; what comes after 4 does not exist."""
EPOCH = 2_208_988_800
"""Seconds from 1900, where NTP counts from, to 1970."""
UNSYNCHRONISED_LEAP, UNSYNCHRONISED_STRATUM = 3, 16

_HEADER = struct.Struct(">BBbbII4sQQQQ")


@dataclass(frozen=True, slots=True)
class Request:
    """``transmit`` is not looked at: the client gets it back bit for bit. ``poll`` is log2 of seconds."""

    version: int
    poll: int
    transmit: int


@dataclass(frozen=True, slots=True)
class Source:
    """What is told of the clock.

    ``leap``        0 none, 1 a second more, 2 one less, 3 unsynchronised
    ``stratum``     1 to 15, 16 for unsynchronised; 0 is for kisses alone
    ``precision``   log2 of seconds
    ``delay``, ``dispersion``   seconds to the reference, and the error that they may hide
    ``identity``    four bytes: the address of the reference, or a code
    ``reference``   when the clock was set last, nanoseconds since 1970; 0 = never
    """

    leap: int
    stratum: int
    precision: int
    delay: float
    dispersion: float
    identity: bytes
    reference: int


def parse_request(data: bytes) -> Request | None:
    """Return the request, None for anything that is not answered: another mode, another version, too short.

    Extension fields and a checksum with a key may follow; they are left alone, and the answer has none.
    """
    if len(data) < SIZE:
        return None
    version, mode = data[0] >> 3 & 7, data[0] & 7
    if mode != CLIENT or version not in VERSIONS:
        return None
    first = _HEADER.unpack_from(data)
    return Request(version, first[2], first[10])


def answer(request: Request, source: Source, received: int, sent: int) -> bytes:
    """Return the answer. ``received``, ``sent``: nanoseconds since 1970."""
    return _HEADER.pack(
        source.leap << 6 | request.version << 3 | SERVER,
        source.stratum,
        request.poll,
        source.precision,
        short(source.delay),
        short(source.dispersion),
        source.identity,
        timestamp(source.reference) if source.reference else 0,
        request.transmit,
        timestamp(received),
        timestamp(sent),
    )


def kiss(request: Request, code: bytes, now: int, precision: int) -> bytes:
    """Return a kiss-o'-death: stratum 0 and a code of four letters, such as RATE for a client that asks too often."""
    poll = max(request.poll, 6)  # RATE also tells a poll interval that would be welcome: 64 s at least
    source = Source(UNSYNCHRONISED_LEAP, 0, precision, 0, 0, code, 0)
    return answer(Request(request.version, poll, request.transmit), source, now, now)


def parse_answer(data: bytes) -> Source | None:
    """Return what another server tells of its clock, None when it is no answer of a server whose clock is right."""
    if len(data) < SIZE or data[0] & 7 != SERVER or data[0] >> 6 == UNSYNCHRONISED_LEAP:
        return None
    first, stratum, _poll, precision, delay, dispersion, identity, reference, *_ = _HEADER.unpack_from(data)
    if not 1 <= stratum < UNSYNCHRONISED_STRATUM:
        return None
    seconds = (reference >> 32) - EPOCH
    return Source(first >> 6, stratum, precision, delay / 65536, dispersion / 65536, identity, seconds * 1_000_000_000)


def query(transmit: int) -> bytes:
    """Return a request of version 4. ``transmit``: anything, by which the answer is known."""
    return _HEADER.pack(4 << 3 | CLIENT, 0, 6, 0, 0, 0, bytes(4), 0, 0, 0, transmit)


def origin(data: bytes) -> int:
    """Return which request an answer is for."""
    found: int = _HEADER.unpack_from(data)[8]
    return found


def timestamp(nanoseconds: int) -> int:
    """Return 32.32 bits since 1900; the era changes in 2036, and the bits go on at 0."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return (seconds + EPOCH & 0xFFFFFFFF) << 32 | (rest << 32) // 1_000_000_000


def short(seconds: float) -> int:
    """Return 16.16 bits, rounded up: an error is never told as smaller than it is."""
    return min(max(int(-(-seconds * 65536 // 1)), 0), 0xFFFFFFFF)
