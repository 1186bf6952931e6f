"""Nodes that say what a test has them say, over machines in memory and a virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from ockle.common.errors import CommandError, DeviceUnreachable
from ockle.common.problems import Problem
from ockle.config.model import PlainConfig
from ockle.config.monitors import Monitor, monitor_of
from ockle.config.templates import check_settings, load_template
from ockle.engine.engine import Engine
from ockle.engine.monitoring.node_keeper import NodeKeeper
from ockle.engine.monitoring.node_watch import NodeState, Seen
from ockle.engine.monitoring.nodes import Node, nodes_of

FINE = {"cpu_percent": 5, "disk_percent": 40}


def monitor(name: str = "agents", **options: Any) -> Monitor:
    raw = {"servers": ["all"], "interval": "10s", "timeout": "1s", "missing_after": "1m", **options}
    return monitor_of(PlainConfig(name, check_settings(load_template("monitors.ini"), "monitor", raw), name))


class NodeSite:
    """A keeper whose nodes are all servers.

    ``says``    node -> its answer, or why there is none
    ``hidden``  why it cannot be found out which nodes there are, "" = it can
    """

    def __init__(self, engine: Engine, *monitors: Monitor, hidden: str = "") -> None:
        self.engine = engine
        self.monitors = list(monitors)
        self.says: dict[str, Mapping[str, Any] | str] = {}
        self.asked: list[str] = []
        self.hidden = hidden
        daemon: Any = SimpleNamespace(engine=engine, device_loop=SimpleNamespace(loop=asyncio.get_running_loop()))
        self.keeper = NodeKeeper(daemon, self._find, self._ask)
        self._task = asyncio.create_task(self.keeper.run(5))

    async def _find(self) -> dict[str, Node]:
        if self.hidden:
            raise CommandError(self.hidden)
        servers = [node.name for node in self.engine.network]
        members = {one.name: servers if one.servers else [] for one in self.monitors}
        return nodes_of(self.monitors, members, {}, {}, servers)

    async def _ask(self, node: Node) -> Mapping[str, Any]:
        self.asked.append(node.name)
        await asyncio.sleep(0.1)
        said = self.says.get(node.name, FINE)
        if isinstance(said, str):
            raise DeviceUnreachable(said)
        return said

    async def wait(self, seconds: float, says: Mapping[str, Mapping[str, Any] | str] | None = None) -> None:
        self.says |= says or {}
        await asyncio.sleep(seconds)

    def one(self, name: str) -> Seen:
        return next(seen for node, seen in self.keeper.looks() if node.name == name)

    def states(self) -> dict[str, NodeState]:
        return {node.name: seen.state for node, seen in self.keeper.looks()}

    def problems(self) -> dict[str, Problem]:
        return {problem.key: problem for problem in self.keeper.problems()}

    def told(self) -> list[str]:
        return [event.text for event in self.engine.core.events.since(0) if event.kind == "node"]

    async def stop(self) -> None:
        self.keeper.stop()
        await self._task
