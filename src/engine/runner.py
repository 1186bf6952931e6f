"""Carries out the documented synchronous calls of the network on the device loop."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine
from contextlib import suppress
from typing import Any

from ..common.common import FORCED, SWITCHING, OpState
from ..common.device_loop import DOOR_TIMEOUT_S, DeviceLoop
from ..common.errors import OckleError
from ..networkTree.plan import Plan
from .engine import Engine
from .runs import RunState


class EngineRunner:
    """The NetworkRunner of a running engine."""

    def __init__(self, engine: Engine, loop: DeviceLoop) -> None:
        self._engine = engine
        self._loop = loop

    def turn(self, server: str, on: bool, ignore_dependencies: bool = False) -> bool:
        return self._loop.call(self._order("on" if on else "off", [server], unguarded=ignore_dependencies))

    def cut_all(self) -> bool:
        return self._loop.call(self._order("cut", [node.name for node in self._engine.network]))

    def observe(self, server: str | None = None, tests: bool = True) -> None:
        self._loop.call(self._observe(server, tests))

    def set_op_state(self, server: str, state: OpState) -> None:
        async def work() -> None:
            facts = self._engine.network.getServernode(server).facts
            if facts.op is not None or facts.forced is not None:
                raise OckleError(f"{server} is being switched, or forced: its state is not to be set by hand")
            if state in FORCED or state in SWITCHING:
                raise OckleError(f"{state.name} is the state of what the engine does: order it, or force it")
            facts.op_state = OpState(state)

        self._loop.call(work())

    async def _order(self, action: str, servers: list[str], *, unguarded: bool = False) -> bool:
        engine = self._engine
        plan = engine.plan(action, servers)
        if unguarded:
            _only(plan, engine.network.with_groups(servers))
        run = await engine.order(action, servers, who="daemon", plan=plan, unguarded=unguarded)
        with suppress(TimeoutError):  # the run goes on, but is not where it was to be
            await asyncio.wait_for(run.finished.wait(), DOOR_TIMEOUT_S - 1)
        return run.state is RunState.DONE

    async def _observe(self, server: str | None, tests: bool) -> None:
        engine = self._engine
        nodes = [engine.network.getServernode(server)] if server is not None else list(engine.network)
        work: list[Coroutine[Any, Any, Any]] = [engine.observer.read_server(node) for node in nodes]
        if tests:
            work += [engine.observer.tests.round(node) for node in nodes]
        await asyncio.gather(*work)


def _only(plan: Plan, servers: Collection[str]) -> None:
    """Take everything but ``servers`` out of the plan: their neighbours are left as they are."""
    plan.steps[:] = [step for step in plan.steps if step.server in servers]
