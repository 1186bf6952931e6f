"""The commands about netboot, which the plugin NetBoot registers."""

from __future__ import annotations

from ..common.services import DaemonServices
from .netboot_desk import Desk, NetbootPlugin
from .netboot_hosts import NetbootHosts
from .netboot_look import NetbootLook


def register(daemon: DaemonServices, plugin: NetbootPlugin) -> None:
    """Make the commands known that look at boards and change the hosts."""
    desk = Desk(daemon, plugin)
    NetbootLook(daemon, desk)
    NetbootHosts(daemon, desk)
