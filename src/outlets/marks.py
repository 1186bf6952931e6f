"""What is known of one physical outlet, whichever servers it feeds."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from ..common.stamps import before

NEVER = float("-inf")
WINDOW_S = 60.0
"""The time over which switchings are counted."""

_KEPT = 32


@dataclass(slots=True, eq=False)
class OutletMarks:
    """The one object that all ``OutletTemplate`` objects of the same physical outlet have in common.

    ``label``        which outlet it is, for a person: "pdu-a outlet 3"
    ``state``        True or False as last read, None = never, or commanded and not verified since
    ``seen_at``      moment of the clock of the last good read
    ``switchings``   rises with each command that is sent and each that ends: a read begun at another value is overtaken
    ``lock``         held from before a command until it is verified or has failed: one unconfirmed command at a time

    Remembered across a restart, moments of the clock:

    ``on_at``, ``off_at``  when it was last switched on and off here, verified or not
    ``dark_at``            when it was last seen off, whoever switched it
    ``unconfirmed``        what was sent last without an answer (None = nothing): the command may still arrive
    ``sent_at``            when that was
    ``begun``              when the newest switchings began
    ``away_stamp``         ``away_at`` as a clock's stamp, if that was in another run of the daemon; "" = in this one,
                           or never
    """

    label: str = ""
    state: bool | None = None
    seen_at: float = NEVER
    switchings: int = 0
    on_at: float = NEVER
    off_at: float = NEVER
    dark_at: float = NEVER
    unconfirmed: bool | None = None
    sent_at: float = NEVER
    begun: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT))
    away_stamp: str = ""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def forget(self) -> None:
        """Take back what was read; when it was switched stays known."""
        self.state = None
        self.seen_at = NEVER

    def begin(self, state: bool, now: float) -> None:
        """Note that a command is about to be sent. A repetition bounces nothing: it is not counted."""
        if self.unconfirmed is not state or not self.begun:
            self.begun.append(now)
        self.unconfirmed, self.sent_at = state, now
        self.moved(state, now)

    def after_command(self, state: bool, now: float) -> OutletMarks:
        """Return the marks as they are to be once a command for ``state`` has been sent."""
        marks = copy(self)
        marks.begun = self.begun.copy()
        marks.begin(state, now)
        return marks

    def moved(self, state: bool, now: float) -> None:
        """Note that it has been switched to ``state``, or may have been."""
        if state:
            self.on_at, self.away_stamp = now, ""
        else:
            self.off_at = now

    def seen(self, state: bool, now: float) -> None:
        """Take in a good read."""
        self.state, self.seen_at = state, now
        if not state:
            self.dark_at, self.away_stamp = now, ""

    @property
    def away_at(self) -> float:
        """The last moment when its power was away, as far as is known here."""
        return max(self.on_at, self.dark_at)

    def answered(self) -> None:
        """The device has answered: that command is not under way any more."""
        self.unconfirmed = None

    def may_still_turn(self, state: bool, now: float, settle_s: float) -> bool:
        """Tell whether a command for ``state`` may still be on its way: silence does not mean that it was lost."""
        return self.unconfirmed is state and now - self.sent_at < settle_s

    def ready(self, state: bool, *, min_off_s: float, settle_s: float, per_minute: int) -> tuple[float, str]:
        """Return the moment before which ``state`` is not to be sent, and why.

        ``min_off_s``   how long it stays off before it is switched on
        ``settle_s``    how long an unanswered command for the other state is waited for
        ``per_minute``  most switchings within a minute, 0 = no limit
        """
        reasons = [(NEVER, "")]
        if state:
            reasons.append((self.off_at + min_off_s, "stays off for a while"))
        if self.unconfirmed is (not state):
            reasons.append((self.sent_at + settle_s, "the last command was not answered and may still arrive"))
        if per_minute and len(self.begun) >= per_minute:
            reasons.append((self.begun[-per_minute] + WINDOW_S, f"switched {per_minute} times within a minute"))
        return max(reasons)

    # -- across a restart

    def as_ages(self, now: float) -> dict[str, Any]:
        """Return the marks as plain values, moments as seconds ago."""
        return {
            "on": _age(self.on_at, now),
            "off": _age(self.off_at, now),
            "dark": _age(self.dark_at, now),
            "away": self.away_stamp,
            "unconfirmed": self.unconfirmed,
            "sent": _age(self.sent_at, now),
            "begun": [now - moment for moment in self.begun if now - moment < WINDOW_S],
        }

    def remember(self, other: OutletMarks) -> None:
        """Take over from the marks of an outlet that is the same one, or was in its place."""
        self.take_ages(other.as_ages(0.0), 0.0, 0.0)

    def take_ages(self, ages: Mapping[str, Any], now: float, elapsed: float, noted: str = "") -> None:
        """Take back what ``as_ages`` gave ``elapsed`` seconds ago, as far as it is newer than what is known.

        ``noted``  the clock's stamp of when it was given
        """
        away_at = self.away_at
        self.on_at = max(self.on_at, _moment(ages.get("on"), now, elapsed))
        self.off_at = max(self.off_at, _moment(ages.get("off"), now, elapsed))
        self.dark_at = max(self.dark_at, _moment(ages.get("dark"), now, elapsed))
        if self.away_at > away_at:
            self.away_stamp = ages.get("away") or (before(noted, now - elapsed - self.away_at) if noted else "")
        sent_at = _moment(ages.get("sent"), now, elapsed)
        if sent_at > self.sent_at:
            self.unconfirmed, self.sent_at = ages.get("unconfirmed"), sent_at
        known = [*self.begun, *(now - elapsed - age for age in ages.get("begun", ()))]
        self.begun.clear()
        self.begun.extend(sorted(known))


def _age(moment: float, now: float) -> float | None:
    return None if moment == NEVER else now - moment


def _moment(age: float | None, now: float, elapsed: float) -> float:
    return NEVER if age is None else now - elapsed - age
