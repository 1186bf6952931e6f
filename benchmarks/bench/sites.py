"""Networks for the engine: one on dummies that take no time, one on machines that boot in real time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

from typing_extensions import override

from ockle.common.device import Device
from ockle.config.templates import Template, driver_template
from ockle.networkTree.ServerNetwork import ServerNetwork
from ockle.networkTree.ServerNode import ServerNode
from ockle.outlets.dummy import Dummy as DummyOutlet
from ockle.outlets.OutletTemplate import OutletTemplate
from ockle.testers.dummy import Dummy as DummyTest
from ockle.testers.TemplateTester import TemplateTester

from .dag import Needs

OUTLETS_OF_A_PDU = 24


def on_dummies(needs: Needs) -> ServerNetwork:
    """Return a network where each server has a Dummy outlet and a Dummy test, both without delay."""
    tester = Device("dummy", parallel=0)

    def parts(name: str, pdu: Device) -> tuple[OutletTemplate, TemplateTester]:
        test = DummyTest(f"{name}.test")
        test.device = tester
        outlet = DummyOutlet(f"{name}.psu")
        outlet.device = pdu
        return outlet, test

    return _network(needs, parts)


class Machine:
    """Boots for ``boot_s`` real seconds from the moment its relay closes, then serves."""

    def __init__(self, boot_s: float) -> None:
        self.boot_s = boot_s
        self.closed = False
        self.up = False

    def relay(self, closed: bool) -> None:
        if closed and not self.closed:
            asyncio.get_running_loop().call_later(self.boot_s, self._booted)
        self.closed = closed

    def _booted(self) -> None:
        self.up = self.closed


class MachineOutlet(OutletTemplate):
    """The relay of a Machine."""

    machine: Machine

    @classmethod
    @override
    def template(cls) -> Template:
        return driver_template("outlets", "Dummy")

    @override
    async def _setOutletState(self, state: bool) -> None:
        self.machine.relay(state)

    @override
    async def _getOutletState(self) -> bool:
        return self.machine.closed


class MachineTest(TemplateTester):
    """Passes when a Machine serves; ``runs`` counts over all machines."""

    machine: Machine
    runs = 0

    @classmethod
    @override
    def template(cls) -> Template:
        return driver_template("testers", "Dummy")

    @override
    async def _test(self) -> bool:
        MachineTest.runs += 1
        return self.machine.up


def on_machines(needs: Needs, boot_s: dict[str, float]) -> ServerNetwork:
    """Return a network of machines with true boot times ``boot_s``."""
    tester = Device("machines", parallel=0)

    def parts(name: str, pdu: Device) -> tuple[OutletTemplate, TemplateTester]:
        machine = Machine(boot_s[name])
        outlet, test = MachineOutlet(f"{name}.psu"), MachineTest(f"{name}.test")
        outlet.machine = test.machine = machine
        outlet.device, test.device = pdu, tester
        return outlet, test

    return _network(needs, parts)


def boot_times(needs: Needs, least_s: float, most_s: float, seed: int) -> dict[str, float]:
    """Return a boot time for each server, evenly spread."""
    dice = random.Random(seed)
    return {name: dice.uniform(least_s, most_s) for name in needs}


def _network(needs: Needs, parts: Callable[[str, Device], tuple[OutletTemplate, TemplateTester]]) -> ServerNetwork:
    network = ServerNetwork()
    pdu: Any = None
    for number, name in enumerate(needs):
        if number % OUTLETS_OF_A_PDU == 0:
            pdu = Device(f"pdu{number // OUTLETS_OF_A_PDU}")
        outlet, test = parts(name, pdu)
        network.addServer(ServerNode(name, [outlet], [test]))
    network.addDependencies((name, needed) for name, wanted in needs.items() for needed in wanted)
    return network
