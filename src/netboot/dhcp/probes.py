"""Asking whether an address is in use before it is offered, for many clients at the same time, and seeing who is."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass

from ..mac import mac_bytes
from ..wire import Wire
from .arp import parse_claim, probe
from .links import MOST_BYTES, Sender
from .outbox import Going

MOST_AT_A_TIME = 1024
MOST_TRIES = 3
"""Addresses that are tried for one message; then the client asks again by itself."""


@dataclass(slots=True)
class Waiting:
    """A reply that waits whether somebody answers from its address."""

    going: Going
    tries: int
    timer: asyncio.TimerHandle


class Probes:
    """``free`` is called when nobody has answered, ``taken`` with the address's user and the tries when somebody has.

    ``claimed`` is called with address and hardware address of all others who say that an address is theirs.
    """

    def __init__(
        self,
        wire: Wire,
        frames: socket.socket,
        sender: Sender,
        seconds: float,
        free: Callable[[Going], None],
        taken: Callable[[Going, bytes, int], None],
        claimed: Callable[[bytes, bytes], None],
    ) -> None:
        self._own, self._frames, self._sender, self._seconds = mac_bytes(wire.mac), frames, sender, seconds
        self._free, self._taken, self._claimed = free, taken, claimed
        self._waiting: dict[bytes, Waiting] = {}
        asyncio.get_running_loop().add_reader(frames, self._read)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._frames)
        for one in self._waiting.values():
            one.timer.cancel()
        self._waiting.clear()

    def waits(self, ip: bytes) -> bool:
        """Tell whether a reply with this address waits already: then the next one need not."""
        return ip in self._waiting

    def hold(self, going: Going, tries: int = 1) -> bool:
        """Hold a reply back until its address has been asked for; False: too many are, it is to be sent at once."""
        ip = going.case.answer.ip
        if len(self._waiting) >= MOST_AT_A_TIME:
            return False
        timer = asyncio.get_running_loop().call_later(self._seconds, self._over, ip)
        self._waiting[ip] = Waiting(going, tries, timer)
        self.ask(ip)
        return True

    def ask(self, ip: bytes) -> None:
        """Ask who has an address; nobody waits for the answer, it comes to ``claimed``."""
        self._sender.send_frame(probe(self._own, ip))

    def _over(self, ip: bytes) -> None:
        self._free(self._waiting.pop(ip).going)

    def _read(self) -> None:
        for _ in range(64):
            try:
                raw = self._frames.recv(MOST_BYTES)
            except OSError:
                return
            claim = parse_claim(raw)
            if claim is None or claim.mac == self._own:
                continue
            one = self._waiting.get(claim.ip)
            if one is None:
                self._claimed(claim.ip, claim.mac)
            elif claim.mac != one.going.case.packet.hardware:
                del self._waiting[claim.ip]
                one.timer.cancel()
                self._taken(one.going, claim.mac, one.tries)
