"""Asks all nodes in turn, on an event loop that is not the engine's: what hangs or floods here delays no switching."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from ...common.clock import Clock
from ...common.errors import OckleError
from .node_watch import Seen, answered, awake, lost, rested
from .nodes import Node

log = logging.getLogger(__name__)

Ask = Callable[[Node], Awaitable[Mapping[str, Any]]]
Changed = Callable[[Node, Seen, Seen], None]
SPREAD = 0.1
"""By which part of the interval the pause between two questions differs, so that nodes do not fall into step."""
FAILED_S = 60.0


class Poller:
    """Runs on one event loop; ``snapshot`` may be called from any thread.

    ``ask``        returns the JSON object of a node; raises OckleError
    ``changed``    is told each step of a node, on the loop
    ``in_flight``  so many are asked at the same time at most
    """

    def __init__(self, clock: Clock, ask: Ask, changed: Changed, in_flight: int) -> None:
        self._clock, self._ask, self._changed = clock, ask, changed
        self._slots = asyncio.Semaphore(in_flight)
        self._lock = threading.Lock()
        self._nodes: dict[str, Node] = {}
        self._seen: dict[str, Seen] = {}  # of exactly the nodes
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._resting: frozenset[str] = frozenset()

    def snapshot(self) -> list[tuple[Node, Seen]]:
        """Return all nodes, and what is known of each. From any thread."""
        with self._lock:
            return [(node, self._seen[name]) for name, node in self._nodes.items()]

    # -- what is to be asked

    def take(self, nodes: Mapping[str, Node], remembered: Mapping[str, Seen] | None = None) -> None:
        """Ask these from now on; what is known of those that stay, stays. ``remembered``: from before a restart."""
        now, known = self._clock.now(), remembered or {}
        before = self._nodes
        with self._lock:
            self._seen = {name: self._seen.get(name) or known.get(name) or Seen(since=now) for name in nodes}
            self._nodes = dict(nodes)
        for name, task in list(self._tasks.items()):
            if name not in nodes or before[name].monitor.interval != nodes[name].monitor.interval:
                task.cancel()
                del self._tasks[name]
        for name, node in nodes.items():
            if name not in self._tasks:
                self._tasks[name] = asyncio.create_task(self._tend(name, node.monitor.interval), name=f"node {name}")

    def rest(self, servers: Collection[str]) -> None:
        """Leave the nodes of these servers alone: they are off, or being switched."""
        now, self._resting = self._clock.now(), frozenset(servers)
        for node, seen in self.snapshot():
            self._put(node, seen, rested(seen, now) if node.server in self._resting else awake(seen, now))

    async def stop(self) -> None:
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- asking

    async def ask_now(self, name: str) -> Seen | None:
        """Ask a node without waiting for its turn; return what is known then, None when there is no such node."""
        node = self._nodes.get(name)
        if node is None:
            return None
        await self._look(node)
        return self._seen.get(name)

    async def _tend(self, name: str, interval: float) -> None:
        """Ask one node for ever, from a moment of the first interval that chance decides."""
        pause = random.uniform(0, interval)  # noqa: S311 - it only spreads load
        while True:
            await self._clock.sleep(pause)
            pause = interval * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311
            node = self._nodes[name]
            if node.server in self._resting:
                continue
            try:
                async with self._slots:
                    await self._look(node)
            except Exception:  # the outermost loop of this node: a bug must not make it look well for ever
                log.exception("node %s: asking failed", name)
                pause = max(pause, FAILED_S)

    async def _look(self, node: Node) -> None:
        found: Mapping[str, Any] | None = None
        problem = ""
        try:
            found = await self._ask(node)
        except OckleError as error:
            problem = str(error)
        before, now = self._seen.get(node.name), self._clock.now()
        if before is None or self._nodes.get(node.name) != node or node.server in self._resting:
            return  # it went meanwhile, or was given other limits
        if found is None:
            self._put(node, before, lost(node, before, problem, now))
        else:
            self._put(node, before, answered(node, before, found, now, self._clock.wall()))

    def _put(self, node: Node, before: Seen, after: Seen) -> None:
        if after is not before:
            with self._lock:
                self._seen[node.name] = after
            self._changed(node, before, after)
