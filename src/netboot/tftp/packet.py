"""TFTP packets, bytes to objects and back (RFC 1350 section 5, options RFC 2347)."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

MAX_REQUEST = 1024
"""Bytes of a request. RFC 2347 allows 512; some firmware appends more options than it should."""
MAX_TEXT = 200
"""Letters of a client's error text that are kept."""


class Op(IntEnum):
    RRQ = 1
    WRQ = 2
    DATA = 3
    ACK = 4
    ERROR = 5
    OACK = 6


class Code(IntEnum):
    """Error codes (RFC 1350 section 5, RFC 2347)."""

    UNDEFINED = 0
    NOT_FOUND = 1
    ACCESS = 2
    DISK_FULL = 3
    ILLEGAL = 4
    UNKNOWN_TID = 5
    EXISTS = 6
    NO_USER = 7
    OPTIONS = 8


class TftpError(Exception):
    """What an ERROR packet says."""

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Request:
    """A read request, or a write request.

    ``name``     as asked; bytes that are not UTF-8 come as surrogates (``os.fsencode`` gives them back)
    ``mode``     lower case
    ``options``  in the order asked, names in lower case; of one that was given twice the first
    """

    write: bool
    name: str
    mode: str
    options: dict[str, str]

    def encode(self) -> bytes:
        """Return the packet, for clients."""
        texts = [self.name, self.mode, *(text for pair in self.options.items() for text in pair)]
        body = b"".join(text.encode("utf-8", "surrogateescape") + b"\0" for text in texts)
        return struct.pack("!H", Op.WRQ if self.write else Op.RRQ) + body


def opcode(data: bytes) -> int:
    """Return the number in front of the packet; 0 for one that is too short to have any."""
    return data[0] << 8 | data[1] if len(data) >= 2 else 0


def parse_request(data: bytes) -> Request:
    """Return the request. Raises TftpError with what the client is to be told."""
    op = opcode(data)
    if op not in (Op.RRQ, Op.WRQ):
        raise TftpError(Code.ILLEGAL, "not a request")
    if len(data) > MAX_REQUEST:
        raise TftpError(Code.ILLEGAL, "the request is too long")
    name, end, rest = data[2:].partition(b"\0")
    mode, mode_end, rest = rest.partition(b"\0")
    if not (end and mode_end):
        raise TftpError(Code.ILLEGAL, "the request is cut off")
    pieces = rest.split(b"\0")[:-1]  # what has no NUL at its end is cut off, or padding
    options: dict[str, str] = {}
    for option, value in zip(pieces[::2], pieces[1::2], strict=False):
        if not option:  # padding
            break
        options.setdefault(option.decode("ascii", "replace").lower(), value.decode("ascii", "replace"))
    return Request(
        op == Op.WRQ, name.decode("utf-8", "surrogateescape"), mode.decode("ascii", "replace").lower(), options
    )


def parse_error(data: bytes) -> tuple[int, str]:
    """Return code and text of an ERROR packet, as far as they are there; the text is fit to be printed."""
    code = data[2] << 8 | data[3] if len(data) >= 4 else 0
    text = data[4:].partition(b"\0")[0].decode("utf-8", "replace")[:MAX_TEXT]
    return code, printable(text)


def printable(text: str) -> str:
    """Return ``text`` from a stranger for people: without control characters, and such that every terminal can show."""
    return text if text.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in text)


def error(code: Code, text: str) -> bytes:
    return struct.pack("!HH", Op.ERROR, code) + text.encode("utf-8", "replace") + b"\0"


def ack(block: int) -> bytes:
    return struct.pack("!HH", Op.ACK, block)


def oack(options: Iterable[tuple[str, str]]) -> bytes:
    """Return the packet that grants ``options`` (RFC 2347)."""
    return struct.pack("!H", Op.OACK) + b"".join(f"{name}\0{value}\0".encode("ascii") for name, value in options)


def parse_oack(data: bytes) -> dict[str, str]:
    """Return the granted options, for clients."""
    pieces = data[2:].decode("ascii", "replace").split("\0")[:-1]
    return dict(zip(pieces[::2], pieces[1::2], strict=False))
