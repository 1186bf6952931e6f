"""The engine's life: listeners, threads, a new configuration, the stop."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from ockle.common.common import OpState
from ockle.common.device_loop import BLOCKING_MOST, run_blocking
from ockle.common.errors import DeviceUnreachable, OckleError
from ockle.common.events import Event, EventBus
from ockle.engine.engine import Engine
from ockle.engine.runs import RunState
from ockle.simulator.virtual_time import run
from rig import Rig
from rig_calls import node_of, ordered


def test_a_listener_that_raises_harms_nobody() -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> RunState:
        def broken(event: Event) -> None:
            raise KeyError(event.kind)

        rig.events.subscribe(broken)
        return await asyncio.wait_for(ordered(engine, "on", "a"), 100)

    assert rig.play(scenario) is RunState.DONE
    heard: list[Event] = []
    bus = EventBus()
    bus.subscribe(heard.append)
    bus.publish("x", "y")
    assert len(heard) == 1


def test_an_order_that_comes_during_a_reload_is_for_the_new_network() -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        engine.observer._tasks.spawn(slow_to_end())
        await asyncio.sleep(1)
        adopting = asyncio.create_task(engine.adopt(rig.network(), engine.settings))
        await asyncio.sleep(1)
        order = await engine.order("on", ["a"], who="test")
        await asyncio.sleep(1)
        await adopting
        await order.finished.wait()
        assert order.state is RunState.DONE
        assert node_of(engine, "a").outlets[0].state is True
        await asyncio.sleep(60)

    async def slow_to_end() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(5)

    rig.play(scenario)
    assert rig.states() == {"a": "OK"}
    assert rig.engine.network.getServernode("a").outlets[0].opState is OpState.OK


def test_many_blocking_drivers_at_once_wait_for_a_thread() -> None:
    """A hundred logins at the same time are no hundred hung devices; the last third was told that it was."""

    async def scenario() -> list[int]:
        def work(number: int) -> int:
            time.sleep(0.02)
            return number

        return await asyncio.gather(*(run_blocking(lambda n=n: work(n), 30.0, "x") for n in range(200)))  # type: ignore[misc]

    assert asyncio.run(scenario()) == list(range(200))


def test_a_guard_is_asked_when_there_is_a_thread_and_not_before() -> None:
    async def scenario() -> None:
        taken = threading.Event()
        asked: list[str] = []
        hung = [asyncio.create_task(run_blocking(lambda: taken.wait(20), 30.0, "hung")) for _ in range(BLOCKING_MOST)]
        await asyncio.sleep(0)
        waits = asyncio.create_task(run_blocking(lambda: True, 30.0, "waits", lambda: asked.append("waits")))
        with pytest.raises(DeviceUnreachable, match="hang"):
            await run_blocking(lambda: True, 0.2, "too late", lambda: asked.append("too late"))
        assert asked == []
        taken.set()
        await asyncio.gather(*hung)
        assert await waits
        assert asked == ["waits"]

        def refuse() -> None:
            raise OckleError("no")

        for _ in range(2 * BLOCKING_MOST):
            with pytest.raises(OckleError, match="no"):
                await run_blocking(lambda: True, 5.0, "refused", refuse)
        assert await run_blocking(lambda: True, 5.0, "free again")

    asyncio.run(scenario())


def test_a_stop_of_the_daemon_awaits_both_supplies() -> None:
    rig = Rig({"a": []}, outlets={"a": 2})

    async def scenario(engine: Engine) -> None:
        node = node_of(engine, "a")
        slow = node.outlets[1]

        async def after_a_while(state: bool) -> None:
            await asyncio.sleep(3)
            rig["a"].relay(slow.name, state)

        slow._setOutletState = after_a_while  # type: ignore[method-assign]
        await engine.order("on", ["a"], who="test")
        await asyncio.sleep(1)

    rig.play(scenario)
    assert rig["a"].relays == {"a.psu1": True, "a.psu2": True}


def test_a_device_that_cannot_be_closed_keeps_nobody_from_stopping() -> None:
    rig = Rig({"a": [], "b": []})
    closed: list[str] = []

    class Session:
        def __init__(self, name: str) -> None:
            self.name = name

        async def close(self) -> None:
            if self.name == "a":
                raise KeyError("gone")
            if self.name == "a.ssh":
                await asyncio.sleep(1000)
            closed.append(self.name)

    async def scenario(engine: Engine) -> None:
        for node in engine.network:
            for part in node.parts():
                part.device.shared("session", lambda name=part.device.name: Session(name))  # type: ignore[misc]

    async def whole() -> float:
        engine = await rig.start()
        await scenario(engine)
        began = asyncio.get_running_loop().time()
        await engine.stop()
        return asyncio.get_running_loop().time() - began

    assert run(whole()) < 2.0
    assert sorted(closed) == ["a.test", "b", "b.ssh", "b.test"]
