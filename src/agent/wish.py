"""Whether the plug asks this machine to go. Pure: it is told what was seen, and when."""

from __future__ import annotations


class Wish:
    """Judges the states of the delay switch; moments are seconds of one monotonic clock.

    Off counts at once when this connection has shown it on before. Off from the connection's first state on counts once
    it has lasted ``confirm_s``: a plug that starts may show anything for a moment. A connection that is lost takes with
    it what had not lasted yet: silence is never a wish.

    ``off_at_start``  whether off counts although it was never seen on since the agent's start
    """

    def __init__(self, confirm_s: float, *, off_at_start: bool) -> None:
        self._confirm_s, self._off_at_start = confirm_s, off_at_start
        self._seen_on = False
        self._on_here = False  # in this connection
        self._due: float | None = None

    def lost(self) -> None:
        """There is no connection any more, or another one."""
        self._on_here, self._due = False, None

    def saw(self, on: bool, now: float) -> None:
        """The plug has told the state of the delay switch."""
        if on:
            self._seen_on = self._on_here = True
            self._due = None
        elif self._due is None and (self._seen_on or self._off_at_start):
            self._due = now if self._on_here else now + self._confirm_s

    def due(self, now: float) -> float | None:
        """Return in how many seconds the machine has to go: 0 = now; None = it is not asked to."""
        return None if self._due is None else max(self._due - now, 0.0)

    def given_up(self) -> None:
        """It could not be granted: it has to be on before it can go off again."""
        self._on_here, self._due, self._seen_on, self._off_at_start = False, None, False, False
