"""The PoE switches of the site: their ports, who is fed by them, and where they have seen which address."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ...common.device import Device
from ...common.errors import CommandError, DeviceError, DeviceUnreachable
from ...common.services import DaemonServices
from ...config.model import ObjectConfig, PartConfig
from ...config.outlet_address import outlet_address
from ...drivers.bridge_tables import Bridge
from ...drivers.discovery import load_class
from ...drivers.port_finder import AmbiguousError, Place, choose, places
from ...netboot.port_book import PoePort
from ...networkTree.ServerNode import ServerNode
from ...outlets.marks import OutletMarks
from ...outlets.poe import PoE

READ_S = 20.0
"""For all tables of one switch."""
OFF_S = 1.0
"""How long a port stays off when it is cycled: a board forgets its boot in less."""


SETTLE_S = 5.0
"""How long a switch may take to show a port as it was told to be."""


@dataclass(frozen=True, slots=True)
class Search:
    """What the switches say. ``silent``: switch -> why it could not be asked."""

    bridges: list[Bridge]
    places: list[Place]
    silent: dict[str, str]


class SwitchPorts:
    """Everything ``async`` here runs on the device loop."""

    def __init__(self, daemon: DaemonServices) -> None:
        self._daemon = daemon
        self._spare: dict[str, tuple[ObjectConfig, Device]] = {}  # switches that feed no server of the network

    # -- the switches

    def names(self) -> list[str]:
        """Return the PDUs that are PoE switches."""
        return [name for name, config in self._daemon.site.pdus.items() if _is_switch(config)]

    def check(self, pdu: str) -> None:
        """Raise CommandError unless ``pdu`` is a PoE switch."""
        config = self._daemon.site.pdus.get(pdu)
        if config is None:
            raise CommandError(f"there is no PDU {pdu}", "not_found")
        if not _is_switch(config):
            raise CommandError(f"{pdu} is of the type {config.type}: only a switch (PoE) knows who hangs on its ports")

    async def port(self, at: PoePort) -> PoE:
        """Return the outlet, to be switched by its admin state: an empty port never delivers."""
        self.check(at.pdu)
        config: ObjectConfig = self._daemon.site.pdus[at.pdu]
        settings = {"group": at.group, "port": at.port, "proof": "admin", "min_off_time": OFF_S}
        settings |= {"settle_timeout": SETTLE_S, "max_per_minute": 0}
        outlet: PoE = load_class("outlets", config.type)(f"port {at.group}.{at.port}", config.settings, settings)
        device = outlet.device = await self._device(config)
        address = outlet_address(config, PartConfig(outlet.name, "outlet", at.pdu, outlet.params, ""))
        outlet.marks = device.shared(address, lambda: OutletMarks(str(address)))
        return outlet

    async def _device(self, config: ObjectConfig) -> Device:
        for node in self._daemon.network:
            for outlet in node.outlets:
                if outlet.device.name == config.name:
                    found: Device = outlet.device
                    return found
        known, device = self._spare.get(config.name, (None, None))
        if device is not None and known == config:
            return device
        if device is not None:
            await device.close()
        made = Device(config.name, parallel=1, gap_s=config.settings.get("gap", 0.0), clock=self._daemon.clock)
        self._spare[config.name] = config, made
        return made

    async def close(self) -> None:
        for _config, device in self._spare.values():
            await device.close()
        self._spare.clear()

    def fed_by(self, outlet: PoE) -> list[ServerNode]:
        """Return the servers of the network that hang on ``outlet``."""
        return [node for node in self._daemon.network if any(one.marks is outlet.marks for one in node.outlets)]

    # -- what they have learned

    async def bridges(self, names: Iterable[str]) -> tuple[list[Bridge], dict[str, str]]:
        """Read the tables of switches at the same time; returns those that answered, and why others did not."""
        wanted = list(names)
        answers = await asyncio.gather(*(self._bridge(name) for name in wanted))
        found = [answer for answer in answers if isinstance(answer, Bridge)]
        silent = {name: str(answer) for name, answer in zip(wanted, answers, strict=True) if answer not in found}
        return found, silent

    async def _bridge(self, name: str) -> Bridge | DeviceError:
        try:
            async with asyncio.timeout(READ_S):
                return await (await self.port(PoePort(name, 1, 1))).bridge()
        except TimeoutError:
            return DeviceUnreachable(f"{name}: its tables are not read within {READ_S:g} s")
        except DeviceError as error:
            return error

    async def search(self, mac: str, names: Iterable[str]) -> Search:
        """Ask the switches ``names`` where they have seen ``mac``."""
        found, silent = await self.bridges(names)
        return Search(found, await self.judge(mac, found), silent)

    async def judge(self, mac: str, bridges: list[Bridge]) -> list[Place]:
        """Return where ``mac`` was seen by switches whose tables were read."""
        switches = {bridge.switch: await self.port(PoePort(bridge.switch, 1, 1)) for bridge in bridges}
        numberings = {name: switch.numbering for name, switch in switches.items()}
        return places(mac, bridges, numberings, {name: switch.uplinks for name, switch in switches.items()})

    def choose(self, mac: str, search: Search) -> Place:
        """Return where the machine hangs. Raises DeviceError; an address at two places is an alarm (F4)."""
        if not search.bridges and search.silent:
            raise DeviceUnreachable("; ".join(search.silent.values()))
        try:
            return choose(mac, search.places, [bridge.switch for bridge in search.bridges])
        except AmbiguousError as error:
            self.alarm(mac, str(error))
            raise

    def alarm(self, mac: str, text: str) -> None:
        """Tell everybody that an address is not where one machine is."""
        self._daemon.events.publish("netboot", f"alarm: {text}", mac=mac, stage="alarm")

    def shown(self, place: Place) -> dict[str, Any]:
        """Return a place as plain values."""
        return {
            "switch": place.switch,
            "port": place.port.name,
            "alias": place.port.alias,
            "bridge_port": place.port.bridge,
            "if_index": place.port.index,
            "vlans": list(place.vlans),
            "macs": place.macs,
            "uplink": place.uplink,
            "poe": place.poe_name,
        }


def poe_port(place: Place) -> PoePort | None:
    """Return the PoE port of a place, if it has one that is known."""
    return PoePort(place.switch, *place.poe) if place.poe else None


def _is_switch(config: ObjectConfig) -> bool:
    return issubclass(load_class("outlets", config.type), PoE)
