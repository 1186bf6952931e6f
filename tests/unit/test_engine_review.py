"""Ways in which the engine could have harmed hardware or stranded a rack, one case each."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from ockle.common.common import OpState
from ockle.common.device_loop import BLOCKING_MOST, run_blocking
from ockle.common.errors import CommandError, DeviceError, DeviceUnreachable, OckleError, StoreError
from ockle.common.events import Event, EventBus
from ockle.engine.engine import Engine
from ockle.engine.event_log import EventLog
from ockle.engine.runner import EngineRunner
from ockle.engine.runs import RunState, StepState
from ockle.engine.store import Store
from ockle.networkTree.facts import Desired
from ockle.networkTree.ServerNode import ServerNode
from ockle.outlets.OutletTemplate import OutletTemplate
from ockle.simulator.virtual_time import run
from rig import Rig, RigOutlet


async def ordered(engine: Engine, action: str, *names: str) -> RunState:
    order = await engine.order(action, names, who="test")
    await order.finished.wait()
    return order.state


def node_of(engine: Engine, name: str) -> ServerNode:
    return engine.network.getServernode(name)


def whats(rig: Rig, name: str) -> list[str]:
    return [sight.what for sight in rig.sights if sight.machine == name]


# -- evidence that is older than the newest switching


class SlowToAnswer(RigOutlet):
    """Its device looks at the relay at once and answers much later, as a busy agent does."""

    delay_s = 0.0

    @classmethod
    @override
    async def read_many(cls, outlets: Sequence[OutletTemplate]) -> list[bool | DeviceError]:
        answers = await super().read_many(outlets)
        await asyncio.sleep(cls.delay_s)
        return answers


@pytest.mark.parametrize("on", [True, False])
def test_a_read_that_was_begun_before_a_switching_says_nothing_after_it(
    on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig({"a": []})
    monkeypatch.setattr("rig.RigOutlet", SlowToAnswer)

    async def scenario(engine: Engine) -> None:
        node = node_of(engine, "a")
        if not on:
            assert await ordered(engine, "on", "a") is RunState.DONE
        monkeypatch.setattr(SlowToAnswer, "delay_s", 13.0)
        old = asyncio.create_task(engine.observer.read_server(node))
        await asyncio.sleep(0)
        assert await ordered(engine, "on" if on else "off", "a") is RunState.DONE
        await old
        assert node.outlets[0].state is on
        assert rig.states() == {"a": "OK" if on else "OFF"}

    rig.play(scenario)


class Mute(RigOutlet):
    """Switches, and tells nobody; whoever commands it twice finds that its order is gone."""

    @override
    async def _setOutletState(self, state: bool) -> None:
        await super()._setOutletState(state)
        raise DeviceUnreachable("no answer")

    @override
    async def _getOutletState(self) -> bool:
        raise DeviceUnreachable("no answer")


def test_an_outlet_that_was_commanded_without_proof_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order is gone when the command would be repeated: the relay may have moved all the same."""
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        outlet = node_of(engine, "a").outlets[0]
        assert outlet.state is False
        outlet.__class__ = Mute
        asks = 0

        def guard() -> None:
            nonlocal asks
            asks += 1
            if asks > 1:
                raise OckleError("taken back")

        with pytest.raises(OckleError, match="taken back"):
            await outlet.set_state(True, before_send=guard)
        assert rig["a"].powered
        assert outlet.state is None

    rig.play(scenario)


# -- force


def test_a_force_leaves_one_switching_per_server() -> None:
    """The decision that followed the dropped switching began another one before the force did."""
    rig = Rig({"a": []}, policy={"shutdown_timeout": 30.0})

    async def scenario(engine: Engine) -> None:
        await engine.order("on", ["a"], who="test")
        await asyncio.sleep(3)  # it boots
        rig.operator_orders.add("a")
        await engine.force("a", Desired.OFF, "smoke")
        await asyncio.sleep(0)
        tasks = [task for task in asyncio.all_tasks() if "_carry_out" in str(task.get_coro())]
        assert len(tasks) == 1
        assert rig["a"].powered
        await asyncio.sleep(60)  # the booting machine did not hear the shutdown; it was sent again once it could
        assert not rig["a"].powered

    rig.play(scenario)
    assert rig.states() == {"a": "Forced off"}


class Failing(Store):
    """A store on a disk that can be full."""

    full = False

    @override
    def _write(self, rows: Any) -> None:
        if self.full:
            raise StoreError("cannot write the store: disk full")
        super()._write(rows)


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> type[Failing]:
    monkeypatch.setattr("rig.Store", Failing)
    monkeypatch.setattr(Failing, "full", False)
    return Failing


