"""One limit of one node over time. Pure: values and moments in, what is known out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from ...config.limits import Limit


class Level(StrEnum):
    """``pending``: beyond the limit, and not yet for as long as it takes."""

    OK = "ok"
    PENDING = "pending"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class LimitSeen:
    """What is known of a limit. Moments are those of the engine's clock.

    ``since``    when the value went beyond, or was good again
    ``value``    the last one, None = there was none
    ``seen_at``  when it was measured
    """

    level: Level = Level.OK
    since: float = 0.0
    value: float | None = None
    seen_at: float = 0.0


def judged(limit: Limit, before: LimitSeen, value: float, now: float) -> LimitSeen:
    """Return what is known after one more value. Between ``until`` and the bound, one that is over stays so."""
    if before.level is Level.OVER:
        if limit.is_good(value):
            return LimitSeen(Level.OK, now, value, now)
        return replace(before, value=value, seen_at=now)
    if not limit.is_beyond(value):
        since = before.since if before.level is Level.OK and before.value is not None else now
        return LimitSeen(Level.OK, since, value, now)
    since = before.since if before.level is Level.PENDING else now
    return LimitSeen(Level.OVER if now - since >= limit.last else Level.PENDING, since, value, now)


def not_told(before: LimitSeen, now: float, patience: float) -> LimitSeen:
    """Return what is known once an answer lacks the figure: one that is over stays so for ``patience`` seconds."""
    if before.level is Level.OVER and now - before.seen_at < patience:
        return before
    return LimitSeen(since=now)


def out_of_touch(before: LimitSeen, now: float) -> LimitSeen:
    """Return what is known while the node does not answer: what is over stays so, what had to last begins anew."""
    return before if before.level is Level.OVER else LimitSeen(since=now)
