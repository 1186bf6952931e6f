"""When something is told. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Rules:
    """Options of ``[plugins.Alerts]``, in seconds.

    ``confirm``  how long a problem has to be there before it is told
    ``settle``   how long it has to be gone before it is over
    ``grace``    how long what a cause has taken along may take to come back once the cause is gone
    ``remind``   time between two reminders, 0 = none
    ``steady``   how long what comes and goes has to stay gone, or there, to count as steady
    """

    confirm: float = 60.0
    settle: float = 60.0
    grace: float = 300.0
    remind: float = 86400.0
    steady: float = 900.0

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Rules:
        return cls(**{one.name: float(settings[one.name]) for one in fields(cls)})


@dataclass(frozen=True, slots=True)
class Moment:
    """``now``: of a clock that never jumps, for timers; ``wall``: seconds since 1970, for people."""

    now: float
    wall: float
