"""A circuit: a fuse, and the outlets behind it, on whichever PDUs they are."""

from __future__ import annotations

from dataclasses import dataclass

from ..common.pace import Pace


@dataclass(slots=True, eq=False)
class Circuit:
    """What a circuit allows; 0 = no limit.

    ``max_starts``  servers that start on it at the same time
    ``max_watts``   what everything on it may draw together, inrush included
    ``pace``        the pause between two switchings on it
    """

    name: str
    max_starts: int = 0
    max_watts: float = 0.0
    pace: Pace | None = None

    def __str__(self) -> str:
        return f"circuit {self.name}" if self.name else "the limit of starts"
