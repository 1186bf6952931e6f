"""A plug with the firmware of ``packaging/esphome``: relays, and on the first one what a machine's agent needs.

Here is what it does; what it speaks is in ``esphome_api``.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from typing_extensions import override

from .ledger import Ledger
from .power import Outlet, PowerDevice
from .spec import PlugSpec

VOLTS = 230.0
BLINK_S = 3.0
"""So long the heartbeat switch stays on."""
LOOK_S = 1.0
"""How often it looks whether the machine has gone quiet."""

Value = bool | float | str


@dataclass(frozen=True, slots=True)
class Entity:
    """``kind``: switch, sensor or text_sensor; ``read`` returns None for a state that is not known yet."""

    kind: str
    name: str
    read: Callable[[], Value | None]
    write: Callable[[bool], None] | None = None
    device_class: str = ""
    unit: str = ""

    @property
    def object_id(self) -> str:
        return self.name.lower().replace(" ", "_")

    @property
    def key(self) -> int:
        return zlib.crc32(self.object_id.encode())


class EspPlug(PowerDevice):
    """Switching the delay switch off is a wish; the machine's agent answers it with the real delay switch.

    The cut comes ``delay_s`` after that and, while the machine still draws more than ``quiet_w``, up to ``latest_s``
    later. A heartbeat that is missed ``heartbeat_limit`` times, once there was one, cuts as well.
    ``watchers``  are called with each entity that has changed
    """

    def __init__(self, spec: PlugSpec, ledger: Ledger, speed: float) -> None:
        super().__init__(spec, ledger, speed)
        self.plug_spec = spec
        self.watchers: list[Callable[[Entity], None]] = []
        self.reason = ""
        self.missed = 0
        self._wanted = False  # the delay switch
        self._beating = False  # the heartbeat switch
        self._heard = False  # there was a heartbeat since the relay closed
        self._cut_timer: asyncio.TimerHandle | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._energy_wh = 0.0
        self.entities = {entity.key: entity for entity in self._entities()}

    # -- what it has ------------------------------------------------------------------------------------------------

    def _entities(self) -> Iterator[Entity]:
        for number in self.outlets:
            name = "Relay" if number == 1 else f"Relay {number}"
            yield Entity("switch", name, lambda n=number: self.reads_on(n), lambda on, n=number: self.command(n, on))  # type: ignore[misc]
        yield Entity("switch", "Delay Switch", lambda: self._wanted, self._want)
        yield Entity("switch", "Real Delay Switch", lambda: self.reads_on(1) and not self._cut_timer, self._real)
        yield Entity("switch", "Heartbeat Switch", lambda: self._beating, self._beat)
        yield Entity("sensor", "Power", self._watts, None, "power", "W")
        yield Entity("sensor", "Voltage", lambda: VOLTS, None, "voltage", "V")
        yield Entity("sensor", "Current", lambda: self._watts() / VOLTS, None, "current", "A")
        yield Entity("sensor", "Energy", lambda: self._energy_wh / 1000, None, "energy", "kWh")
        yield Entity("sensor", "Uptime", self.up_s, None, "duration", "s")
        yield Entity("text_sensor", "Power Off Reason", lambda: self.reason)

    @override
    def shows(self, entity: str) -> Value | None:
        return next(one.read() for one in self.entities.values() if one.name == entity)

    def _watts(self) -> float:
        return sum(map(self.power_w, self.outlets))

    def changed(self, *names: str) -> None:
        """Tell who watches that these entities have changed."""
        for entity in self.entities.values():
            if entity.name in names:
                for watcher in list(self.watchers):
                    watcher(entity)

    # -- life -------------------------------------------------------------------------------------------------------

    @override
    def start(self) -> None:
        super().start()
        self._every("sensors", self.plug_spec.update_s, self._measure)

    @override
    def stop(self) -> None:
        super().stop()
        for timer in (*self._timers.values(), self._cut_timer):
            if timer:
                timer.cancel()

    @override
    def reboot(self, restore: str) -> None:
        super().reboot(restore)
        self._calm()
        self._wanted = self.outlets[1].closed

    @override
    def mains(self, live: bool) -> None:
        super().mains(live)
        self._calm()

    def _measure(self) -> None:
        self._energy_wh += self._watts() * self.plug_spec.update_s / 3600
        self.changed("Power", "Voltage", "Current", "Energy", "Uptime")

    # -- relay ------------------------------------------------------------------------------------------------------

    @override
    def ask(self, number: int, on: bool) -> None:
        super().ask(number, on)
        self.changed("Relay" if number == 1 else f"Relay {number}")  # one that lies shows at once what was asked

    @override
    def _move(self, outlet: Outlet, closed: bool) -> None:
        super()._move(outlet, closed)
        if outlet.number == 1:
            self._calm()
            self._wanted = closed
            if closed:
                self.reason = ""
            self.changed("Relay", "Delay Switch", "Real Delay Switch", "Heartbeat Switch", "Power Off Reason")
        else:
            self.changed(f"Relay {outlet.number}")

    def _calm(self) -> None:
        """Forget what was under way: nothing is to be cut, no heartbeat is expected."""
        self._hold_cut()
        for name in ("heartbeat", "blink"):
            timer = self._timers.pop(name, None)
            if timer:
                timer.cancel()
        self._beating = self._heard = False
        self.missed = 0

    def cut(self, reason: str) -> None:
        """Open the first relay by itself."""
        self.reason = reason
        self._ledger.add("plug", self.name, reason)
        self.ask(1, False)

    # -- button and switches ----------------------------------------------------------------------------------------

    @override
    def press(self, times: int) -> None:
        """Somebody presses the button: once asks the machine to go, or switches on; twice cuts."""
        if times > 1:
            self.cut("the button was pressed twice")
        else:
            self._want(not self._wanted)

    def _want(self, on: bool) -> None:
        self._ledger.add("plug", self.name, f"delay switch {'on' if on else 'off'}")
        if on:
            self.ask(1, True)
        self._wanted = on and self.outlets[1].asked
        self.changed("Delay Switch")

    def _real(self, on: bool) -> None:
        self._ledger.add("plug", self.name, f"real delay switch {'on' if on else 'off'}")
        self._hold_cut()
        if on:
            self._want(True)
        elif self.outlets[1].closed:
            spec = self.plug_spec
            latest = asyncio.get_running_loop().time() + (spec.delay_s + spec.latest_s) * self._speed
            self._cut_timer = self._later(spec.delay_s, lambda: self._cut_when_quiet(latest))
        self.changed("Real Delay Switch")

    def _cut_when_quiet(self, latest: float) -> None:
        if self._watts() < self.plug_spec.quiet_w or asyncio.get_running_loop().time() >= latest:
            self._cut_timer = None
            self.cut("the machine was shut down")
        else:
            self._cut_timer = self._later(LOOK_S, lambda: self._cut_when_quiet(latest))

    def _hold_cut(self) -> None:
        if self._cut_timer:
            self._cut_timer.cancel()
            self._cut_timer = None

    # -- heartbeat --------------------------------------------------------------------------------------------------

    def _beat(self, on: bool) -> None:
        self._beating = on
        self.changed("Heartbeat Switch")
        if not on:
            return
        self.missed = 0
        self._every("blink", BLINK_S, lambda: self._beat(False), once=True)
        if not self._heard and self.outlets[1].closed:
            self._heard = True
            self._every("heartbeat", self.plug_spec.heartbeat_s, self._count)

    def _count(self) -> None:
        self.missed += 1
        if self.missed >= self.plug_spec.heartbeat_limit:
            self.cut("the machine's heartbeat was missed")

    # -- time -------------------------------------------------------------------------------------------------------

    def _later(self, seconds: float, action: Callable[[], None]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds * self._speed, action)

    def _every(self, name: str, seconds: float, action: Callable[[], None], *, once: bool = False) -> None:
        former = self._timers.pop(name, None)
        if former:
            former.cancel()

        def now() -> None:
            self._timers.pop(name, None)
            if not once:
                self._every(name, seconds, action)
            action()

        self._timers[name] = self._later(seconds, now)
