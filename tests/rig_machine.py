"""The machines of the engine's tests: relays, disks and boots on a virtual clock, and the drivers that reach them.

They know nothing of the engine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ockle.common.errors import DeviceRefused, DeviceUnreachable
from ockle.config.templates import Template, driver_template
from ockle.controllers.ControllerTemplate import ControllerTemplate
from ockle.outlets.OutletTemplate import OutletTemplate
from ockle.testers.TemplateTester import TemplateTester

if TYPE_CHECKING:
    from rig_judge import Judge


@dataclass
class Machine:
    """A machine: halted, booting, up, stopping. Its disk is mounted from the boot's begin until it is halted.

    ``lingers``  its services answer until it has halted, though it is stopping
    """

    name: str
    rig: Judge
    boot_s: float = 10.0
    shutdown_s: float = 5.0
    needs: tuple[str, ...] = ()
    relays: dict[str, bool] = field(default_factory=dict)
    os: str = "halted"
    fail_boots: int = 0
    boots: int = 0
    hang_shutdown: bool = False
    refuse_login: bool = False
    stuck: bool = False
    silent: bool = False
    silent_relays: set[str] = field(default_factory=set)  # those of its outlets that do not answer
    slow_s: float = 0.0
    lingers: bool = False
    expendable: bool = False
    pressed_at: float = float("-inf")  # when somebody pressed the buttons of its outlets
    lost_at: float = float("-inf")  # when it stopped serving without the engine's doing
    _timer: asyncio.TimerHandle | None = None

    @property
    def powered(self) -> bool:
        return any(self.relays.values())

    @property
    def serving(self) -> bool:
        return self.os == "up"

    @property
    def answering(self) -> bool:
        return self.serving or (self.lingers and self.os == "stopping")

    def relay(self, outlet: str, closed: bool) -> None:
        if self.stuck:
            return
        before = self.powered
        self.relays[outlet] = closed
        if self.powered and not before:
            self.rig.saw(self, "power on")
            self._go("booting", self.boot_s, self._booted)
        elif before and not self.powered:
            self.rig.saw(self, "cut" if self.os == "halted" else "cut while mounted")
            self._go("halted", 0.0, None)

    def _booted(self) -> None:
        if self.fail_boots:
            self.fail_boots -= 1
            self.os = "wedged"
        else:
            self.os = "up"
            self.rig.saw(self, "up")

    def shut_down(self) -> None:
        self.rig.saw(self, "shutdown asked")
        if self.os in ("up", "booting") and not self.hang_shutdown:
            self._go("stopping", self.shutdown_s, self._halted)

    def wedge(self) -> None:
        """It stops serving without anybody's doing; its disk stays mounted."""
        if self.os == "up":
            self.os = "wedged"
            self.lost_at = asyncio.get_running_loop().time()

    def unwedge(self) -> None:
        """A person presses the reset button."""
        if self.os == "wedged":
            self._go("booting", self.boot_s, self._booted)

    def wake(self) -> None:
        """Somebody starts it over the network, or by its own button."""
        if self.os == "halted" and self.powered:
            self._go("booting", self.boot_s, self._booted)

    def _halted(self) -> None:
        self.os = "halted"
        self.rig.saw(self, "halted")

    def _go(self, os: str, seconds: float, then: Callable[[], None] | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.os = os
        self.boots += os == "booting"
        self._timer = asyncio.get_running_loop().call_later(seconds, then) if then else None


class RigOutlet(OutletTemplate):
    """An outlet that feeds ``machine``, and the other ``machines`` on its ``relay``, which may be a shared one."""

    machine: Machine
    machines: tuple[Machine, ...]
    relay: str

    @classmethod
    def template(cls) -> Template:
        return driver_template("outlets", "Dummy")

    async def _setOutletState(self, state: bool) -> None:
        rig = self.machine.rig
        rig.in_flight[self.relay] = rig.in_flight.get(self.relay, 0) + 1
        if rig.in_flight[self.relay] > 1:
            rig.saw(self.machine, f"second command for {self.relay}")
        try:
            await asyncio.sleep(max(machine.slow_s for machine in self.machines))
        finally:
            rig.in_flight[self.relay] -= 1
        self._answer()
        for machine in self.machines:
            rig.saw(machine, f"SET {self.name} {'on' if state else 'off'}")
        if not any(machine.stuck for machine in self.machines):
            for machine in self.machines:
                if state and not machine.relays[self.relay]:
                    rig.closed_at[machine.name, self.relay] = asyncio.get_running_loop().time()
                machine.relay(self.relay, state)
            for machine in self.machines if state else ():
                rig._judge_circuits(machine)

    async def _getOutletState(self) -> bool:
        self._answer()
        return self.machine.relays[self.relay]

    def _answer(self) -> None:
        if any(machine.silent or self.relay in machine.silent_relays for machine in self.machines):
            raise DeviceUnreachable(f"{self.name}: no answer")


@dataclass(frozen=True)
class Fuse:
    """A circuit of the rig: what it allows, and what each machine on it draws by each of its outlets."""

    max_watts: float = 0.0
    max_starts: int = 0
    gap_s: float = 0.0
    watts: Mapping[str, float] = field(default_factory=dict)
    inrush: Mapping[str, float] = field(default_factory=dict)
    inrush_s: float = 5.0


class RigControl(ControllerTemplate):
    machine: Machine

    @classmethod
    def template(cls) -> Template:
        return driver_template("controllers", "Dummy")

    async def _setControlState(self, state: bool) -> None:
        if self.machine.refuse_login:
            raise DeviceRefused(f"{self.name}: password refused")
        if self.machine.os in ("halted", "booting", "wedged"):
            raise DeviceUnreachable(f"{self.name}: no answer")
        self.boot_id = f"boot-{self.machine.boots}"
        self.machine.shut_down()

    async def _getBootId(self) -> str:
        if self.machine.os in ("halted", "booting", "wedged"):
            raise DeviceUnreachable(f"{self.name}: no answer")
        return f"boot-{self.machine.boots}"

    async def _getControlState(self) -> bool:
        if self.machine.os in ("booting", "wedged"):
            raise DeviceUnreachable(f"{self.name}: no answer")
        return self.machine.os != "halted"


class RigTest(TemplateTester):
    machine: Machine

    @classmethod
    def template(cls) -> Template:
        return driver_template("testers", "Dummy")

    async def _test(self) -> bool:
        return self.machine.answering
