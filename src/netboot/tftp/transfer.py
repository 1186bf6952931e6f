"""One read transfer as a machine without socket, file or clock: datagrams and moments in, datagrams out.

Sources: RFC 1350 (lock step), RFC 1123 section 4.2.3 (Sorcerer's Apprentice, back-off), RFC 2347 (OACK), RFC 7440
(windows). Nothing but a timeout repeats anything: a Raspberry Pi's start4.elf hangs when it gets a block twice without
need (raspberrypi/firmware issue 1631).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import StrEnum

from . import packet
from .negotiation import Terms
from .packet import Op, TftpError

WRAP_TO_0, WRAP_TO_1 = 65536, 65535
"""How many numbers there are for blocks: after 65535 comes 0, or (some old clients) 1."""
PIECE = 64 * 1024
"""About how many bytes are read at once."""
_SLOWEST = 8
"""Without a timeout agreed on, waiting doubles up to this many times the first (RFC 1123 section 4.2.3.2)."""
_HEADS = tuple(struct.pack("!HH", Op.DATA, number % WRAP_TO_0) for number in range(1, WRAP_TO_0 + 1))
"""What stands in front of the first block, the second …, and once they are through, of the next ones. Made once: it is
a third of the time that a window takes."""
_HEADS_OF = {WRAP_TO_0: _HEADS, WRAP_TO_1: _HEADS[:WRAP_TO_1]}
_ACK, _ERROR = int(Op.ACK), int(Op.ERROR)

Read = Callable[[int, int], bytes]
"""Offset and count -> bytes; fewer only at the end. Never asked for what lies before what was acknowledged.
Raises TftpError when the content is not what it was."""


class Ending(StrEnum):
    """How a transfer ended; the value is for people."""

    DONE = "done"
    PROBED = "asked for the size"
    CLIENT = "ended by the client"
    SILENT = "no answer"
    UNCONFIRMED = "sent, the end was not confirmed"
    BROKEN = "failed"
    CROWDED = "gave way to another"
    REPLACED = "asked anew"
    STOPPED = "the server was stopped"


class Transfer:
    """Sends one content in windows of numbered blocks.

    ``block`` and ``acked`` count from 1 without wrapping. ``deadline`` moves with every datagram sent.
    Invariant: ``acked <= sent <= acked + window``.
    """

    __slots__ = (
        "_at_once", "_complete", "_count", "_first", "_heads", "_modulus", "_most", "_opening", "_piece", "_read",
        "_start", "_wait_s", "_whole", "acked", "block", "deadline", "ending", "last", "retries", "sent", "terms",
        "tries", "why",
    )  # fmt: skip

    def __init__(self, read: Read, terms: Terms, *, timeout_s: float, tries: int, modulus: int = WRAP_TO_0) -> None:
        """Make a transfer that has not begun.

        ``timeout_s``  until the first repetition, where ``terms`` have none
        ``tries``      how often the same is sent again before the client counts as gone
        """
        self._read = read
        self.terms = terms
        self.block = terms.block
        self.acked = 0
        self.sent = 0
        self.last = 0  # number of the last block, once it was sent
        self._count = terms.window
        self._whole = terms.window * terms.block  # bytes of a window
        self._at_once = max(1, PIECE // self._whole) * self._whole
        self._piece = b""  # some of the content, from the offset _start
        self._start = 0
        self._complete = False  # whether the content ends with the piece
        self._first = timeout_s
        self._wait_s = float(terms.timeout_s or timeout_s)
        self._most = tries
        self._modulus = modulus
        self._heads = _HEADS_OF[modulus]
        self._opening = bool(terms.granted)  # an OACK waits for its ACK 0
        self.tries = 0
        self.retries = 0
        self.deadline = 0.0
        self.ending: Ending | None = None
        self.why = ""

    def start(self, now: float) -> list[bytes]:
        """Return the first datagrams: the OACK, or the first window."""
        return self._send(now)

    def receive(self, data: bytes, now: float) -> list[bytes]:
        """Return what is to be sent because ``data`` came from the client; mostly one window, or nothing."""
        if len(data) < 4 or data[0]:
            return []
        if data[1] != _ACK:
            if data[1] == _ERROR:
                code, text = packet.parse_error(data)
                self._end(Ending.PROBED if self._opening else Ending.CLIENT, text or f"error {code}")
            return []
        number = data[2] << 8 | data[3]
        if self._opening:
            if number:
                return []
            self._opening = False
        else:
            # An old one, or one from the future, is more than what is under way ahead: as numbers, they go in a circle.
            ahead = (number - self.acked) % self._modulus
            if not 0 < ahead <= self.sent - self.acked or (not number and self._modulus == WRAP_TO_1):
                return []
            self.acked += ahead
            if self.acked == self.last:
                self._end(Ending.DONE, "")
                return []
        if self.tries:
            self.tries = 0
            self._wait_s = float(self.terms.timeout_s or self._first)
        self.deadline = now + self._wait_s
        return self._window()

    def expired(self, now: float) -> list[bytes]:
        """Return what is to be sent again because ``deadline`` has passed; nothing once that was often enough."""
        if self.tries >= self._most:
            final = self.last and self.sent == self.last
            self._end(Ending.UNCONFIRMED if final else Ending.SILENT, "")
            return []
        self.tries += 1
        self.retries += 1
        if not self.terms.timeout_s:
            self._wait_s = min(self._wait_s * 2, self._first * _SLOWEST)
        return self._send(now)

    def gone(self) -> None:
        """Take note that nobody listens at the client's port any more."""
        final = self.last and self.sent == self.last
        self._end(Ending.UNCONFIRMED if final else Ending.PROBED if self._opening else Ending.CLIENT, "port closed")

    def stop(self, ending: Ending, why: str = "") -> None:
        """End it from here."""
        self._end(ending, why)

    def _send(self, now: float) -> list[bytes]:
        self.deadline = now + self._wait_s
        return [packet.oack(self.terms.granted)] if self._opening else self._window()

    def _window(self) -> list[bytes]:
        """Return the blocks after the acknowledged ones, as many as may be under way; an ERROR if they are gone."""
        block, first = self.block, self.acked
        begin = first * block - self._start
        end = begin + self._whole
        if end > len(self._piece) and not self._complete:
            try:
                self._piece = self._read(first * block, self._at_once)
            except TftpError as error:
                self._end(Ending.BROKEN, str(error))
                return [packet.error(error.code, str(error))]
            self._start, begin, end = first * block, 0, self._whole
            self._complete = len(self._piece) < self._at_once
        piece, count = self._piece, self._count
        if end > len(piece):
            count = (len(piece) - begin) // block + 1
            self.last = first + count
        self.sent = first + count
        heads, at = self._heads, first % self._modulus
        if count == 1:
            return [heads[at] + piece[begin:end]]
        out = []
        over = at + count - self._modulus
        for head in heads[at : at + count] if over <= 0 else (*heads[at:], *heads[:over]):
            out.append(head + piece[begin : begin + block])
            begin += block
        return out

    def _end(self, ending: Ending, why: str) -> None:
        self.ending, self.why = ending, why