def test_a_force_that_cannot_be_written_leaves_the_server_as_it_was(full_disk: type[Failing]) -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        await ordered(engine, "on", "a")
        full_disk.full = True
        with pytest.raises(StoreError):
            await engine.force("a", Desired.OFF)
        full_disk.full = False
        await asyncio.sleep(60)
        assert node_of(engine, "a").facts.forced is None
        [row] = [row for row in engine.store.load("servers") if row["name"] == "a"]
        assert row["forced"] is None

    rig.play(scenario)
    assert rig.states() == {"a": "OK"}


def test_orders_that_cannot_be_written_are_not_carried_out_later(full_disk: type[Failing]) -> None:
    rig = Rig({"a": [], "b": ["a"]})

    async def scenario(engine: Engine) -> None:
        full_disk.full = True
        for order in (
            engine.order("on", ["b"], who="test"),
            engine.set_auto(True),
            engine.hold("a", True, "no"),
            engine.by_hand.switch_outlet(node_of(engine, "a"), node_of(engine, "a").outlets[0], True),
            engine.by_hand.switch_control(node_of(engine, "a"), node_of(engine, "a").controls[0], False),
        ):
            with pytest.raises(StoreError):
                await order
        full_disk.full = False
        await asyncio.sleep(120)
        [auto] = [row["value"] for row in engine.store.load("meta") if row["name"] == "auto"]
        assert auto == "off"
        assert not engine.auto
        assert node_of(engine, "a").facts.held == ""
        assert not node_of(engine, "a").facts.shutdown_sent
        assert all(row["outcome"].startswith("not sent") for row in engine.store.load("intents"))

    rig.play(scenario)
    assert rig.sights == []
    assert set(rig.states().values()) == {"OFF"}


# -- the store takes what comes


def test_text_that_no_database_takes_does_not_stop_the_store() -> None:
    """A lone surrogate comes in by JSON from the network; the writer died of it, and who waited, waited for ever."""
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> RunState:
        await asyncio.wait_for(engine.hold("a", True, "no \ud800 text"), 20)
        await asyncio.wait_for(engine.hold("a", False, ""), 20)
        return await ordered(engine, "on", "a")

    assert rig.play(scenario) is RunState.DONE


def test_an_event_with_foreign_data_does_not_stop_the_store() -> None:
    rig = Rig({"a": []})

    class HereLoop:
        def post(self, function: Any, *arguments: Any) -> None:
            function(*arguments)

    async def scenario(engine: Engine) -> RunState:
        log = EventLog(engine.store, rig.events, HereLoop(), 100)  # type: ignore[arg-type]
        rig.events.publish("mine", "a plugin's", number=2**80, path=Path("x"), many={1, 2})
        circle: list[Any] = []
        circle.append(circle)
        rig.events.publish("mine", "round", circle=circle)
        state = await ordered(engine, "on", "a")
        log.close()
        return state

    assert rig.play(scenario) is RunState.DONE


def test_a_writer_with_a_bug_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> RunState:
        def broken(rows: Any) -> None:
            raise TypeError("what is that?")

        with monkeypatch.context() as patch:
            patch.setattr(engine.store, "_write", broken)
            with pytest.raises(StoreError, match="what is that"):
                await asyncio.wait_for(engine.hold("a", True, "x"), 20)
        return await ordered(engine, "on", "a")

    assert rig.play(scenario) is RunState.DONE


# -- who listens harms nobody


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


def test_a_bug_in_a_driver_does_not_end_the_watch_of_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        await ordered(engine, "on", "a")

        async def none(outlets: object) -> list[bool]:
            return []

        with monkeypatch.context() as patch:
            patch.setattr(RigOutlet, "read_many", none)
            await asyncio.sleep(60)
            assert rig.states() == {"a": "Unknown"}
        await asyncio.sleep(20)

    rig.play(scenario)
    assert rig.states() == {"a": "OK"}


def test_a_state_set_by_hand_cannot_wedge_a_server() -> None:
    """Forced without a force: no row of the table led out of it, and the watcher of the device died of that."""
    rig = Rig({"a": []})

    class HereLoop:
        def call(self, work: Any, timeout: float = 0.0) -> Any:
            with pytest.raises(StopIteration) as ended:
                work.send(None)
            return ended.value.value

    async def scenario(engine: Engine) -> RunState:
        runner = EngineRunner(engine, HereLoop())  # type: ignore[arg-type]
        for state in OpState:
            work = runner.set_op_state
            if state in (OpState.forcedOn, OpState.forcedOff, OpState.SwitchingOn, OpState.SwitchingOff):
                with pytest.raises(OckleError):
                    work("a", state)
            else:
                work("a", state)
        await asyncio.sleep(20)
        return await ordered(engine, "on", "a")

    assert rig.play(scenario) is RunState.DONE


