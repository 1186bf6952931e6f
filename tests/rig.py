"""Machines in memory for the engine's tests: relays, disks and boots on a virtual clock, and a judge who saw it all.

The machines know nothing of the engine; the judge looks at the commands from the devices' side.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ockle.common.clock import LoopClock
from ockle.common.device import Device
from ockle.common.errors import DeviceRefused, DeviceUnreachable
from ockle.common.events import EventBus
from ockle.common.pace import Pace
from ockle.config.templates import Template, driver_template
from ockle.controllers.ControllerTemplate import ControllerTemplate
from ockle.engine.engine import Engine
from ockle.engine.settings import Settings
from ockle.networkTree.facts import Policy
from ockle.networkTree.ServerNetwork import ServerNetwork
from ockle.networkTree.ServerNode import ServerNode
from ockle.networkTree.topology import keep_daemon_fed
from ockle.outlets.circuit import Circuit
from ockle.outlets.marks import OutletMarks
from ockle.outlets.OutletTemplate import OutletTemplate
from ockle.simulator.virtual_time import run
from ockle.store.store import Store
from ockle.testers.TemplateTester import TemplateTester

T = TypeVar("T")


@dataclass
class Machine:
    """A machine: halted, booting, up, stopping. Its disk is mounted from the boot's begin until it is halted.

    ``lingers``  its services answer until it has halted, though it is stopping
    """

    name: str
    rig: Rig
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


@dataclass(frozen=True)
class Sight:
    """What was seen at a machine; ``bad`` says which invariant it breaks, if any."""

    t: float
    machine: str
    what: str
    bad: str = ""


class Rig:
    """A network of machines with the engine on it. Use ``rig.play(scenario)``, which runs on a virtual clock.

    ``outlets``  machine -> how many outlets of its own it has; default: 1
    ``shared``   name of a relay -> the machines that it feeds besides those outlets
    ``daemon``   the machine that the engine is said to run on
    ``circuits`` fuses by name; the machines that have watts there are on them
    """

    def __init__(
        self,
        needs: Mapping[str, Iterable[str]],
        *,
        outlets: Mapping[str, int] | None = None,
        shared: Mapping[str, Iterable[str]] | None = None,
        daemon: str = "",
        circuits: Mapping[str, Fuse] | None = None,
        priority: Mapping[str, int] | None = None,
        settings: Settings | None = None,
        store: str = "sqlite://",
        policy: Mapping[str, Any] | None = None,
    ) -> None:
        self.sights: list[Sight] = []
        self.needs = {name: tuple(wanted) for name, wanted in needs.items()}
        self.machines = {name: Machine(name, self, needs=self.needs[name]) for name in self.needs}
        self._outlets = outlets or {}
        self.shared = {relay: tuple(names) for relay, names in (shared or {}).items()}
        self._daemon = daemon
        self.circuits = dict(circuits or {})
        self._priority = dict(priority or {})
        self.closed_at: dict[tuple[str, str], float] = {}  # machine and relay -> when it was closed by a command
        self.carriers = self._carriers(daemon) if daemon else set()
        self.in_flight: dict[str, int] = {}  # relay -> commands on their way
        self.settings = settings or Settings(poll_interval=5.0, test_interval=5.0)
        self.store_url = store
        self.policy = {"probe_interval": 0.5, "halt_grace": 2.0, "boot_timeout": 60.0, **(policy or {})}
        self.min_off_s = 1.0
        self.operator_orders: set[str] = set()  # machines whose neighbours' guards an operator has overruled
        self.engine: Engine
        self.events: EventBus

    def _carriers(self, daemon: str) -> set[str]:
        """Return the machines without which the engine itself would stop."""
        found = {daemon}
        while True:
            more = {needed for name in found for needed in self.needs[name]}
            more |= {one for names in self.shared.values() if found & set(names) for one in names}
            if more <= found:
                return found
            found |= more

    def __getitem__(self, name: str) -> Machine:
        return self.machines[name]

    def network(self) -> ServerNetwork:
        network = ServerNetwork()
        fuses = {name: self._circuit(name, fuse) for name, fuse in self.circuits.items()}
        strips = {relay: (Device(relay, clock=LoopClock()), OutletMarks(relay)) for relay in self.shared}
        for name, machine in self.machines.items():
            device = Device(name, clock=LoopClock())
            node = ServerNode(
                name,
                [
                    *(
                        self._outlet(f"{name}.psu{number}", machine, device)
                        for number in range(1, self._outlets.get(name, 1) + 1)
                    ),
                    *(
                        self._outlet(f"{name}.{relay}", machine, *strips[relay], relay=relay)
                        for relay, names in self.shared.items()
                        if name in names
                    ),
                ],
                [self._part(RigTest, f"{name}.test", machine, None)],
                [self._part(RigControl, f"{name}.ssh", machine, None)],
            )
            for outlet in node.outlets:
                machine.relays.setdefault(outlet.relay, False)  # type: ignore[attr-defined]
                outlet.params["min_off_time"] = self.min_off_s
                self._put_on_circuit(outlet, name, fuses)
            node.facts.policy = Policy(**{"priority": self._priority.get(name, 0), **self.policy})
            network.addServer(node)
        network.addDependencies((name, needed) for name, wanted in self.needs.items() for needed in wanted)
        if self._daemon:
            keep_daemon_fed(network, self._daemon)
        return network

    @staticmethod
    def _circuit(name: str, fuse: Fuse) -> Circuit:
        pace = Pace(fuse.gap_s, LoopClock()) if fuse.gap_s else None
        return Circuit(name, fuse.max_starts, fuse.max_watts, pace)

    def _put_on_circuit(self, outlet: OutletTemplate, machine: str, fuses: Mapping[str, Circuit]) -> None:
        for name, fuse in self.circuits.items():
            if machine in fuse.watts:
                outlet.circuit = fuses[name]
                outlet.params["watts"] = fuse.watts[machine]
                outlet.params["inrush_watts"] = fuse.inrush.get(machine, 0.0)
                outlet.params["inrush_time"] = fuse.inrush_s

    def carried(self, fuse: Fuse) -> float:
        """Return the watts that the machines on a circuit draw now; what somebody pressed draws no inrush here."""
        now, total = asyncio.get_running_loop().time(), 0.0
        for name, watts in fuse.watts.items():
            for relay, closed in self.machines[name].relays.items():
                if closed:
                    fresh = now - self.closed_at.get((name, relay), float("-inf")) < fuse.inrush_s
                    total += max(watts, fuse.inrush.get(name, 0.0)) if fresh else watts
        return total

    def _judge_circuits(self, machine: Machine) -> None:
        """I11, after a command has closed a relay: running and inrush within the budget of its circuit."""
        for name, fuse in self.circuits.items():
            carried = self.carried(fuse) if machine.name in fuse.watts and fuse.max_watts else 0.0
            known = not any(self._pressed_lately(self.machines[one]) for one in fuse.watts)
            if carried > fuse.max_watts + 1e-6 and known:
                now, text = asyncio.get_running_loop().time(), f"I11: {carried:g} of {fuse.max_watts:g} W on {name}"
                self.sights.append(Sight(now, machine.name, "overload", text))

    def _outlet(
        self, name: str, machine: Machine, device: Device, marks: OutletMarks | None = None, relay: str = ""
    ) -> RigOutlet:
        outlet = self._part(RigOutlet, name, machine, device)
        outlet.relay = relay or name
        outlet.machines = tuple(self.machines[one] for one in self.shared.get(relay, (machine.name,)))
        if marks is not None:
            outlet.marks = marks
        return outlet

    @staticmethod
    def _part(kind: type[T], name: str, machine: Machine, device: Device | None) -> T:
        part: Any = kind(name)  # type: ignore[call-arg]
        part.machine = machine
        part.device = device or Device(name, parallel=0, clock=LoopClock())
        return part  # type: ignore[no-any-return]

    def saw(self, machine: Machine, what: str) -> None:
        self.sights.append(Sight(asyncio.get_running_loop().time(), machine.name, what, self._judge(machine, what)))

    def by_hand(self, name: str) -> None:
        """Somebody presses the buttons of the PDU; what that does is nobody's fault here."""
        machine = self.machines[name]
        on = not machine.powered
        for relay in list(machine.relays):
            for one in (self.machines[other] for other in self.shared.get(relay, (name,))):
                expendable, one.expendable = one.expendable, True
                if one.serving:
                    one.lost_at = asyncio.get_running_loop().time()
                one.relay(relay, on)
                one.expendable = expendable
                one.pressed_at = asyncio.get_running_loop().time()

    def _judge(self, machine: Machine, what: str) -> str:
        may_be_cycled = machine.os in ("wedged", "booting") and self.policy.get("retry_cycle") == "always"
        if what.startswith("second command"):
            return f"I3: {what}"
        ends = what == "shutdown asked" or (what.startswith("SET") and what.endswith("off"))
        if ends and machine.name in self.carriers - self.operator_orders:
            return f"I13: {what}, and the engine runs on it"
        if "cut" in what and (machine.expendable or may_be_cycled or self._is_late(machine)):
            return ""
        if machine.name in self.operator_orders:
            return "I2: cut while mounted" if what == "cut while mounted" and not machine.hang_shutdown else ""
        if what.startswith("SET") and what.endswith("on") and not machine.powered:
            missing = [name for name in machine.needs if not self._served_lately(self.machines[name])]
            return f"I1: switched on before {', '.join(missing)}" if missing else ""
        if what == "cut while mounted":
            return "I2: cut while mounted"
        if what in ("shutdown asked", "cut"):
            users = [
                one.name
                for one in self.machines.values()
                if machine.name in one.needs
                and one.powered
                and not self._pressed_lately(one)
                and not self._is_late(one)
            ]
            return f"I2c: {what} while {', '.join(users)} is not down" if users else ""
        return ""

    def _served_lately(self, machine: Machine) -> bool:
        """Whether fresh evidence may say that it serves: tests run every so often, and a failure has to repeat."""
        fresh = self.settings.test_interval * (self.policy.get("fail_after", 3) + 1)
        return machine.serving or asyncio.get_running_loop().time() - machine.lost_at <= fresh

    def _is_late(self, machine: Machine) -> bool:
        """Whether an emergency has been declared and its share of the time is over."""
        by = self.engine.network.getServernode(machine.name).facts.emergency_by
        return by is not None and asyncio.get_running_loop().time() >= by

    def _pressed_lately(self, machine: Machine) -> bool:
        """Whether nobody can know yet what somebody did: outlets are read every so often, and a slow one is slow."""
        slowest = max(one.slow_s for one in self.machines.values())
        return asyncio.get_running_loop().time() - machine.pressed_at <= self.settings.poll_interval + 2 * slowest

    def broken(self) -> list[Sight]:
        return [sight for sight in self.sights if sight.bad]

    def order(self, what: str) -> list[str]:
        return [sight.machine for sight in self.sights if sight.what == what]

    async def start(self) -> Engine:
        store = Store(self.store_url)
        store.open()
        clock = LoopClock()
        self.events = EventBus(clock=clock)
        self.engine = Engine(self.network(), store, events=self.events, clock=clock, settings=self.settings)
        await self.engine.start()
        await self.engine.observer.observed.wait()
        return self.engine

    def play(self, scenario: Callable[[Engine], Coroutine[Any, Any, T]]) -> T:
        """Run ``scenario`` with a started engine on a virtual clock; stops the engine afterwards."""

        async def whole() -> T:
            engine = await self.start()
            try:
                return await scenario(engine)
            finally:
                await engine.stop()

        return run(whole())

    def states(self) -> dict[str, str]:
        return {node.name: node.facts.op_state.value for node in self.engine.network}
