"""What the engine can be told in ``[main]`` of config.ini."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BACK_OFF_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Seconds before the next attempt, by attempts so far; the last one for all that follow."""


@dataclass(slots=True)
class Settings:
    """Times in seconds; limits where 0 means none.

    ``start_limit``  servers that start at the same time
    ``stop_grace``   how long a stopping daemon waits for commands in flight
    """

    poll_interval: float = 30.0
    test_interval: float = 15.0
    start_limit: int = 0
    max_start_attempts: int = 3
    max_stop_attempts: int = 3
    stop_grace: float = 5.0

    @classmethod
    def from_main(cls, main: Mapping[str, Any]) -> Settings:
        return cls(**{name: main[name] for name in cls.__slots__ if name in main})

    @property
    def fresh_for(self) -> float:
        """How long a good read of an outlet is believed, in seconds."""
        return 2.5 * self.poll_interval + 5.0


def back_off(attempts: int) -> float:
    """Return how long to wait after ``attempts`` failures, plus up to a fifth so that not all try at once."""
    base = BACK_OFF_S[min(max(attempts, 1), len(BACK_OFF_S)) - 1]
    return base * random.uniform(1.0, 1.2)  # noqa: S311 - not for secrets