# -- restarts of the daemon


def again(rig: Rig) -> Rig:
    """The same machines under a new daemon."""
    new = Rig(rig.needs, store=rig.store_url, policy=rig.policy)
    for name, machine in rig.machines.items():
        new[name].relays, new[name].os = machine.relays, machine.os
    return new


def test_a_cancelled_run_is_not_taken_up_after_a_restart(tmp_path: Path) -> None:
    rig = Rig({"a": [], "b": ["a"], "c": ["b"]}, store=f"sqlite:///{tmp_path}/state.db")

    async def first(engine: Engine) -> None:
        order = await engine.order("on", ["c"], who="test")
        await asyncio.sleep(5)  # a boots
        engine.cancel(order.id, "test")
        await asyncio.sleep(2)

    rig.play(first)
    rig["a"].os = "up"
    new = again(rig)

    async def second(engine: Engine) -> None:
        await asyncio.sleep(100)
        assert engine.runs.running() == []
        assert engine.runs.get(1).state is RunState.CANCELLED

    new.play(second)
    assert new.states() == {"a": "OK", "b": "OFF", "c": "OFF"}
    assert new.sights == []


def test_a_superseded_step_is_not_taken_up_after_a_restart(tmp_path: Path) -> None:
    rig = Rig({"a": [], "b": [], "slow": []}, store=f"sqlite:///{tmp_path}/state.db")
    rig["slow"].boot_s = 40.0

    async def first(engine: Engine) -> None:
        await engine.order("on", ["a", "b", "slow"], who="test")
        await asyncio.sleep(15)
        assert await ordered(engine, "off", "a") is RunState.DONE
        await engine.force("b", Desired.OFF, "no")
        await asyncio.sleep(15)
        assert len(engine.runs.running()) == 1

    rig.play(first)
    rig["slow"].os = "up"
    new = again(rig)

    async def second(engine: Engine) -> None:
        await asyncio.sleep(100)
        assert engine.runs.running() == []

    new.play(second)
    assert new.states() == {"a": "OFF", "b": "Forced off", "slow": "OK"}
    assert new.sights == []


def test_a_restart_forgives_no_failure(tmp_path: Path) -> None:
    """S3: else a daemon that crashes in a loop power-cycles a failing server for ever."""
    rig = Rig({"a": [], "b": []}, store=f"sqlite:///{tmp_path}/state.db")
    rig["a"].fail_boots = 9
    rig["b"].boot_s = 1e6

    async def first(engine: Engine) -> None:
        node_of(engine, "b").facts.policy.boot_timeout = 1e6
        order = await engine.order("on", ["a", "b"], who="test")
        while order.current["a"].state is not StepState.FAILED:
            await asyncio.sleep(5)

    rig.play(first)
    rig["b"].os = "up"
    new = again(rig)

    async def second(engine: Engine) -> None:
        await asyncio.sleep(100)
        assert node_of(engine, "a").facts.start_attempts == 3
        assert engine.runs.get(1).state is RunState.FAILED

    new.play(second)
    assert new.states() == {"a": "Permanently failed to start", "b": "OK"}


# -- orders


