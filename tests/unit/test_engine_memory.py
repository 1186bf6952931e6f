"""What the engine keeps of work that is over."""

from __future__ import annotations

import asyncio
import gc

from ockle.engine.engine import Engine
from ockle.engine.runs import Run
from rig import Rig
from rig_calls import CHAIN, ordered


def test_nothing_holds_an_ended_run_whole() -> None:
    """Not the book, and not the timer of its limit, which lasts a quarter of an hour and longer."""

    async def work(engine: Engine) -> None:
        before = whole()
        for action in ("on", "restart", "off"):
            await ordered(engine, action, *CHAIN)
        cancelled = await engine.order("on", CHAIN, who="test")
        engine.cancel(cancelled.id, "test")
        await cancelled.finished.wait()
        del cancelled
        await asyncio.sleep(60)  # tasks that are done let go
        assert whole() == before

    Rig(CHAIN).play(work)


def whole() -> int:
    gc.collect()
    return sum(isinstance(one, Run) for one in gc.get_objects())
