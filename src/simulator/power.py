"""Outlets with contacts that move: what PDUs, PoE switches and plugs have in common, whatever they speak."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Protocol

from .knobs import DeviceKnobs, KnobError
from .ledger import Ledger
from .spec import DeviceSpec

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


class PowerDevice:
    """A device that switches outlets. Subclasses add what it speaks and what happens between asked and closed."""

    def __init__(self, spec: DeviceSpec, ledger: Ledger, speed: float) -> None:
        self.name = spec.name
        self.knobs = DeviceKnobs()
        self.outlets = {number: Outlet(number, "") for number in range(1, spec.outlets + 1)}
        self._spec, self._ledger, self._speed = spec, ledger, speed
        self.serial = spec.serial or f"LAB-{spec.name}"
        self._mains = True
        self._begun = time.monotonic() - UP_S

    @property
    def speed(self) -> float:
        """What multiplies every time of the hardware."""
        return self._speed

    def up_s(self) -> float:
        """Seconds since it started, in real time."""
        return time.monotonic() - self._begun

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

    def command(self, number: int, on: bool) -> None:
        """A command arrived by the network, and is carried out unless the knob ``refuse`` says otherwise."""
        dead = self.knobs.refuse or number in self.knobs.stuck or number in self.knobs.lie
        self._ledger.add("set", self.name, str(number), value=on, applied=not dead)
        if not self.knobs.refuse:
            self.ask(number, on)

    def ask(self, number: int, on: bool) -> None:
        """Ask an outlet to move, without the ledger taking it for a command: also the button on the front."""
        if number in self.knobs.stuck:
            return
        outlet = self.outlets[number]
        outlet.asked = on
        self._hold(outlet)
        if outlet.closed != on and self._can_move(outlet, on):
            delay_s = self._delay_s(on) * self._speed
            outlet.moving = asyncio.get_running_loop().call_later(delay_s, self._arrive, outlet, on)

    def press(self, times: int) -> None:
        """Somebody presses its button so many times; most devices have none."""
        raise KnobError(f"{self.name} has no button")

    def shows(self, entity: str) -> object:
        """What it shows under a name; most devices have no names for that."""
        raise KnobError(f"{self.name} has no {entity!r}")

    def reads_on(self, number: int) -> bool:
        """What the device says of an outlet: the contacts, or a lie."""
        outlet = self.outlets[number]
        return outlet.asked if number in self.knobs.lie else outlet.closed

    def power_w(self, number: int) -> float:
        outlet = self.outlets[number]
        return sum(load.draw_w(self.name, number) for load in outlet.loads) if outlet.closed and self._mains else 0.0

    # -- for subclasses ---------------------------------------------------------------------------------------------

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
