"""Outlets with contacts that move, and what PDUs and PoE switches have in common."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from .knobs import DeviceKnobs
from .ledger import Ledger
from .snmp_agent import Mib, Variable, integer, text
from .snmp_ber import OBJECT_IDENTIFIER, TIME_TICKS, ErrorStatus, Oid, Value
from .spec import DeviceSpec

SYSTEM: Oid = (1, 3, 6, 1, 2, 1, 1)
"""SNMPv2-MIB system group."""


UP_S = 3600.0
"""For so long a device has been up when the lab begins: a restart is seen by its uptime falling."""


class Load(Protocol):
    """What is plugged in."""

    def feed(self, device: str, outlet: int, live: bool) -> None:
        """The supply in this outlet got or lost its voltage."""

    def draw_w(self, device: str, outlet: int) -> float:
        """Watts drawn from this outlet now."""

    def rated_w(self) -> float:
        """Watts that it draws when it runs."""

    def seen_mac(self) -> str:
        """Its MAC address once it has sent something, "" before, and if it has none."""


@dataclass(slots=True)
class Outlet:
    """``asked``: what was last asked for, the admin state; ``closed``: where the contacts are."""

    number: int
    label: str
    asked: bool = False
    closed: bool = False
    loads: list[Load] = field(default_factory=list)
    moving: asyncio.TimerHandle | None = None


class PowerDevice(ABC):
    """A device that switches outlets. Subclasses add their MIB and what happens between asked and closed."""

    description = ""
    object_id: Oid = ()

    def __init__(self, spec: DeviceSpec, ledger: Ledger, speed: float) -> None:
        self.name = spec.name
        self.knobs = DeviceKnobs()
        self.outlets = {number: Outlet(number, "") for number in range(1, spec.outlets + 1)}
        self._spec, self._ledger, self._speed = spec, ledger, speed
        self.serial = spec.serial or f"LAB-{spec.name}"
        self._mains = True
        self._begun = time.monotonic() - UP_S

    # -- what the lab does ------------------------------------------------------------------------------------------

    def plug(self, number: int, load: Load, label: str) -> None:
        outlet = self.outlets[number]
        outlet.loads.append(load)
        outlet.label = f"{outlet.label}, {label}" if outlet.label else label

    def start(self) -> None:
        """Close what was on before the lab began; to be called on the loop, once the loads are plugged in."""
        for number in sorted(self._spec.on_at_start):
            self.outlets[number].asked = True
            self._move(self.outlets[number], True)

    def stop(self) -> None:
        for outlet in self.outlets.values():
            self._hold(outlet)

    def reboot(self, restore: str) -> None:
        """It starts anew, with its outlets "on", "off" or as they were ("last"); nobody has sent anything."""
        self._ledger.add("reboot", self.name, restore=restore)
        self._begun = time.monotonic()
        for outlet in self.outlets.values():
            self._hold(outlet)
            outlet.asked = outlet.closed if restore == "last" else restore == "on"
            if outlet.closed != outlet.asked and self._can_move(outlet, outlet.asked):
                self._move(outlet, outlet.asked)

    def mains(self, live: bool) -> None:
        """The mains fails or returns: contacts stay where they are, what hangs on closed ones is dead or alive."""
        if live is self._mains:
            return
        self._mains = live
        self._ledger.add("mains", self.name, "on" if live else "off")
        self._begun = time.monotonic()
        for outlet in self.outlets.values():
            self._hold(outlet)
            outlet.asked = outlet.closed
            if outlet.closed:
                self._feed(outlet)

    def knobs_turned(self) -> None:
        """A knob changed: contacts that can no longer move stop where they are."""
        for outlet in self.outlets.values():
            if outlet.moving and not self._can_move(outlet, not outlet.closed):
                self._hold(outlet)

    # -- what arrives from the network ------------------------------------------------------------------------------

    def set(self, number: int, on: bool) -> ErrorStatus | None:
        """A SET arrived; the answer's error, or None."""
        dead = self.knobs.refuse or number in self.knobs.stuck or number in self.knobs.lie
        self._ledger.add("set", self.name, str(number), value=on, applied=not dead)
        if self.knobs.refuse:
            return ErrorStatus.GEN_ERR
        self.ask(number, on)
        return ErrorStatus.GEN_ERR if self.knobs.error_but_applied else None

    def ask(self, number: int, on: bool) -> None:
        """Ask an outlet to move, without the ledger taking it for a SET: also the button on the front."""
        if number in self.knobs.stuck:
            return
        outlet = self.outlets[number]
        outlet.asked = on
        self._hold(outlet)
        if outlet.closed != on and self._can_move(outlet, on):
            delay_s = self._delay_s(on) * self._speed
            outlet.moving = asyncio.get_running_loop().call_later(delay_s, self._arrive, outlet, on)

    def reads_on(self, number: int) -> bool:
        """What the device says of an outlet: the contacts, or a lie."""
        outlet = self.outlets[number]
        return outlet.asked if number in self.knobs.lie else outlet.closed

    def power_w(self, number: int) -> float:
        outlet = self.outlets[number]
        return sum(load.draw_w(self.name, number) for load in outlet.loads) if outlet.closed and self._mains else 0.0

    def mib(self) -> Mib:
        return Mib((*self._system(), *self._variables()), self._live_variables)

    # -- for subclasses ---------------------------------------------------------------------------------------------

    @abstractmethod
    def _variables(self) -> Iterator[Variable]:
        """The variables of the device's own MIB."""

    def _live_variables(self) -> Iterable[Variable]:
        """Those of them that come and go."""
        return ()

    def _can_move(self, outlet: Outlet, on: bool) -> bool:
        return outlet.number not in self.knobs.stuck and outlet.number not in self.knobs.lie

    def _delay_s(self, on: bool) -> float:
        return self._spec.move_s

    def _arrive(self, outlet: Outlet, closed: bool) -> None:
        outlet.moving = None
        self._move(outlet, closed)

    def _hold(self, outlet: Outlet) -> None:
        if outlet.moving:
            outlet.moving.cancel()
            outlet.moving = None

    def _move(self, outlet: Outlet, closed: bool) -> None:
        if outlet.closed == closed:
            return
        outlet.closed = closed
        self._ledger.add("relay", self.name, str(outlet.number), closed=closed)
        self._feed(outlet)

    def _feed(self, outlet: Outlet) -> None:
        for load in outlet.loads:
            load.feed(self.name, outlet.number, outlet.closed and self._mains)

    def _system(self) -> Iterator[Variable]:
        yield Variable((*SYSTEM, 1, 0), lambda: text(self.description))
        yield Variable((*SYSTEM, 2, 0), lambda: Value(OBJECT_IDENTIFIER, self.object_id))
        yield Variable((*SYSTEM, 3, 0), lambda: Value(TIME_TICKS, int((time.monotonic() - self._begun) * 100) % 2**32))
        yield Variable((*SYSTEM, 5, 0), lambda: text(self.name))
        yield Variable((*SYSTEM, 7, 0), lambda: integer(2))
