"""The commands about netboot, which the plugin NetBoot registers."""

from __future__ import annotations

from ...common.services import DaemonServices
from ...netboot.port_book import PortBook
from .cycle import NetbootCycle
from .desk import Desk, NetbootPlugin
from .hosts import NetbootHosts
from .look import NetbootLook
from .mapping import NetbootMapping
from .port_power import PortPower
from .power import NetbootPower
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
