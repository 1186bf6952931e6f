"""What nobody wants to hear of for a while. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterable

from ...common.errors import CommandError
from .record import Silence
from .rules import Moment


class Silences(dict[int, Silence]):
    """By number. ``changed``: they are to be stored; set back by who does."""

    def __init__(self) -> None:
        super().__init__()
        self.changed = False
        self._next = 1
        self._until: dict[int, float] = {}  # number -> a moment of the clock: that of the wall may be set back

    def load(self, silences: Iterable[Silence], at: Moment) -> None:
        """Go on with those of an earlier run of the daemon."""
        for silence in silences:
            left = min(silence.until - at.wall, silence.until - silence.at)
            self._put(silence, at.now + left)

    def add(self, servers: Iterable[str], subject: str, seconds: float, who: str, note: str, at: Moment) -> Silence:
        """Have nothing told of what it covers for so long; what is still there then is told then."""
        silence = Silence(self._next, tuple(servers), subject, at.wall + seconds, who, note, at.wall)
        self._put(silence, at.now + seconds)
        self.changed = True
        return silence

    def _put(self, silence: Silence, until: float) -> None:
        self[silence.id], self._until[silence.id] = silence, until
        self._next = max(self._next, silence.id + 1)

    def end(self, number: int) -> Silence:
        """Raises CommandError when there is no such silence."""
        if number not in self:
            raise CommandError(f"there is no silence {number}", "not_found")
        self.changed = True
        del self._until[number]
        return self.pop(number)

    def expire(self, at: Moment) -> None:
        """End those whose time is over."""
        for number, silence in list(self.items()):
            if silence.until <= at.wall or self._until[number] <= at.now:
                self.end(number)

    def cover(self, server: str, subject: str) -> bool:
        """Tell whether nothing is to be told of a server, or a subject, now."""
        return any(silence.covers(server, subject) for silence in self.values())
