"""Whether a circuit can carry one more start. Pure: what it carries now is kept by the engine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..outlets.circuit import Circuit

SLACK_W = 1e-6
"""Sums of watts are not exact."""


@dataclass(slots=True, eq=False)
class Load:
    """What a circuit carries now.

    ``starts``  servers that are starting on it
    ``steady``  watts of all that is on, or may be, or is being switched on
    ``inrush``  watts that what is starting draws besides, for a while
    ``live``, ``dead``  outlets that should show life, and those of them that do not: unreadable, or drawing nothing
    """

    circuit: Circuit
    starts: int = 0
    steady: float = 0.0
    inrush: float = 0.0
    live: int = 0
    dead: int = 0

    @property
    def tripped(self) -> bool:
        """Whether the fuse seems to have gone: nothing on the circuit shows life any more."""
        return self.dead >= 2 and self.dead == self.live


@dataclass(frozen=True, slots=True)
class Demand:
    """What a start would add to a circuit: watts, with the inrush and once that is over."""

    load: Load
    most: float = 0.0
    steady: float = 0.0


@dataclass(frozen=True, slots=True)
class Lack:
    """Why a server cannot start now.

    ``lasting``  other starts that end do not help: something has to be switched off, or mended
    """

    load: Load
    text: str
    frees: str
    lasting: bool = False


def find_lack(demands: Iterable[Demand]) -> Lack | None:
    """Return what is missing for a start that wants all ``demands``; None when it may go ahead."""
    for demand in demands:
        lack = _lack(demand)
        if lack is not None:
            return lack
    return None


def _lack(demand: Demand) -> Lack | None:
    load, circuit = demand.load, demand.load.circuit
    name = str(circuit)
    if load.tripped:
        text = f"{name} seems to have tripped: none of its {load.live} outlets that were on shows life"
        return Lack(load, text, "somebody looks at the fuse, and its outlets show life again", lasting=True)
    if circuit.max_starts and load.starts >= circuit.max_starts:
        if not circuit.name:
            return Lack(load, "as many servers start as the limit allows", "another start ends")
        if circuit.waits:
            text = f"{circuit.waits}: {load.starts} of {circuit.max_starts} are taken"
            return Lack(load, text, "a board there says that it has booted, or its start ends")
        text = f"{name}: {load.starts} of {circuit.max_starts} servers are starting"
        return Lack(load, text, f"another start on {name} ends")
    if circuit.max_watts and load.steady + load.inrush + demand.most > circuit.max_watts + SLACK_W:
        text = f"{name}: {load.steady + load.inrush:g} of {circuit.max_watts:g} W, and it needs {demand.most:g} W"
        lasting = load.steady + demand.most > circuit.max_watts + SLACK_W
        frees = "something is switched off there" if lasting else "what starts there draws less"
        return Lack(load, text, frees, lasting)
    return None
