"""Monitoring: asks machines what they measure of themselves, and knows what is too much of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from typing_extensions import override

from ..commands.node_places import find_nodes, hosts_of, members_of
from ..commands.nodes import NodeCommands
from ..common.services import DaemonServices
from ..engine.monitoring.asking import ask
from ..engine.monitoring.node_keeper import NodeKeeper
from ..engine.monitoring.nodes import Node
from ..netboot.host_book import HostBook
from .ModuleTemplate import ModuleTemplate


class Monitoring(ModuleTemplate):
    """Asks on an event loop of its own, in the plugin's thread: machines that hang, or flood it, delay no switching."""

    def __init__(self, MainDaemon: DaemonServices) -> None:  # noqa: N803 - documented name
        super().__init__(MainDaemon)
        self._hosts: HostBook | None = None
        self._keeper = NodeKeeper(MainDaemon, self._find, ask)
        NodeCommands(MainDaemon, self._keeper)

    async def _find(self) -> Mapping[str, Node]:
        site = self.mainDaemon.site
        members = await self._keeper.on_devices(lambda: members_of(site, self.mainDaemon.network))
        self._hosts = self._hosts or hosts_of(site)
        return find_nodes(site, members, self._hosts)

    @override
    def run(self) -> None:
        engine, keeper = self.mainDaemon.engine, self._keeper
        engine.meters.append(keeper.measured)
        engine.gauges.append(keeper.gauges)
        engine.problem_sources.append(keeper.problems)
        try:
            asyncio.run(self._work(self.getConfigInt("in_flight")))
        finally:
            engine.meters.remove(keeper.measured)
            engine.gauges.remove(keeper.gauges)
            engine.problem_sources.remove(keeper.problems)

    async def _work(self, in_flight: int) -> None:
        # names are looked up in threads of the loop: as many, or a few that nobody knows would hold up all the others
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(in_flight, "names of nodes"))
        await self._keeper.run(in_flight)

    @override
    def reconfigured(self) -> None:
        self._hosts = None
        self._keeper.renew()

    @override
    def stop(self) -> None:
        super().stop()
        self._keeper.stop()
