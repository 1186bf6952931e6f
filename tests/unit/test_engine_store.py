"""The engine and its store: what cannot be written is not done, and nothing stops the writer."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from ockle.common.errors import StoreError
from ockle.engine.engine import Engine
from ockle.engine.event_log import EventLog
from ockle.engine.runs import RunState
from ockle.networkTree.facts import Desired
from ockle.store.store import Store
from rig import Rig
from rig_calls import node_of, ordered


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


def test_an_emergency_stands_with_its_first_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """There was a second one, for the number of its run: it failed, and the emergency was said to have failed."""

    class FullAtOnce(Failing):
        """Its disk is full as soon as it holds an emergency."""

        @override
        def _write(self, rows: Any) -> None:
            super()._write(rows)
            self.full = self.full or ("meta", "emergency") in rows

    monkeypatch.setattr("rig.Store", FullAtOnce)
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        await ordered(engine, "on", "a")
        order = await engine.emergency(["a"], 300, who="ups")
        assert engine.emergencies.declared is not None
        assert engine.emergencies.declared.run == order.id

    rig.play(scenario)
