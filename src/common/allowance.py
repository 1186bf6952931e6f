"""How much somebody may ask for: so many a second, and some more at once after a rest."""

from __future__ import annotations


class Allowance:
    """``per_s`` requests a second, of which at most ``most`` are saved up. Pure: the caller has the clock."""

    def __init__(self, per_s: float, most: float, now: float) -> None:
        self._per_s = per_s
        self._most = most
        self._left = most
        self._checked = now

    def take(self, now: float) -> float:
        """Take one; return the seconds after which it may be used."""
        self._left = self._at(now) - 1
        self._checked = now
        return max(0.0, -self._left / self._per_s)

    def peek(self, now: float) -> float:
        """Return how many may be taken at once; less than 1: none."""
        return self._at(now)

    def is_full(self, now: float) -> bool:
        """Tell whether all is saved up again: then nothing is lost by forgetting it."""
        return self._at(now) >= self._most

    def _at(self, now: float) -> float:
        return min(self._most, self._left + (now - self._checked) * self._per_s)
