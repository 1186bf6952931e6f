"""A circuit: a fuse and the outlets behind it, on whichever PDUs they are, or whatever else limits who starts."""

from __future__ import annotations

from dataclasses import dataclass

from ..common.pace import Pace


@dataclass(slots=True, eq=False)
class Circuit:
    """What a circuit allows; 0 = no limit.

    ``max_starts``  servers that start on it at the same time
    ``max_watts``   what everything on it may draw together, inrush included
    ``pace``        the pause between two switchings on it
    ``waits``       what a server does that finds no place for its start; "" = it is a fuse, and its name says enough
    """

    name: str
    max_starts: int = 0
    max_watts: float = 0.0
    pace: Pace | None = None
    waits: str = ""

    def __str__(self) -> str:
        if self.waits:
            return self.name
        return f"circuit {self.name}" if self.name else "the limit of starts"


def boot_server(places: int) -> Circuit:
    """Return what limits the starts of the servers that boot from the network: so many places at the boot server."""
    return Circuit("the boot server", max_starts=places, waits="waits for a free place at the boot server")
