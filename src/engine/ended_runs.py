"""Ended runs, small: a run of 100 servers takes 93 kB as objects, and 8 kB as compressed JSON."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from .runs import Run, from_row

KEEP_RUNS = 500
KEEP_BYTES = 16_000_000
"""About 400 runs of 500 servers."""
QUICK = 1
"""zlib's level: the others take three times as long, on the device loop, for an eighth less."""


class _Packed(NamedTuple):
    summary: bytes  # by itself, as a list of runs needs nothing else
    row: bytes

    @property
    def size(self) -> int:
        return len(self.summary) + len(self.row)


class EndedRuns:
    """The runs that ended last; those that ended first go once there are more than ``most``, or more bytes.

    The one that ended last stays, however large it is.
    """

    def __init__(self, most: int = KEEP_RUNS, most_bytes: int = KEEP_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._packed: dict[int, _Packed] = {}  # in the order in which they ended
        self.size = 0  # bytes of all

    def __iter__(self) -> Iterator[int]:
        """Yield their numbers."""
        return iter(self._packed)

    def add(self, run: Run) -> None:
        """Keep ``run``, once, as it is now: it has ended, so nothing changes it any more."""
        packed = _Packed(_json(run.summary(0.0)), zlib.compress(_json(run.row()), QUICK))
        self._packed[run.id] = packed
        self.size += packed.size
        while len(self._packed) > self._most or (self.size > self._most_bytes and len(self._packed) > 1):
            self.size -= self._packed.pop(next(iter(self._packed))).size

    def get(self, number: int) -> Run:
        """Return a run as it was at its end; raises KeyError."""
        return from_row(json.loads(zlib.decompress(self._packed[number].row)))

    def summary(self, number: int) -> dict[str, Any]:
        """Return its ``Run.summary``; raises KeyError."""
        found: dict[str, Any] = json.loads(self._packed[number].summary)
        return found


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
