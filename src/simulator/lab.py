"""The lab: builds what a spec says, runs it on one loop, and lets tests look at it and break it."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import random
import resource
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any, Protocol, Self, TypeVar

import asyncssh

from . import knobs as knob_rules
from .board import Board, BootServerAt
from .knobs import DeviceKnobs, KnobError, Knobs, MachineKnobs
from .ledger import Ledger
from .machine import Machine, MachineState
from .machine_services import MachineServices
from .poe_switch import PoeSwitch
from .power import PowerDevice
from .raritan import RaritanPx
from .snmp_agent import SnmpAgent
from .snmp_endpoint import SnmpEndpoint
from .snmp_power import SnmpPowerDevice
from .spec import LabSpec, MachineSpec, PduSpec, PlugSpec, SwitchSpec
from .ssh_login import SshLogin

log = logging.getLogger(__name__)

T = TypeVar("T")

DEVICE_NET = IPv4Address("127.0.10.0")
MACHINE_NET = IPv4Address("127.0.20.0")
RELAY_NET = IPv4Address("127.0.40.0")
PATIENCE_S = 60.0
"""For starting and stopping a whole lab, and for a call from another thread."""


class Face(Protocol):
    """What a device is spoken to through; a deaf one is without power."""

    deaf: bool


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where something listens: ``ports`` has "snmp" for a device, "esphome" for a plug, the services for a machine."""

    host: str
    ports: dict[str, int]
    host_key: str = ""


@dataclass(frozen=True, slots=True)
class OutletView:
    """``asked``: the admin state; ``closed``: the contacts, which a lying device does not show."""

    asked: bool
    closed: bool
    reads_on: bool
    power_w: float


@dataclass(frozen=True, slots=True)
class BoardView:
    """``image_crc``: of the root file system that it was installed with, 0 = not since the lab began."""

    mac: str
    installed: bool
    image_crc: int