def test_a_cut_is_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a cut the server was cut again, without a shutdown, whenever it was switched off by itself."""
    rig = Rig({"a": []}, policy={"drift": "enforce"})

    async def scenario(engine: Engine) -> None:
        await ordered(engine, "on", "a")
        rig["a"].expendable = True
        await ordered(engine, "cut", "a")
        rig["a"].expendable = False
        await engine.set_auto(True)
        rig.by_hand("a")
        await asyncio.sleep(400)  # the first shutdown meets a booting machine

    rig.play(scenario)
    assert rig.states() == {"a": "OFF"}
    assert rig.broken() == []


def test_a_reset_during_a_shutdown_does_not_forget_the_shutdown() -> None:
    rig = Rig({"a": [], "b": ["a"]})

    async def scenario(engine: Engine) -> None:
        await ordered(engine, "on", "b")
        await ordered(engine, "off", "b")
        rig["a"].shutdown_s = 20.0
        await engine.order("off", ["a"], who="test")
        await asyncio.sleep(2)
        await engine.reset("a")
        assert node_of(engine, "a").facts.shutdown_sent
        assert await ordered(engine, "on", "b") is RunState.DONE

    rig.play(scenario)
    assert rig.broken() == []
    assert "cut" in whats(rig, "a")


def test_a_cancel_before_the_shutdown_is_sent_keeps_it_from_being_sent() -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        await ordered(engine, "on", "a")
        control = node_of(engine, "a").controls[0]
        slots = asyncio.Semaphore(1)
        control.device._slots = slots
        await slots.acquire()  # another login hangs before this one
        order = await engine.order("off", ["a"], who="test")
        await asyncio.sleep(5)
        engine.cancel(order.id, "test")
        slots.release()
        await asyncio.sleep(60)
        assert order.state is RunState.CANCELLED
        assert not node_of(engine, "a").facts.shutdown_sent

    rig.play(scenario)
    assert "shutdown asked" not in whats(rig, "a")
    assert rig.states() == {"a": "OK"}


def test_a_command_by_hand_asks_again_right_before_it_is_sent() -> None:
    """It waits for its turn at the device; meanwhile somebody begins to need the server."""
    rig = Rig({"a": [], "b": ["a"]})

    async def scenario(engine: Engine) -> None:
        await ordered(engine, "on", "a")
        node = node_of(engine, "a")

        def guard() -> None:
            if engine.network.getServernode("b").facts.op is not None:
                raise CommandError("b needs it", "refused")

        slots = asyncio.Semaphore(1)
        node.outlets[0].device._slots = slots
        await slots.acquire()
        by_hand = asyncio.create_task(engine.by_hand.switch_outlet(node, node.outlets[0], False, guard))
        await asyncio.sleep(1)
        order = await engine.order("on", ["b"], who="test")
        await asyncio.sleep(1)
        with pytest.raises(CommandError, match="another command"):
            await engine.force("a", Desired.OFF)
        slots.release()
        with pytest.raises(CommandError, match="needs it"):
            await by_hand
        await order.finished.wait()
        assert order.state is RunState.DONE
        await asyncio.sleep(3)
        assert all(row["outcome"] for row in engine.store.load("intents"))

    rig.play(scenario)
    assert whats(rig, "a") == ["SET a.psu1 on", "power on", "up"]


def test_by_hand_an_outlet_stays_off_for_its_time() -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> float:
        node = node_of(engine, "a")
        node.outlets[0].params["min_off_time"] = 10.0
        await engine.by_hand.switch_outlet(node, node.outlets[0], False)
        began = engine.core.clock.now()
        await engine.by_hand.switch_outlet(node, node.outlets[0], True)
        return engine.core.clock.now() - began

    assert rig.play(scenario) >= 10.0


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


# -- a new configuration


def test_a_new_configuration_takes_over_no_evidence_of_another_device() -> None:
    rig = Rig({"a": [], "b": []})

    async def scenario(engine: Engine) -> None:
        await ordered(engine, "on", "a", "b")
        network = rig.network()
        same = network.getServernode("b")
        for part, old in zip(same.parts(), node_of(engine, "b").parts(), strict=True):
            part.device = old.device
        rig["a"].silent = True  # the new address of its PDU
        await engine.adopt(network, engine.settings)
        assert node_of(engine, "b") is same
        assert rig.states() == {"a": "Unknown", "b": "OK"}
        await asyncio.sleep(20)
        assert rig.states() == {"a": "Unknown", "b": "OK"}

    rig.play(scenario)


def test_an_order_that_comes_during_a_reload_is_for_the_new_network() -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        watcher = asyncio.create_task(slow_to_end())
        engine.observer._tasks.add(watcher)
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


# -- threads


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


@pytest.mark.parametrize("on", [True, False])
def test_what_was_seen_long_ago_is_no_evidence_for_a_guard(on: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a device takes its time to answer, nothing told that what it had shown before was out of date."""
    rig = Rig({"a": [], "b": ["a"]})
    monkeypatch.setattr("rig.RigOutlet", SlowToAnswer)

    async def scenario(engine: Engine) -> None:
        await ordered(engine, "on", "a")
        monkeypatch.setattr(SlowToAnswer, "delay_s", 1000.0)
        if on:
            for test in node_of(engine, "a").tests:
                test._test = forever  # type: ignore[method-assign]
                test.settings["timeout"] = 1000.0
        await asyncio.sleep(60)
        order = await engine.order("on" if on else "off", ["b" if on else "a"], who="test")
        await asyncio.sleep(30)
        assert order.state is RunState.RUNNING

    async def forever() -> bool:
        await asyncio.sleep(1000)
        return True

    rig.play(scenario)
    assert whats(rig, "b") == []
    assert "shutdown asked" not in whats(rig, "a")


def test_a_force_that_fails_is_told() -> None:
    """It showed "Forced off", no error and no event, with the power on: somebody may reach into the machine."""
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        await ordered(engine, "on", "a")
        rig["a"].refuse_login = True
        await engine.force("a", Desired.OFF)
        await asyncio.sleep(60)
        assert rig["a"].powered
        assert any("refused" in reason["text"] for reason in engine.why("a")["reasons"])
        assert any(event.kind == "force" and "refused" in event.text for event in rig.events.since(0))

    rig.play(scenario)
    assert rig.states() == {"a": "Forced off"}
