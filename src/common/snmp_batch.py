"""How many objects to ask of an agent in one GET, and which ones to ask apart: learned from what it answers. No I/O."""

from __future__ import annotations

from typing import Final

from .errors import DeviceError

BATCH_START: Final = 48
"""Most objects of one GET: their answer fits into an Ethernet frame. More would save next to nothing, for what costs
is the single object, and would be cut into fragments, which small devices do not put together again."""

STRIKES: Final = 2
"""So often must a size find silence, from an agent that answers smaller ones, until it is taken for too big: a GET
can get lost as well."""

SKIP_MOST: Final = 16
"""So many polls at most leave out an object that failed in the last ones."""


class BatchSize:
    """How many objects one agent takes at a time.

    ``now``  to be asked next
    """

    def __init__(self, start: int = BATCH_START) -> None:
        self.now = start
        self._most = start
        self._proven = 0
        self._strikes = 0

    def fits(self, size: int) -> None:
        """So many were answered."""
        self._proven = max(self._proven, size)

    def too_big(self, size: int) -> None:
        """The agent said so, or left some out, or failed as a whole with what it answers in parts."""
        self._most = self.now = max(1, min(self.now, size // 2))
        self._proven = min(self._proven, self._most)

    def worth_less(self, size: int) -> bool:
        """Tell whether silence after a GET of ``size`` may be due to its size: it never had an answer."""
        return size > max(1, self._proven)

    def silent(self, size: int) -> None:
        """No answer to ``size``, though the agent answers smaller ones."""
        self._strikes += 1
        self.now = max(1, min(self.now, size // 2))
        if self._strikes >= STRIKES:
            self._most, self._strikes = self.now, 0

    def begin(self) -> None:
        """A new poll begins: a size that was given up for a loss gets another chance."""
        self.now = self._most


class Apart:
    """Objects that make a whole GET fail. They are asked one by one, and by polls less and less often."""

    def __init__(self) -> None:
        self._waits: dict[str, tuple[int, int]] = {}  # OID -> polls still to leave it out, and how many it was last
        self._errors: dict[str, DeviceError] = {}

    def __contains__(self, oid: object) -> bool:
        return oid in self._waits

    def failed(self, oid: str, error: DeviceError) -> None:
        wait = min(max(1, self._waits[oid][1] * 2), SKIP_MOST) if oid in self._waits else 0
        self._waits[oid] = (wait, wait)
        self._errors[oid] = error

    def answered(self, oid: str) -> None:
        self._waits.pop(oid, None)
        self._errors.pop(oid, None)

    def skip(self, oid: str) -> DeviceError | None:
        """Return the last error of ``oid`` when this poll is to leave it out; counts that down."""
        left, last = self._waits.get(oid, (0, 0))
        if not left:
            return None
        self._waits[oid] = (left - 1, last)
        return self._errors[oid]
