"""At which port of which switch a machine hangs: judged from what all switches have learned. No I/O."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ..common.errors import DeviceStateError
from .bridge_tables import Bridge, Port

MANY: Final = 4
"""A port with more addresses than this leads to another switch, whatever it says."""


@dataclass(frozen=True, slots=True)
class Numbering:
    """How the PoE ports of a switch are numbered, as its file says.

    ``by``      "name": by the numbers in the interface's name; "bridge", "index": by that number; "auto": by the name
                if it has any, else by the bridge port
    ``offset``  what is taken off
    ``own``     name of an interface -> (group, port), for those that follow no rule
    """

    by: str = "auto"
    offset: int = 0
    own: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address was seen.

    ``poe``     the PoE port, (group, port), None = it has none, or which one cannot be told
    ``macs``    how many addresses were learned there
    ``uplink``  why it leads to another switch rather than to the machine, "" = it does not
    """

    switch: str
    port: Port
    vlans: tuple[int, ...]
    macs: int
    uplink: str
    poe: tuple[int, int] | None

    def __str__(self) -> str:
        return f"{self.switch} {self.port.name}"

    @property
    def poe_name(self) -> str:
        return f"{self.poe[0]}.{self.poe[1]}" if self.poe else ""


class NotFoundError(DeviceStateError):
    """No switch has learned the address, or only where it leads to another switch."""


class AmbiguousError(DeviceStateError):
    """The address hangs at two places: it is there twice, or a cable between switches is not recognised (F4)."""

    def __init__(self, text: str, places: Sequence[Place]) -> None:
        super().__init__(text)
        self.places = list(places)


def places(
    mac: str,
    bridges: Sequence[Bridge],
    numberings: Mapping[str, Numbering],
    uplinks: Mapping[str, Collection[str]],
) -> list[Place]:
    """Return everywhere that ``mac`` was learned.

    ``uplinks``  switch -> the names of the interfaces that are known to lead to other switches
    """
    found = []
    for bridge in bridges:
        for number, macs in bridge.macs.items():
            if mac in macs:
                port = bridge.ports[number]
                why = (
                    "its file says so"
                    if port.name in uplinks.get(bridge.switch, ())
                    else _uplink(bridge, port, bridges)
                )
                numbering = numberings.get(bridge.switch, Numbering())
                vlans = bridge.vlans.get((number, mac), ())
                found.append(Place(bridge.switch, port, vlans, len(macs), why, poe_port(bridge, port, numbering)))
    return found


def choose(mac: str, found: Sequence[Place], asked: Iterable[str]) -> Place:
    """Return the place at which the machine hangs.

    ``asked``  the switches that were asked
    Raises NotFoundError, AmbiguousError.
    """
    ends = [place for place in found if not place.uplink]
    if len(ends) == 1:
        return ends[0]
    if ends:
        where = " and ".join(f"{place} ({_count(place.macs)})" for place in ends)
        raise AmbiguousError(
            f"{mac} was learned at {where}: it is there twice, or one of these leads to another switch: name it under "
            "`uplinks` in the switch's file. Nothing is switched by that address",
            ends,
        )
    if found:
        where = ", ".join(f"{place} ({place.uplink})" for place in found)
        raise NotFoundError(f"{mac} was learned only on the way to another switch: {where}")
    raise NotFoundError(
        f"no port of {', '.join(asked)} has learned {mac}: the machine is off or silent, or hangs on another switch"
    )


def _uplink(bridge: Bridge, port: Port, bridges: Sequence[Bridge]) -> str:
    """Return why ``port`` leads to another switch, "" = nothing says so."""
    macs = bridge.macs[port.bridge]
    neighbour = bridge.neighbours.get(port.bridge)
    if neighbour is not None and set(macs) != {neighbour.chassis}:
        return f"{neighbour} is at its other end"
    if len(macs) > MANY:
        return f"{_count(len(macs))} were learned there"
    for other in bridges:
        at = [number for number, learned in other.macs.items() if learned & macs]
        if other.switch != bridge.switch and len(at) > 1:
            return f"what was learned there hangs on several ports of {other.switch}"
    return ""


def poe_port(bridge: Bridge, port: Port, numbering: Numbering) -> tuple[int, int] | None:
    """Return the PoE port of an interface; only one that the switch has, None if that cannot be told."""
    own = numbering.own.get(port.name)
    if own is not None:
        return own
    numbers = [int(digits) for digits in re.findall(r"\d+", port.name)] if port.index else []
    if numbering.by == "index":
        number = port.index
    elif numbering.by == "bridge" or (numbering.by == "auto" and not numbers):
        number = port.bridge
    elif numbers:
        number = numbers[-1]
    else:
        return None
    number -= numbering.offset
    groups = {group for group, one in bridge.poe if one == number}
    if len(groups) > 1 and len(numbers) > 1:  # Gi2/0/7: the unit of a stack comes first
        groups &= {numbers[0]}
    return (groups.pop(), number) if len(groups) == 1 else None


def _count(macs: int) -> str:
    return "1 address" if macs == 1 else f"{macs} addresses"
