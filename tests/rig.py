"""The engine on machines in memory, and a judge who sees all that happens to them, on a virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, TypeVar

from ockle.common.clock import LoopClock
from ockle.common.device import Device
from ockle.common.events import EventBus
from ockle.common.pace import Pace
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
from rig_judge import Judge
from rig_machine import Fuse, Machine, RigControl, RigOutlet, RigTest

T = TypeVar("T")


def carriers(daemon: str, needs: Mapping[str, Iterable[str]], shared: Mapping[str, Iterable[str]]) -> set[str]:
    """Return the machines without which the engine, which runs on the machine ``daemon``, would stop."""
    found = {daemon}
    while True:
        more = {needed for name in found for needed in needs[name]}
        more |= {one for names in shared.values() if found & set(names) for one in names}
        if more <= found:
            return found
        found |= more


class Rig(Judge):
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
        self.needs = {name: tuple(wanted) for name, wanted in needs.items()}
        self.shared = {relay: tuple(names) for relay, names in (shared or {}).items()}
        super().__init__(
            self.needs,
            circuits or {},
            carriers(daemon, self.needs, self.shared) if daemon else set(),
            settings or Settings(poll_interval=5.0, test_interval=5.0),
            {"probe_interval": 0.5, "halt_grace": 2.0, "boot_timeout": 60.0, **(policy or {})},
        )
        self._outlets = outlets or {}
        self._daemon = daemon
        self._priority = dict(priority or {})
        self.store_url = store
        self.min_off_s = 1.0
        self.events: EventBus

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
