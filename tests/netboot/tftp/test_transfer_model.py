"""A client and a transfer on a network that loses, doubles and reorders: what arrives is what was sent, or nothing."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from ockle.netboot.tftp.content import Text
from ockle.netboot.tftp.negotiation import Terms
from ockle.netboot.tftp.transfer import WRAP_TO_0, WRAP_TO_1, Ending, Transfer

TRIES, CLIENT_TRIES = 5, 12


@dataclass
class Receiver:
    """A client by RFC 7440: acknowledges a whole window, or at a gap the last block in order, once."""

    terms: Terms
    modulus: int
    got: bytearray = field(default_factory=bytearray)
    blocks: int = 0
    in_window: int = 0
    done: bool = False
    complained: int = -1

    def number(self, block: int) -> int:
        return block % self.modulus or (self.modulus % 65536 if block else 0)

    def receive(self, data: bytes) -> list[bytes]:
        op, number = struct.unpack("!HH", data[:4])
        if op == 6:
            return [] if self.blocks else [struct.pack("!HH", 4, 0)]
        assert op == 3, data[:20]
        if self.done:
            return [self.ack()] if number == self.number(self.blocks) else []
        if number != self.number(self.blocks + 1):
            ahead = (number - self.number(self.blocks)) % self.modulus
            if 1 < ahead <= self.terms.window and self.complained != self.blocks:
                self.complained, self.in_window = self.blocks, 0
                return [self.ack()]
            return []
        self.blocks += 1
        self.in_window += 1
        self.got += data[4:]
        self.done = len(data) - 4 < self.terms.block
        if not self.done and self.in_window < self.terms.window:
            return []
        self.in_window = 0
        return [self.ack()]

    def ack(self) -> bytes:
        return struct.pack("!HH", 4, self.number(self.blocks))


@dataclass(frozen=True)
class Faults:
    """How often a datagram is lost or doubled, and up to how many seconds it is late."""

    loss: float
    double: float
    spread: float


class Play:
    """A transfer, a client and the network between them, in virtual time, until the transfer has ended."""

    def __init__(self, data: bytes, terms: Terms, modulus: int, faults: Faults, dice: random.Random) -> None:
        self.data = data
        self.transfer = Transfer(Text(data).read, terms, timeout_s=1.0, tries=TRIES, modulus=modulus)
        self.client = Receiver(terms, modulus)
        self.sent = 0
        self.moves = 0
        self._faults = faults
        self._dice = dice
        self._wire: list[tuple[float, int, bool, bytes]] = []
        self._order = 0
        self._now = 0.0
        self._idle = 0
        self._moved_at = 0.0

    def run(self) -> None:
        self._serve(self.transfer.start(self._now))
        while self.transfer.ending is None and self._now < 10_000:
            self._wire.sort()
            asks = self._moved_at + 5.0 if not self.client.done and self._idle < CLIENT_TRIES else float("inf")
            arrives = self._wire[0][0] if self._wire else float("inf")
            self._now = min(arrives, self.transfer.deadline, asks)
            if self._now == arrives:
                self._arrive()
            elif self._now == self.transfer.deadline:
                self._serve(self.transfer.expired(self._now))
            else:
                self._moved_at, self._idle = self._now, self._idle + 1
                self._carry([self.client.ack()], up=True)

    def _arrive(self) -> None:
        _, _, up, datagram = self._wire.pop(0)
        one, client = self.transfer, self.client
        if up:
            before, opening = one.acked, self.moves == 0
            out = one.receive(datagram, self._now)
            assert len(out) <= one.terms.window and one.acked <= one.sent <= one.acked + one.terms.window
            assert not out or one.acked > before or (opening and one.terms.granted)
            self.moves += bool(out)
            self._serve(out)
        else:
            had = client.blocks
            self._carry(client.receive(datagram), up=True)
            if client.blocks > had:
                self._moved_at, self._idle = self._now, 0
        assert client.got == self.data[: len(client.got)]

    def _serve(self, out: list[bytes]) -> None:
        self.sent += len(out)
        self._carry(out, up=False)

    def _carry(self, datagrams: list[bytes], *, up: bool) -> None:
        for datagram in datagrams:
            for _ in range(1 + (self._dice.random() < self._faults.double)):
                if self._dice.random() >= self._faults.loss:
                    self._order += 1
                    late = 0.001 + self._dice.random() * self._faults.spread
                    self._wire.append((self._now + late, self._order, up, datagram))


@settings(max_examples=150)
@given(
    seed=st.integers(0, 2**32),
    terms=st.builds(
        Terms,
        st.sampled_from([8, 9, 16]),
        st.sampled_from([1, 1, 2, 5, 16]),
        st.just(0),
        st.sampled_from([(), (("blksize", "8"),)]),
    ),
    modulus=st.sampled_from([WRAP_TO_0, WRAP_TO_1]),
    blocks=st.integers(0, 60),
    rest=st.integers(0, 7),
    faults=st.builds(
        Faults,
        st.sampled_from([0.0, 0.05, 0.3, 0.6]),
        st.sampled_from([0.0, 0.1, 0.5]),
        st.sampled_from([0.0, 0.01, 3.0]),
    ),
)
def test_21_rfc1350_what_arrives_is_what_was_sent_and_little_is_sent_for_it(
    seed: int, terms: Terms, modulus: int, blocks: int, rest: int, faults: Faults
) -> None:
    dice = random.Random(seed)
    data = dice.randbytes(blocks * terms.block + rest)
    play = Play(data, terms, modulus, faults, dice)
    play.run()
    one = play.transfer
    assert one.ending in (Ending.DONE, Ending.SILENT, Ending.UNCONFIRMED)
    if one.ending is Ending.DONE:
        assert play.client.got == data and play.client.done
    assert play.sent <= (play.moves + one.retries + 1) * terms.window
    assert one.retries <= (play.moves + 1) * TRIES
    if not faults.loss and faults.spread < 1:
        assert one.ending is Ending.DONE
        if not faults.spread and not faults.double:
            assert play.sent == blocks + 1 + bool(terms.granted) and one.retries == 0
