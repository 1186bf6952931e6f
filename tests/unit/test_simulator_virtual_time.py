"""Virtual time: order, thread hand-over and deadlocks."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from ockle.simulator.virtual_time import VirtualDeadlock, VirtualTimeLoop, run


def test_an_hour_takes_no_time() -> None:
    async def main() -> float:
        await asyncio.sleep(3600.5)
        return asyncio.get_running_loop().time()

    begun = time.process_time()
    assert run(main()) == pytest.approx(3600.5)
    assert time.process_time() - begun < 5


def test_timers_fire_in_the_order_of_their_time() -> None:
    seen: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        seen.append((name, round(asyncio.get_running_loop().time(), 6)))

    async def main() -> None:
        await asyncio.gather(sleeper("c", 90000), sleeper("a", 0.25), sleeper("b", 2))

    run(main())
    assert seen == [("a", 0.25), ("b", 2.0), ("c", 90000.0)]


def test_timeouts_work() -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 12)
        return asyncio.get_running_loop().time()

    assert run(main()) == pytest.approx(12)


def test_a_thread_takes_no_virtual_time_and_no_timer_overtakes_it() -> None:
    async def main() -> tuple[float, str]:
        loop = asyncio.get_running_loop()
        timer = asyncio.ensure_future(asyncio.sleep(1, "timer"))
        work = loop.run_in_executor(None, time.sleep, 0.05)
        await work
        assert not timer.done()
        reached = loop.time()
        return reached, await timer

    assert run(main()) == (0.0, "timer")


def test_a_deadlock_names_the_waiting_task() -> None:
    async def main() -> None:
        task = asyncio.current_task()
        assert task
        task.set_name("the-stuck-one")
        await asyncio.Event().wait()

    with pytest.raises(VirtualDeadlock, match="the-stuck-one"):
        run(main())


def test_outside_waits_for_a_caller() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        called = asyncio.Event()
        thread = threading.Timer(0.05, loop.call_soon_threadsafe, (called.set,))
        with loop.outside():
            thread.start()
            await asyncio.wait_for(called.wait(), 100)
        thread.join(5)
        return loop.time()

    assert run(main()) == 0.0
