"""Machines that ask and are not in hosts.csv: counted, and listed with what they sent, ready to be adopted.

Ten thousand of them must cost next to nothing: most are only counted, and their messages are not even read.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from ..common.allowance import Allowance
from .mac import of_bytes

MOST_KEPT = 1024
MOST_SHOWN = 256
LOOK_AGAIN_S = 10.0
"""What a machine sends is read once in this time, at most."""
READ_PER_S, READ_AT_ONCE = 50.0, 200.0
"""Messages of all unknown machines together that are read."""


@dataclass(slots=True)
class UnknownMachine:
    """``first`` and ``last`` are seconds since 1970; the texts are "" when it did not send them.

    ``vendor``   option 60, ``machine`` option 97 in hexadecimal digits
    """

    mac: str
    first: float
    last: float
    count: int = 1
    kind: str = ""
    arch: str = ""
    serial: str = ""
    vendor: str = ""
    machine: str = ""
    hostname: str = ""


class UnknownMachines:
    """Bounded; when it is full, machines that asked only once go first."""

    def __init__(self, now: float) -> None:
        self._seen: OrderedDict[bytes, UnknownMachine] = OrderedDict()  # the one that asked last is the last
        self._read_at: dict[bytes, float] = {}
        self._reads = Allowance(READ_PER_S, READ_AT_ONCE, now)

    def seen(self, hardware: bytes, now: float, wall: float) -> UnknownMachine | None:
        """Count a request; returns the machine when its message is to be read. ``now``: as the constructor's."""
        machine = self._seen.get(hardware)
        if machine is None:
            if len(self._seen) >= MOST_KEPT:
                self._drop()
            machine = self._seen[hardware] = UnknownMachine(of_bytes(hardware), wall, wall)
        else:
            machine.last = wall
            machine.count += 1
            self._seen.move_to_end(hardware)
            if now - self._read_at.get(hardware, float("-inf")) < LOOK_AGAIN_S:
                return None
        if self._reads.peek(now) < 1:
            return None
        self._reads.take(now)
        self._read_at[hardware] = now
        return machine

    def rows(self) -> list[dict[str, Any]]:
        """Return the machines that asked last, the last one first, as plain values."""
        return [asdict(machine) for machine in islice(reversed(self._seen.values()), MOST_SHOWN)]

    def __len__(self) -> int:
        return len(self._seen)

    def _drop(self) -> None:
        oldest = islice(self._seen.items(), 16)
        once = next((hardware for hardware, machine in oldest if machine.count == 1), None)
        drop = once or next(iter(self._seen))
        del self._seen[drop]
        self._read_at.pop(drop, None)