class Lab:
    """A running lab: ``with Lab(spec) as lab`` (its own thread) or ``async with Lab(spec) as lab`` (the caller's loop).

    All methods may be called from any thread while it runs. ``client_key`` is the private key, in OpenSSH's format,
    that may log in to every machine.
    Raises  RuntimeError at the end of a ``with`` when something went wrong in the lab itself
    """

    def __init__(self, spec: LabSpec) -> None:
        self.spec = spec
        self.ledger = Ledger()
        self.endpoints: dict[str, Endpoint] = {}
        self.faults: list[str] = []
        key = asyncssh.generate_private_key("ssh-ed25519", comment="ockle lab")
        self.client_key: str = key.export_private_key().decode()
        self._client_key = key.convert_to_public()
        self._devices: dict[str, PowerDevice] = {}
        self._faces: dict[str, Face] = {}
        self._machines: dict[str, Machine] = {}
        self._stack = AsyncExitStack()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._end: asyncio.Event | None = None

    # -- running ----------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()
        self._loop = None

    def __enter__(self) -> Self:
        started = threading.Event()

        async def live() -> None:
            asyncio.get_running_loop().set_exception_handler(self._note)
            self._end = asyncio.Event()
            async with self:
                started.set()
                await self._end.wait()

        def body() -> None:
            try:
                asyncio.run(live())
            except Exception as error:  # the thread's outermost loop: told to whoever waits
                log.exception("the lab ended")
                self.faults.append(repr(error))
            finally:
                started.set()

        self._thread = threading.Thread(target=body, name="ockle-lab", daemon=True)
        self._thread.start()
        if not started.wait(PATIENCE_S) or self.faults:
            raise RuntimeError("the lab did not start: " + "; ".join(self.faults))
        return self

    def __exit__(self, kind: object, *_error: object) -> None:
        if self._loop and self._end:
            self._loop.call_soon_threadsafe(self._end.set)
        if self._thread:
            self._thread.join(PATIENCE_S)
            if self._thread.is_alive():
                raise RuntimeError("the lab does not end")
        if self.faults and kind is None:
            raise RuntimeError("the lab had faults of its own: " + "; ".join(self.faults))

    def _note(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.faults.append(f"{context.get('message')}: {context.get('exception')!r}")
        loop.default_exception_handler(context)

    async def _open(self) -> None:
        _allow_sockets(sum(2 * len(machine.services) for machine in self.spec.machines) + len(self.spec.devices))
        chance = random.Random(self.spec.seed)
        for place, device_spec in enumerate(self.spec.devices, 1):
            await self._open_device(device_spec, device_spec.host or str(DEVICE_NET + place), chance)
        for place, machine_spec in enumerate(self.spec.machines, 1):
            machine = self._machine(machine_spec, place)
            self._machines[machine.name] = machine
            self._open_machine(machine, machine_spec.host or str(MACHINE_NET + place))
        for device in self._devices.values():
            device.start()

    def _machine(self, spec: MachineSpec, place: int) -> Machine:
        if spec.board is None:
            return Machine(spec, self.ledger, self.spec.speed)
        return Board(spec, spec.board, self.ledger, self.spec.speed, str(RELAY_NET + place))

    async def _open_device(self, spec: PduSpec | SwitchSpec | PlugSpec, host: str, chance: random.Random) -> None:
        if isinstance(spec, PlugSpec):
            self._open_plug(spec, host)
            return
        device: SnmpPowerDevice
        if isinstance(spec, SwitchSpec):
            device = PoeSwitch(spec, self.ledger, self.spec.speed)
        else:
            device = RaritanPx(spec, self.ledger, self.spec.speed)
        agent = SnmpAgent(device.mib(), spec.read_community.encode(), spec.write_community.encode())
        endpoint = SnmpEndpoint(agent, device.knobs, self.spec.speed, chance)
        await endpoint.open(host)
        self._stack.push_async_callback(endpoint.close)
        self._add_device(device, agent, Endpoint(host, {"snmp": endpoint.port}))

    def _open_plug(self, spec: PlugSpec, host: str) -> None:
        from .esphome_api import EsphomeServer  # with the library of the protocol: a lab without plugs does without it
        from .esphome_plug import EspPlug

        plug = EspPlug(spec, self.ledger, self.spec.speed)
        server = EsphomeServer(plug, host)
        self._stack.push_async_callback(server.close)
        self._add_device(plug, server, Endpoint(host, {"esphome": server.port}))

    def _add_device(self, device: PowerDevice, face: Face, endpoint: Endpoint) -> None:
        self._stack.callback(device.stop)
        self._devices[device.name] = device
        self._faces[device.name] = face
        self.endpoints[device.name] = endpoint

    def _open_machine(self, machine: Machine, host: str) -> None:
        key = asyncssh.generate_private_key("ssh-ed25519")
        login = SshLogin(machine, key, self._client_key, self.spec.user, self.spec.password)
        services = MachineServices(machine, host, login.serve)
        self._stack.push_async_callback(services.end)
        self._stack.callback(machine.stop)
        machine.services = services
        public = key.export_public_key().decode().split()
        self.endpoints[machine.name] = Endpoint(host, services.ports, " ".join(public[:2]))
        for supply, (device, outlet) in enumerate(machine.spec.supplies, 1):
            many = len(machine.spec.supplies) > 1
            self._devices[device].plug(outlet, machine, f"{machine.name} psu{supply}" if many else machine.name)

    def _call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run ``function`` on the lab's loop and wait for it."""
        loop = self._loop
        if loop is None:
            raise RuntimeError("the lab does not run")
        try:
            own = asyncio.get_running_loop() is loop
        except RuntimeError:
            own = False
        if own:
            return function(*arguments)

        async def there() -> T:
            return function(*arguments)

        return asyncio.run_coroutine_threadsafe(there(), loop).result(PATIENCE_S)

    # -- looking ----------------------------------------------------------------------------------------------------

    def state(self, machine: str) -> MachineState:
        return self._call(lambda: self._machines[machine].state)

    def states(self) -> dict[str, MachineState]:
        return self._call(lambda: {name: machine.state for name, machine in self._machines.items()})

    def board(self, machine: str) -> BoardView:
        def look() -> BoardView:
            board = self._board(machine)
            return BoardView(board.board.mac, board.installed, board.image_crc)

        return self._call(look)

    def _board(self, machine: str) -> Board:
        board = self._machines[machine]
        if not isinstance(board, Board):
            raise KnobError(f"{machine} does not boot from the network")
        return board

    def boot_id(self, machine: str) -> str:
        return self._call(lambda: self._machines[machine].boot_id)

    def outlet(self, device: str, number: int) -> OutletView:
        def look() -> OutletView:
            owner = self._devices[device]
            outlet = owner.outlets[number]
            return OutletView(outlet.asked, outlet.closed, owner.reads_on(number), owner.power_w(number))

        return self._call(look)

    def plug_state(self, plug: str, entity: str) -> Any:
        """What a plug shows for one of its switches and sensors, by its name; None = it does not know."""
        return self._call(self._devices[plug].shows, entity)

    def known_hosts(self) -> str:
        """Lines for OpenSSH's known_hosts: every machine with an SSH service."""
        return "".join(
            f"[{point.host}]:{point.ports['ssh']} {point.host_key}\n"
            for point in self.endpoints.values()
            if "ssh" in point.ports
        )

    # -- breaking ---------------------------------------------------------------------------------------------------

    def turn(self, name: str, **changes: Any) -> None:
        """Turn knobs (``DeviceKnobs``, ``MachineKnobs``) of a device or machine; all or none.

        Raises  KnobError for an unknown name, knob or value
        """

        def apply() -> None:
            owner = self._devices.get(name) or self._machines.get(name)
            if owner is None:
                raise KnobError(f"there is no {name!r} in the lab")
            checked = {knob: knob_rules.check(type(owner.knobs), knob, value) for knob, value in changes.items()}
            for knob, value in checked.items():
                setattr(owner.knobs, knob, value)
                self.ledger.add("knob", name, knob, value=sorted(value) if isinstance(value, frozenset) else value)
            owner.knobs_turned()

        self._call(apply)

    def knobs(self, name: str) -> Knobs:
        """A copy of the knobs as they are now."""

        def look() -> DeviceKnobs | MachineKnobs:
            owner = self._devices.get(name) or self._machines[name]
            return dataclasses.replace(owner.knobs)

        return self._call(look)

    def press(self, device: str, outlet: int, on: bool) -> None:
        """Somebody switches an outlet at the device itself."""
        self._call(self._devices[device].ask, outlet, on)

    def boot_from(self, server: BootServerAt) -> None:
        """From now on all boards that get power boot from ``server``."""

        def apply() -> None:
            for machine in self._machines.values():
                if isinstance(machine, Board):
                    machine.boot_server = server

        self._call(apply)

    def learn(self, switch: str, port: int, *macs: str) -> None:
        """A PoE switch learns addresses at a port, which need not feed anything: it is as if somebody hung there."""

        def apply() -> None:
            device = self._devices[switch]
            if not isinstance(device, PoeSwitch):
                raise KnobError(f"{switch} is no switch")
            device.strangers.update((port, mac) for mac in macs)

        self._call(apply)

    def click(self, plug: str, times: int = 1) -> None:
        """Somebody presses a plug's button, so many times in a row."""
        self._call(self._devices[plug].press, times)

    def mains(self, live: bool) -> None:
        """The mains of the whole lab fails or returns; PDUs and switches are deaf meanwhile."""

        def apply() -> None:
            for name, device in self._devices.items():
                self._faces[name].deaf = not live
                device.mains(live)

        self._call(apply)

    def reboot(self, device: str, *, down_s: float = 1.0, restore: str = "last", serial: str = "") -> None:
        """A device starts anew and is deaf for ``down_s``; then its outlets are "on", "off" or as before ("last").

        ``serial``  another device has been put in its place
        """

        def down() -> None:
            self._faces[device].deaf = True
            asyncio.get_running_loop().call_later(down_s * self.spec.speed, up)

        def up() -> None:
            owner = self._devices[device]
            owner.serial = serial or owner.serial
            owner.reboot(restore)
            self._faces[device].deaf = False

        if restore not in ("on", "off", "last"):
            raise KnobError(f"restore = {restore!r}: allowed is 'on', 'off' or 'last'")
        self._call(down)

    def shut_down(self, machine: str) -> None:
        """Somebody shuts a machine down at its console."""
        self._call(self._machines[machine].shut_down)


def _allow_sockets(count: int) -> None:
    """Raise this process's soft limit of open files, if so many sockets and as many connections need it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * count + 256
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )
