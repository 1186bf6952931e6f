"""The commands about netboot, which the plugin NetBoot registers."""

from __future__ import annotations

from ..common.services import DaemonServices
from ..netboot.port_book import PortBook
from .netboot_cycle import NetbootCycle
from .netboot_desk import Desk, NetbootPlugin
from .netboot_hosts import NetbootHosts
from .netboot_look import NetbootLook
from .netboot_mapping import NetbootMapping
from .netboot_power import NetbootPower
from .port_power import PortPower
from .switch_ports import SwitchPorts


def register(daemon: DaemonServices, plugin: NetbootPlugin) -> NetbootMapping:
    """Make the commands known that look at boards, change the hosts and switch boards.

    Returns the one among them that has work of its own: it has to be told when the daemon runs, and when it stops.
    """
    ports, book = SwitchPorts(daemon), PortBook(plugin.folder.path / "ports.json")
    desk = Desk(daemon, plugin, book)
    NetbootLook(daemon, desk)
    NetbootHosts(daemon, desk)
    power = PortPower(daemon, ports, book)
    NetbootPower(daemon, desk, ports, power, book)
    NetbootCycle(daemon, desk, ports, power)
    return NetbootMapping(daemon, desk, ports, power, book)
