"""ServerNetworkFactory: builds the network from the INI files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from ..channels.make import channel_of
from ..common.clock import Clock, SystemClock
from ..common.device import Device
from ..common.errors import ConfigError, DependencyException, OckleError
from ..common.pace import Pace
from ..config.model import PlainConfig
from ..config.outlet_address import outlet_address
from ..config.site import Fault, ObjectConfig, PartConfig, ServerConfig, Site, load_site
from ..config.templates import type_names
from ..config.topology import circuit_of
from ..drivers.discovery import load_class, register_external_templates
from ..drivers.driver import Driver
from ..outlets.circuit import Circuit, boot_server
from ..outlets.marks import OutletMarks
from ..outlets.OutletTemplate import OutletTemplate
from .facts import Policy
from .ServerNetwork import ServerNetwork
from .ServerNode import ServerNode
from .topology import KINDS, keep_daemon_fed, reached_through


class SiteOwner(Protocol):
    """What the factory needs of the Main Daemon."""

    @property
    def etc(self) -> Path: ...
    def debug(self, message: str) -> None: ...


class ServerNetworkFactory:
    """Turns the configuration folder into a server network.

    ``MainDaemon``                 names the folder (``etc``) and takes debug output
    ``reportDependencyexceptions`` True: a cycle raises DependencyException; False: the dependency that would close
                                   it is left out with a debug line, so that a broken site can still be looked at
    """

    def __init__(
        self,
        MainDaemon: SiteOwner,
        reportDependencyexceptions: bool = True,
        *,
        clock: Clock | None = None,
    ) -> None:
        self._owner = MainDaemon
        self._strict = reportDependencyexceptions
        self._clock = clock or SystemClock()
        self._devices: dict[tuple[str, str], tuple[ObjectConfig, Device]] = {}
        self._circuits: dict[str, Circuit] = {}
        self._boot_server: Circuit | None = None

    def getOutletsDictIndex(self) -> list[str]:
        """Return the names of the available types of PDUs."""
        return type_names("outlets")

    def getControllersDictIndex(self) -> list[str]:
        """Return the names of the available types of controllers."""
        return type_names("controllers")

    def getTestersDictIndex(self) -> list[str]:
        """Return the names of the available types of testers."""
        return type_names("testers")

    def buildNetwork(self, site: Site | None = None) -> ServerNetwork:
        """Return the network that the INI files describe; nothing is asked of any device.

        ``site``  the files as read already; default: read now
        A device whose file is as it was in the last network built here is the same object, with its open sessions.
        Raises ConfigError with every fault of the files, DependencyException for a cycle.
        """
        if site is None:
            register_external_templates()
            site = load_site(self._owner.etc)
        if site.faults:
            raise ConfigError(*(str(fault) for fault in site.faults))
        network = ServerNetwork()
        known, self._devices = self._devices, {}
        self._circuits = {name: self._circuit(circuit) for name, circuit in site.circuits.items()}
        self._boot_server = _boot_server(site)
        try:
            for server in site.servers.values():
                network.addServer(self._node(server, site, known))
            self._connect(network, site)
            if site.main.get("daemon_node"):
                keep_daemon_fed(network, site.main["daemon_node"])
        except OckleError:
            self._devices = known
            raise
        return network

    def _connect(self, network: ServerNetwork, site: Site) -> None:
        pairs = [(server.name, needed) for server in site.servers.values() for needed in server.dependencies]
        implied = list(reached_through(site))
        try:
            network.addDependencies(pairs, implied)
        except DependencyException as error:
            if self._strict:
                raise
            self._owner.debug(str(error))
            for server, needed in dict.fromkeys([*pairs, *((one.server, one.needed) for one in implied)]):
                if network.cycle_with(server, needed):
                    self._owner.debug(f"{server}: the dependency on {needed} is left out, it closes a cycle")
                else:
                    network.addDependency(server, needed)

    def _node(self, server: ServerConfig, site: Site, known: _Devices) -> ServerNode:
        def make(parts: Iterable[PartConfig], generators: Mapping[str, ObjectConfig]) -> list[Any]:
            return [self._part(part, generators[part.generator], known) for part in parts]

        def outlet(part: PartConfig) -> OutletTemplate:
            made: OutletTemplate = self._part(part, site.pdus[part.generator], known)
            address = outlet_address(site.pdus[part.generator], part)
            if address is not None:
                made.marks = made.device.shared(address, lambda: OutletMarks(str(address)))
            made.circuit = self._circuits.get(circuit_of(site, part))
            return made

        node = ServerNode(
            server.name,
            [outlet(part) for part in server.outlets],
            make(server.tests, site.testers),
            make(server.controls, site.controllers),
        )
        if self._boot_server is not None and any(test.NEEDS_BOOT_SERVER for test in node.tests):
            node.circuits.append(self._boot_server)
        node.facts.policy = _policy(server.settings)
        return node

    def _circuit(self, circuit: PlainConfig) -> Circuit:
        settings = circuit.settings
        pace = Pace(settings["gap"], self._clock) if settings["gap"] else None
        return Circuit(circuit.name, settings["max_starts"], settings["max_watts"], pace)

    def _part(self, part: PartConfig, generator: ObjectConfig, known: _Devices) -> Any:
        driver: Driver = load_class(KINDS[part.kind], generator.type)(part.name, generator.settings, part.params)
        driver.device = self._device(part.kind, generator, driver, known)
        return driver

    def _device(self, kind: str, generator: ObjectConfig, driver: Driver, known: _Devices) -> Device:
        key = (kind, generator.name)
        if key not in self._devices:
            config, device = known.get(key, (None, None))
            if device is None or config != generator:
                device = Device(
                    generator.name,
                    parallel=driver.settings.get("parallel", 0),
                    gap_s=driver.settings.get("gap", 0.0),
                    clock=self._clock,
                )
            self._devices[key] = (generator, device)
        return self._devices[key][1]


_Devices = dict[tuple[str, str], tuple[ObjectConfig, Device]]


def _boot_server(site: Site) -> Circuit | None:
    """Return what limits how many boards boot from the network at a time; None = nothing does."""
    if "NetBoot" not in site.plugins:
        return None
    places = site.plugin_settings["NetBoot"]["boot_places"]
    return boot_server(places) if places else None


def _policy(settings: Mapping[str, Any]) -> Policy:
    wanted = {name: settings[name] for name in Policy.__slots__ if name in settings}
    wanted["tags"] = tuple(wanted.get("tags", ()))
    return Policy(**wanted)


class _Folder:
    def __init__(self, etc: Path) -> None:
        self.etc = etc

    def debug(self, message: str) -> None:
        """Nobody listens: a check reports by its result."""


def check(etc: Path) -> tuple[list[Fault], list[str]]:
    """Return every fault of the site in ``etc`` and the warnings, cycles included; nothing is started or asked."""
    external = register_external_templates()
    site = load_site(etc)
    faults = [*site.faults]
    if not faults:
        try:
            ServerNetworkFactory(_Folder(etc)).buildNetwork(site)
        except DependencyException as error:
            faults.append(cycle_fault(error))
        except ConfigError as error:
            faults.extend(Fault("", "", "", "", text, "") for text in error.faults)
        faults.extend(_faults_of_channels(site))
    else:
        faults.extend(_cycles_between(site))
    return faults, [*site.warnings, *external]


def _faults_of_channels(site: Site) -> Iterator[Fault]:
    for config in site.channels.values():
        try:
            channel_of(config)
        except ConfigError as error:
            yield from (Fault(config.file, problem=text) for text in error.faults)


def sketch(site: Site) -> ServerNetwork:
    """Return the network of a site for looking at only; of one with faults, what can be told of its dependencies."""
    if not site.faults:
        try:
            return ServerNetworkFactory(_Folder(site.etc), reportDependencyexceptions=False).buildNetwork(site)
        except OckleError:
            pass  # what is wrong is the check's to tell
    network, pairs = _outline(site)
    for server, needed in pairs:
        if not network.cycle_with(server, needed):
            network.addDependency(server, needed)
    return network


def _outline(site: Site) -> tuple[ServerNetwork, list[tuple[str, str]]]:
    """Return a network of the servers that could be read, without their parts, and who needs whom."""
    network = ServerNetwork()
    for name in site.servers:
        network.addServer(ServerNode(name))
    return network, [
        (server.name, needed)
        for server in site.servers.values()
        for needed in server.dependencies
        if needed in site.servers and needed != server.name
    ]


def _cycles_between(site: Site) -> list[Fault]:
    """Return the fault of a cycle among the servers that could be read, other faults notwithstanding."""
    network, pairs = _outline(site)
    try:
        network.addDependencies(pairs)
    except DependencyException as error:
        return [cycle_fault(error)]
    return []


def cycle_fault(error: DependencyException) -> Fault:
    """Return ``error`` as a fault of the file of the first server of the cycle."""
    text = str(error).removeprefix("the dependencies have ")
    if error.place is not None:
        file, section = error.place
        return Fault(file, section, "via", error.cycle[1], text, "take it out, or one of the dependencies")
    return Fault(
        f"servers/{error.cycle[0]}.ini",
        "server",
        "dependencies",
        error.cycle[1],
        text,
        "take one of these dependencies out" + (", or change an outlet" if "same outlet" in text else ""),
    )
