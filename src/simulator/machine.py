"""A machine: boots when it gets power, shuts down when asked, and loses data when its power is cut too early."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from .knobs import MachineKnobs
from .ledger import Ledger
from .spec import MachineSpec

MOUNT_AT = 0.5
"""Part of the boot after which the disk is mounted."""

SESSIONS_END_AT, SERVICES_END_AT, UNMOUNT_AT = 0.3, 0.5, 0.8
"""Parts of the shutdown."""


class MachineState(StrEnum):
    OFF = "off"
    BOOTING = "booting"
    HUNG = "hung"
    UP = "up"
    STOPPING = "stopping"
    HALTED = "halted"


DRAW = {
    MachineState.OFF: 0.0,
    MachineState.BOOTING: 0.8,
    MachineState.HUNG: 0.6,
    MachineState.UP: 1.0,
    MachineState.STOPPING: 0.7,
    MachineState.HALTED: 0.0,
}
"""Part of the rated watts; halted with power is STANDBY_W in all."""

STANDBY_W = 1.5


class Services(Protocol):
    """What listens while the machine is up."""

    def open(self) -> None: ...
    def close_sessions(self) -> None: ...
    def close(self) -> None: ...
    def knobs_turned(self) -> None: ...


class Machine:
    """The state machine. Runs on the lab's loop; no method may be called from another thread."""

    def __init__(self, spec: MachineSpec, ledger: Ledger, speed: float) -> None:
        self.spec = spec
        self.name = spec.name
        self.knobs = MachineKnobs(boot_fails=spec.first_boot_fails)
        self.state = MachineState.OFF
        self.mounted = False
        self.boot_id = ""
        self.booted_at = 0.0
        self.services: Services | None = None
        self._ledger, self._speed = ledger, speed
        self._live = dict.fromkeys(spec.supplies, False)
        self._hangs = False  # in the middle of a shutdown
        self._timers: list[asyncio.TimerHandle] = []

    # -- power ------------------------------------------------------------------------------------------------------

    def feed(self, device: str, outlet: int, live: bool) -> None:
        before = self.powered
        self._live[device, outlet] = live
        if self.powered and not before:
            self._power_on()
        elif before and not self.powered:
            self._power_off()

    @property
    def powered(self) -> bool:
        return any(self._live.values())

    def draw_w(self, device: str, outlet: int) -> float:
        """The live supplies share the load evenly."""
        if not self._live.get((device, outlet)):
            return 0.0
        watts = STANDBY_W if self.state is MachineState.HALTED else self.spec.watts * DRAW[self.state]
        return watts / sum(self._live.values())

    def rated_w(self) -> float:
        return self.spec.watts

    def seen_mac(self) -> str:
        return ""

    def _power_on(self) -> None:
        self._ledger.add("power", self.name, "on")
        if self.knobs.boot_never:
            self._ledger.add("boot-failed", self.name, "the firmware waits for its button")
            self.state = MachineState.HALTED
            return
        self.boot_id = str(uuid.uuid4())
        self.booted_at = asyncio.get_running_loop().time()
        self.state = MachineState.BOOTING
        self._ledger.add("boot", self.name, boot_id=self.boot_id)
        self._begin_boot()

    def _begin_boot(self) -> None:
        half_s = self.spec.boot_s * MOUNT_AT
        if self.knobs.boot_fails:
            self.knobs.boot_fails -= 1
            self._later(half_s, self._hang)
        else:
            self._later(half_s, self._mount)
            self._later(self.spec.boot_s, self._up)

    def _power_off(self) -> None:
        self._cancel()
        self._hangs = False
        self._ledger.add("power", self.name, "off", state=str(self.state))
        if self.mounted:
            self._ledger.add("violation", self.name, str(self.state))
        self.mounted = False
        self.state = MachineState.OFF
        if self.services:
            self.services.close()

    # -- boot -------------------------------------------------------------------------------------------------------

    def _hang(self) -> None:
        self.state = MachineState.HUNG
        self._ledger.add("boot-failed", self.name, "hangs before the disk is mounted")

    def _mount(self) -> None:
        self.mounted = True
        self._ledger.add("mounted", self.name)

    def _up(self) -> None:
        self.state = MachineState.UP
        if self.services:
            self.services.open()
        self._ledger.add("up", self.name, boot_id=self.boot_id)

    # -- shutdown ---------------------------------------------------------------------------------------------------

    def shut_down(self) -> None:
        """Somebody asked. Asked again while it stops, nothing changes."""
        self._ledger.add("shutdown", self.name, state=str(self.state))
        if self.state is not MachineState.UP:
            return
        self.state = MachineState.STOPPING
        hangs = self.knobs.shutdown_hangs
        self._hangs = bool(hangs)
        if hangs == "services":
            return
        whole_s = self.spec.shutdown_s
        self._later(whole_s * SESSIONS_END_AT, self._end_sessions)
        self._later(whole_s * SERVICES_END_AT, self._end_services)
        if not hangs:
            self._end_of_shutdown()

    def _end_of_shutdown(self) -> None:
        self._later(self.spec.shutdown_s * UNMOUNT_AT, self._unmount)
        self._later(self.spec.shutdown_s, self._halt)

    def _end_sessions(self) -> None:
        if self.services:
            self.services.close_sessions()

    def _end_services(self) -> None:
        if self.services:
            self.services.close()
        self._ledger.add("services-down", self.name)

    def _unmount(self) -> None:
        self.mounted = False
        self._ledger.add("unmounted", self.name)

    def _halt(self) -> None:
        self.state = MachineState.HALTED
        self._ledger.add("halted", self.name)

    # -- the lab ----------------------------------------------------------------------------------------------------

    def knobs_turned(self) -> None:
        """Called after a knob changed: a shutdown that hung goes on once it may."""
        if self._hangs and not self.knobs.shutdown_hangs:
            self._hangs = False
            self._later(self.spec.shutdown_s * SERVICES_END_AT, self._end_services)
            self._end_of_shutdown()
        if self.services:
            self.services.knobs_turned()

    def stop(self) -> None:
        """The lab ends: nothing happens any more."""
        self._cancel()
        if self.services:
            self.services.close()

    def logged_in(self, user: str, how: str, accepted: bool) -> None:
        self._ledger.add("login", self.name, user, how=how, accepted=accepted)

    def pace_s(self) -> float:
        """Seconds that an answer takes by the knob ``slow_s``."""
        return self.knobs.slow_s * self._speed

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        self._timers.append(asyncio.get_running_loop().call_later(seconds * self._speed, action))

    def _cancel(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
