"""One power-up: by the engine, and by bare asyncio."""

from __future__ import annotations

import asyncio
import inspect
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass
from types import FrameType
from typing import TypeVarTuple

from typing_extensions import override

from ockle.common.clock import SystemClock
from ockle.common.device_loop import DeviceLoop
from ockle.common.events import EventBus
from ockle.common.heap import settle
from ockle.engine.engine import Engine
from ockle.engine.event_log import EventLog
from ockle.engine.runs import RunState
from ockle.engine.settings import Settings
from ockle.networkTree.ServerNetwork import ServerNetwork
from ockle.store.store import Store

from .dag import Needs

Ts = TypeVarTuple("Ts")

IN_MEMORY = "sqlite://"
KEEP_EVENTS = 10_000
"""As many as the daemon keeps by default."""


@dataclass(frozen=True)
class Took:
    """Seconds by the clock on the wall, and seconds that all threads of this process were at work."""

    wall_s: float
    cpu_s: float


class Stopwatch:
    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def took(self) -> Took:
        return Took(time.perf_counter() - self._wall, time.process_time() - self._cpu)


@asynccontextmanager
async def engine_on(
    network: ServerNetwork,
    store_url: str = IN_MEMORY,
    settings: Settings | None = None,
    log_events_on: DeviceLoop | None = None,
) -> AsyncIterator[Engine]:
    """Yield a started engine that has seen every outlet.

    ``log_events_on``  the running loop, to have events kept in the store as the daemon does
    """
    store = Store(store_url)
    store.open()
    events = EventBus(KEEP_EVENTS)
    event_log = EventLog(store, events, log_events_on, KEEP_EVENTS) if log_events_on else None
    engine = Engine(network, store, events=events, clock=SystemClock(), settings=settings)
    await engine.start()
    try:
        await engine.observer.observed.wait()
        settle()  # as the daemon does
        yield engine
    finally:
        if event_log:
            event_log.close()
        await engine.stop()


async def power_up(engine: Engine) -> Took:
    """Order everything on; return what it took from the order, planning included, until the last server is OK."""
    watch = Stopwatch()
    run = await engine.order("on", [node.name for node in engine.network], who="benchmark")
    await run.finished.wait()
    took = watch.took()
    if run.state is not RunState.DONE:
        raise RuntimeError(f"the power-up ended as {run.state}: {run.summary(0.0)}")
    return took


async def bare_power_up(needs: Needs, turns: int) -> Took:
    """Walk through the same dependencies with one task per server, and do nothing else.

    ``turns``  of the event loop per server, each an await; the first step of its task counts, too
    """
    missing = {name: len(wanted) for name, wanted in needs.items()}
    dependents: dict[str, list[str]] = {name: [] for name in needs}
    for name, wanted in needs.items():
        for one in wanted:
            dependents[one].append(name)
    loop = asyncio.get_running_loop()
    finished: asyncio.Future[None] = loop.create_future()
    running: set[asyncio.Task[None]] = set()  # a loop holds its tasks only weakly
    left = len(needs)

    async def server(name: str) -> None:
        nonlocal left
        for _ in range(turns - 1):
            await asyncio.sleep(0)
        for other in dependents[name]:
            missing[other] -= 1
            if not missing[other]:
                running.add(loop.create_task(server(other)))
        left -= 1
        if not left:
            finished.set_result(None)

    settle()  # the other side does it, too
    watch = Stopwatch()
    for name, wanted in needs.items():
        if not wanted:
            running.add(loop.create_task(server(name)))
    await finished
    return watch.took()


def _resumes(frame: FrameType) -> bool:
    """Tell whether a coroutine's frame goes on after an await, by the argument of its RESUME (3.11: 0 = begins)."""
    return frame.f_code.co_code[frame.f_lasti + 1] & 3 != 0


class _CountingLoop(asyncio.SelectorEventLoop):
    """Counts the turns that tasks, futures and callbacks ask for."""

    turns = 0

    @override
    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        self.turns += 1
        return super().call_soon(callback, *args, context=context)


@dataclass(frozen=True)
class Awaits:
    """What ``work`` did: coroutines that were begun, and turns of the event loop."""

    begun: int
    turns: int

    @classmethod
    def of(cls, work: Coroutine[object, None, object]) -> Awaits:
        """Run ``work`` on a loop of its own and count."""
        begun = 0

        def profile(frame: FrameType, event: str, _argument: object) -> None:
            nonlocal begun
            code = frame.f_code
            if event == "call" and code.co_flags & inspect.CO_COROUTINE and not _resumes(frame):
                begun += 1

        loop = _CountingLoop()
        try:
            sys.setprofile(profile)
            loop.run_until_complete(work)
        finally:
            sys.setprofile(None)
            loop.close()
        return cls(begun, loop.turns)
