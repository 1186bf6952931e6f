"""Looks after all nodes: has them asked on a loop of its own, and hands out what is known to everybody else."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import TypeVar

from ...common.common import OpState
from ...common.errors import CommandError, OckleError
from ...common.metrics import Family
from ...common.problems import Problem
from ...common.services import DaemonServices
from ...networkTree.decide import is_down
from ...networkTree.facts import Desired, ServerFacts
from ...store.samples.sample_store import Series
from ..engine import Engine
from ..sampling import Measured
from . import node_record, report
from .node_watch import Seen, changes
from .nodes import Node
from .poller import Ask, Poller

log = logging.getLogger(__name__)
T = TypeVar("T")

EVENT = "node"
TICK_S = 1.0
"""How often is looked who is off or being switched."""
RENEW_S = 60.0
"""How often is looked which nodes there are: selectors may mean others by now, and boards be added."""
REACH_S = 60.0
ASK_S = 90.0

Find = Callable[[], Awaitable[Mapping[str, Node]]]


def is_at_rest(facts: ServerFacts) -> bool:
    """Tell whether nobody expects an answer of a server: it is off, meant to be, or just being switched."""
    meant = facts.desired is Desired.OFF or facts.op_state in (OpState.OFF, OpState.forcedOff)
    return meant or facts.op is not None or is_down(facts)


class NodeKeeper:
    """``run`` is for a loop of its own; ``problems``, ``measured``, ``gauges`` are for the device loop; others for any.

    ``find``  returns the nodes by name; raises OckleError
    ``ask``   returns the JSON object of a node; raises OckleError
    """

    def __init__(self, daemon: DaemonServices, find: Find, ask: Ask) -> None:
        self._daemon, self._find, self._ask = daemon, find, ask
        self._poller: Poller | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._stopped = False
        self._renew = False
        self._record: node_record.Record = {}

    @property
    def _engine(self) -> Engine:
        engine: Engine = self._daemon.engine
        return engine

    # -- life

    async def run(self, in_flight: int) -> None:
        """Work until ``stop``; so many nodes are asked at the same time. Raises OckleError if the store is not read."""
        clock = self._engine.core.clock
        self._loop = asyncio.get_running_loop()
        self._record = await self.on_devices(lambda: node_record.load(self._engine.store))
        known = node_record.remembered(self._record, clock)
        poller = self._poller = Poller(clock, self._ask, self._changed, in_flight)
        due, told, taken = clock.now(), "", False
        try:
            while not self._stopped:
                self._wake.clear()
                try:
                    if self._renew or clock.now() >= due:
                        self._renew, due = False, clock.now() + RENEW_S
                        poller.take(await self._find(), known)
                        known, told, taken = {}, "", True
                    if taken:  # before, nothing is known that could be noted
                        record = node_record.record_of(poller.snapshot())
                        poller.rest(await self.on_devices(partial(self._tick, record)))
                except OckleError as error:  # what is known stays as it is
                    if str(error) != told and not self._stopped:
                        log.warning("nodes: %s; tried again", error)
                    told = str(error)
                await self._pause(TICK_S if poller.snapshot() else RENEW_S)
        finally:
            self._poller = self._loop = None
            await poller.stop()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    def stop(self) -> None:
        self._stopped = True
        self._woken()

    def renew(self) -> None:
        """The configuration is another: look anew which nodes there are."""
        self._renew = True
        self._woken()

    def _woken(self) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake.set)

    async def on_devices(self, function: Callable[[], T]) -> T:
        """Return what ``function`` returns on the device loop. Raises OckleError."""

        async def work() -> T:
            return function()

        devices = self._daemon.device_loop.loop
        if devices.is_closed():
            raise OckleError("the device loop has stopped")
        future = asyncio.run_coroutine_threadsafe(work(), devices)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), REACH_S)
        except TimeoutError:
            raise OckleError(f"the device loop has not answered for {REACH_S:g} s") from None

    # -- on the device loop

    def _tick(self, record: node_record.Record) -> set[str]:
        """Note what a restart has to know; return the servers whose nodes are left alone."""
        if record != self._record:
            self._record = record
            node_record.put(self._engine.store, record)
        return {node.name for node in self._engine.network if is_at_rest(node.facts)}

    def problems(self) -> Iterator[Problem]:
        return report.problems(self.looks(), self._rests)

    def _rests(self, server: str) -> bool:
        node = self._engine.network.getServer(server)
        return node is None or is_at_rest(node.facts)

    def measured(self) -> dict[Series, Measured]:
        return report.measured(self.looks())

    def gauges(self) -> list[Family]:
        return [report.answers(self.looks())]

    # -- any thread

    def looks(self) -> list[tuple[Node, Seen]]:
        """Return all nodes, and what is known of each."""
        poller = self._poller
        return [] if poller is None else poller.snapshot()

    def ask_now(self, name: str) -> tuple[Node, Seen]:
        """Ask a node at once, and wait. Raises CommandError when there is no such node, or nobody to ask it."""
        poller, loop = self._poller, self._loop
        if poller is None or loop is None:
            raise CommandError("the nodes are not being asked now: the plugin Monitoring does not run", "refused")
        future = asyncio.run_coroutine_threadsafe(poller.ask_now(name), loop)
        try:
            future.result(ASK_S)
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise CommandError(f"node {name} was not asked within {ASK_S:g} s", "failed") from None
        found = next(((node, seen) for node, seen in poller.snapshot() if node.name == name), None)
        if found is None:
            raise CommandError(f"there is no node {name}", "not_found")
        return found

    # -- on its own loop

    def _changed(self, node: Node, before: Seen, after: Seen) -> None:
        for change in changes(node, before, after):
            text = f"{node.name}: {change.text}"
            log.log(logging.INFO if change.good else logging.WARNING, "node %s", text)
            failed = {} if change.good else {"failed": True}
            self._engine.core.events.publish(EVENT, text, server=node.server, node=node.name, **failed)
