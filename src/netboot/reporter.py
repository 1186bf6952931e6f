"""Log lines about what strangers send, at a bounded rate: the network must not be able to fill the log."""

from __future__ import annotations

import logging
from collections import OrderedDict

from ..common.allowance import Allowance
from ..common.clock import Clock

MOST_KEYS = 1024
SAME_S = 60.0
"""A line about the same is written once in this time; then with how many more there were."""
PER_S, AT_ONCE = 2.0, 20.0
"""All lines together."""


class Reporter:
    """Writes the first line about each ``key``, then one a minute, and never more than two a second in all."""

    def __init__(self, log: logging.Logger, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._last: OrderedDict[str, tuple[float, int]] = OrderedDict()  # key -> when it was written, how many since
        self._allowance = Allowance(PER_S, AT_ONCE, clock.now())
        self.suppressed = 0

    def info(self, key: str, text: str) -> None:
        self._tell(logging.INFO, key, text)

    def warn(self, key: str, text: str) -> None:
        self._tell(logging.WARNING, key, text)

    def _tell(self, level: int, key: str, text: str) -> None:
        now = self._clock.now()
        at, more = self._last.get(key, (float("-inf"), 0))
        if now - at < SAME_S or not self._allowed(now):
            self._last[key] = (at, more + 1)
            self.suppressed += 1
            self._log.debug("%s", text)
        else:
            self._last[key] = (now, 0)
            self._log.log(level, "%s%s", text, f" ({more} more like it)" if more else "")
        self._last.move_to_end(key)
        while len(self._last) > MOST_KEYS:
            self._last.popitem(last=False)

    def _allowed(self, now: float) -> bool:
        if self._allowance.peek(now) < 1:
            return False
        self._allowance.take(now)
        return True
