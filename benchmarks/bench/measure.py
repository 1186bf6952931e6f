"""The measurements of ``powerup.py``. Everything runs on a device loop in a thread of its own, as in the daemon."""

from __future__ import annotations

import asyncio
import gc
import time
import tracemalloc
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

from ockle.commands.status import StatusCommands
from ockle.common.CommunicationHandler import CommunicationHandler
from ockle.common.device_loop import DeviceLoop

from .dag import Needs, critical_path, layered
from .runs import IN_MEMORY, Awaits, Took, bare_power_up, engine_on, power_up
from .sites import MachineTest, boot_times, on_dummies, on_machines

SEED = 20


@dataclass(frozen=True)
class Boots:
    """A power-up in real time. ``probes``: runs of tests."""

    took: Took
    critical_s: float
    probes: int

    @property
    def ratio(self) -> float:
        return self.took.wall_s / self.critical_s


def boots(loop: DeviceLoop, servers: int, layers: int, limits_s: tuple[float, float], store: Path, seed: int) -> Boots:
    """Power up machines that boot in real time, with the durable store and everybody's default policy."""
    needs = layered(servers, layers, seed)
    boot_s = boot_times(needs, *limits_s, seed)
    before = MachineTest.runs

    async def work() -> Took:
        async with engine_on(on_machines(needs, boot_s), f"sqlite:///{store}", log_events_on=loop) as engine:
            return await power_up(engine)

    return Boots(loop.call(work()), critical_path(needs, boot_s), MachineTest.runs - before)


@dataclass(frozen=True)
class PerServer:
    """What the engine does for one server: awaits (coroutines that it begins) and turns of the event loop.

    Most awaits end without waiting and are little more than function calls; only those that wait cost a turn.
    """

    awaits: int
    turns: int


def awaits_per_server(servers: int, layers: int) -> PerServer:
    """Count on the engine itself, with and without the order; the difference is the power-up."""
    needs = layered(servers, layers, SEED)

    async def work(order: bool) -> None:
        async with engine_on(on_dummies(needs)) as engine:
            if order:
                await power_up(engine)

    whole, rest = Awaits.of(work(True)), Awaits.of(work(False))
    return PerServer(round((whole.begun - rest.begun) / servers), round((whole.turns - rest.turns) / servers))


def dummies(loop: DeviceLoop, needs: Needs, store: Path | None = None) -> tuple[Took, int]:
    """Power up dummies without delay; return what it took and how many commits that was."""

    async def work() -> tuple[Took, int]:
        url, log = (f"sqlite:///{store}", loop) if store else (IN_MEMORY, None)
        async with engine_on(on_dummies(needs), url, log_events_on=log) as engine:
            before = engine.store.commits
            took = await power_up(engine)
            return took, engine.store.commits - before

    return loop.call(work())


def bare(loop: DeviceLoop, needs: Needs, turns: int) -> Took:
    return loop.call(bare_power_up(needs, turns))


def bytes_per_server(loop: DeviceLoop, servers: int, layers: int) -> float:
    """Return what a server keeps in memory, by tracemalloc, once everything is on: network, engine, events."""
    needs = layered(servers, layers, SEED)

    async def work() -> float:
        gc.collect()
        tracemalloc.start()
        try:
            async with engine_on(on_dummies(needs)) as engine:
                await power_up(engine)
                gc.collect()
                return tracemalloc.get_traced_memory()[0] / servers
        finally:
            tracemalloc.stop()

    return loop.call(work())


@dataclass(frozen=True)
class Looks:
    """Seconds that a command takes which looks at all servers, and during which the device loop does nothing else."""

    plan_s: float
    status_s: float


def looks(loop: DeviceLoop, servers: int, layers: int, repetitions: int) -> Looks:
    """Time a plan for everything and the status of everything, nothing of it cached."""
    needs = layered(servers, layers, SEED)
    plans: list[float] = []
    statuses: list[float] = []

    async def work() -> None:
        async with engine_on(on_dummies(needs)) as engine:
            services: Any = SimpleNamespace(engine=engine, events=engine.core.events, device_loop=loop)
            services.communicationHandler = CommunicationHandler(services)
            commands = StatusCommands(services)
            for _ in range(repetitions):
                began = time.perf_counter()
                engine.plan("on", list(needs))
                plans.append(time.perf_counter() - began)
                engine.core.revision += 1  # else the answer of the last time is good enough
                began = time.perf_counter()
                await asyncio.to_thread(commands.status, {})
                statuses.append(time.perf_counter() - began)

    loop.call(work())
    return Looks(median(plans), median(statuses))
