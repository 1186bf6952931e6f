"""What a transfer is granted of what its request asks for (RFC 2347, 2348, 2349, 7440): pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

MIN_BLOCK, MAX_BLOCK = 8, 65464
"""Bytes of a block (RFC 2348)."""
PLAIN_BLOCK = 512
MAX_WINDOW = 65535
"""Blocks of a window (RFC 7440 section 2)."""
WINDOW_BYTES = 128 * 1024
"""What may be under way at most, whatever was asked for: it has to be kept until it is acknowledged."""
_NUMBER = re.compile(r"[0-9]{1,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be granted. ``block`` in bytes, ``window`` in blocks."""

    block: int
    window: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for one transfer.

    ``timeout_s``  as the client wants it; 0: it did not say
    ``granted``    what an OACK has to say, in the order asked; empty: there is none
    """

    block: int = PLAIN_BLOCK
    window: int = 1
    timeout_s: int = 0
    granted: tuple[tuple[str, str], ...] = ()


def negotiate(asked: Mapping[str, str], limits: Limits, size: int | None) -> Terms:
    """Return what is granted of the options ``asked``; one that is unknown or nonsense is passed over, as if not asked.

    ``size``  of the file in bytes; None: nobody knows (netascii changes it), then ``tsize`` is passed over
    """
    block, window, timeout_s = PLAIN_BLOCK, 1, 0
    granted: list[str] = []
    for name, value in asked.items():
        number = int(value) if _NUMBER.fullmatch(value) else -1
        if name == "blksize" and MIN_BLOCK <= number <= MAX_BLOCK:
            block = min(number, max(limits.block, MIN_BLOCK))
        elif name == "windowsize" and 1 <= number <= MAX_WINDOW:
            window = number
        elif name == "timeout" and 1 <= number <= 255:
            timeout_s = number
        elif not (name == "tsize" and number >= 0 and size is not None):
            continue
        granted.append(name)
    window = max(1, min(window, limits.window, WINDOW_BYTES // block))
    values = {"blksize": block, "windowsize": window, "timeout": timeout_s, "tsize": size}
    return Terms(block, window, timeout_s, tuple((name, str(values[name])) for name in granted))
