"""What one event costs the engine in a network of a given size."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median

from ockle.common.device_loop import DeviceLoop
from ockle.engine.engine import Engine
from ockle.engine.settings import Settings
from ockle.networkTree.ServerNode import ServerNode

from .dag import layered
from .runs import engine_on, power_up
from .sites import on_dummies

LAYERS, SEED = 12, 20
QUIET = Settings(poll_interval=36_000.0, test_interval=36_000.0)
"""Nothing happens by itself: what happens is the event that is measured."""

Event = Callable[[Engine, ServerNode], Awaitable[None]]


async def read(engine: Engine, node: ServerNode) -> None:
    """A server's outlets are read and show what is known."""
    await engine.observer.read_server(node)


async def test(engine: Engine, node: ServerNode) -> None:
    """A server's tests are run and pass, as before."""
    await engine.observer.tests.round(node)


async def order(engine: Engine, node: ServerNode) -> None:
    """A server that nobody needs is ordered off, and on again, to the end of both runs."""
    for action in ("cut", "on"):
        run = await engine.order(action, [node.name], who="benchmark")
        await run.finished.wait()


async def why(engine: Engine, node: ServerNode) -> None:
    """Somebody asks why a server is as it is."""
    engine.why(node.name)


EVENTS: dict[str, Event] = {"read": read, "test": test, "order": order, "why": why}


@dataclass(frozen=True)
class Costs:
    """CPU seconds of one event (all threads), by its name."""

    servers: int
    of: dict[str, float]


def costs(loop: DeviceLoop, servers: int, batch: int, batches: int) -> Costs:
    """Measure each event on ``batch`` random servers, ``batches`` times, and return the medians."""

    async def work() -> Costs:
        network = on_dummies(layered(servers, LAYERS, SEED))
        for node in network:
            for outlet in node.outlets:
                outlet.params |= {"min_off_time": 0.0, "max_per_minute": 0}
        async with engine_on(network, settings=QUIET) as engine:
            await power_up(engine)
            leaves = [node for node in network if not network.getDependent(node.name)]
            found: dict[str, list[float]] = {name: [] for name in EVENTS}
            dice = random.Random(SEED)
            for _ in range(batches):
                chosen = [dice.choice(leaves) for _ in range(batch)]
                for name, event in EVENTS.items():
                    found[name].append(await _each(engine, event, chosen))
            return Costs(servers, {name: median(values) for name, values in found.items()})

    return loop.call(work())


async def _each(engine: Engine, event: Event, nodes: list[ServerNode]) -> float:
    began = time.process_time()
    for node in nodes:
        await event(engine, node)
    return (time.process_time() - began) / len(nodes)
