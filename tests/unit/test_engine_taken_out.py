"""Forces that are interrupted, limited or meet an emergency, and shutdowns by several controls."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typing_extensions import override

from ockle.common.errors import DeviceUnreachable, StoreError
from ockle.engine.engine import Engine
from ockle.engine.settings import Settings
from ockle.networkTree.facts import Desired
from ockle.simulator.virtual_time import run
from rig import Rig
from rig_calls import again, down, node_of, up
from rig_machine import RigControl, RigOutlet


def test_a_server_that_is_forced_on_in_an_emergency_keeps_the_power_that_it_shares() -> None:
    rig = Rig({"a": [], "b": [], "d": ["b"]}, outlets={"a": 0, "b": 0}, shared={"strip": ["a", "b"]})

    async def scenario(engine: Engine) -> None:
        await up(engine)
        rig["a"].hang_shutdown = rig["d"].hang_shutdown = True
        await engine.emergency(["a", "b"], 100, who="ups")
        await asyncio.sleep(1)
        await engine.force("b", Desired.ON, "keep")
        assert node_of(engine, "b").facts.emergency_by is None
        await asyncio.sleep(200)
        assert rig["b"].powered
        await engine.force("b", None)
        assert node_of(engine, "b").facts.emergency_by is not None  # given back, it is the emergency's again

    rig.play(scenario)


def test_a_held_server_is_left_alone_by_an_emergency_as_long_as_it_is_held() -> None:
    rig = Rig({"a": [], "b": []})

    async def scenario(engine: Engine) -> None:
        await up(engine)
        rig["a"].hang_shutdown = True
        await engine.emergency(["a", "b"], 50, who="ups")
        await engine.hold("a", True, "mine")
        await asyncio.sleep(100)
        assert rig["a"].powered

    rig.play(scenario)


def test_a_force_that_the_store_interrupted_goes_on_when_it_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        await up(engine)
        commit, calls = engine.core.journal.commit, iter(range(10_000))

        async def flaky() -> None:
            if next(calls) in (1, 2):
                raise StoreError("cannot write the store: database or disk is full")
            await commit()

        monkeypatch.setattr(engine.core.journal, "commit", flaky)
        await engine.force("a", Desired.OFF, "smoke")
        await asyncio.sleep(200)
        assert not rig["a"].powered
        assert not node_of(engine, "a").facts.forced_open

    rig.play(scenario)
    assert rig.broken() == []


def test_a_force_that_a_crash_interrupted_goes_on_although_a_reload_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig({"a": [], "b": []}, store=f"sqlite:///{tmp_path}/state.db")
    rig["a"].slow_s = 20.0

    async def crash(engine: Engine) -> None:
        await engine.force("a", Desired.ON, "x")
        await asyncio.sleep(3)

    rig.play(crash)
    new = again(rig)
    read = RigOutlet._getOutletState

    async def slowly(self: RigOutlet) -> bool:
        await asyncio.sleep(5)
        return await read(self)

    async def reloaded() -> None:
        monkeypatch.setattr(RigOutlet, "_getOutletState", slowly)
        starting = asyncio.create_task(new.start())
        await asyncio.sleep(1)
        await new.engine.adopt(new.network(), new.settings)
        starting.cancel()
        await asyncio.sleep(100)
        assert new["a"].powered
        await new.engine.stop()

    run(reloaded())


def test_a_force_for_a_while_is_not_longer_for_a_restart(tmp_path: Path) -> None:
    rig = Rig({"a": []}, store=f"sqlite:///{tmp_path}/state.db")

    async def scenario() -> None:
        engine = await rig.start()
        await engine.force("a", Desired.ON, "x", seconds=3600)
        await asyncio.sleep(3500)
        await engine.stop()
        engine = await rig.start()
        await asyncio.sleep(50)
        assert node_of(engine, "a").facts.forced is Desired.ON
        await asyncio.sleep(60)
        assert node_of(engine, "a").facts.forced is None
        await engine.stop()

    run(scenario())


class Second(RigControl):
    """Another way to the same machine; it names its boot once and then can't be asked any more."""

    @override
    async def _setControlState(self, state: bool) -> None:
        self.boot_id = "second"

    @override
    async def _getBootId(self) -> str:
        raise DeviceUnreachable(f"{self.name}: no answer")


def test_of_two_controls_one_that_cannot_be_asked_any_more_is_no_proof_of_a_new_boot() -> None:
    rig = Rig(
        {"a": []}, settings=Settings(5.0, 5.0, max_stop_attempts=1), policy={"shutdown_timeout": 5.0, "halt_grace": 2.0}
    )
    rig["a"].lingers = True
    rig["a"].shutdown_s = 600.0

    async def scenario(engine: Engine) -> None:
        node = node_of(engine, "a")
        node.controls.append(Rig._part(Second, "a.two", rig["a"], None))
        await up(engine)
        await down(engine)
        assert node.facts.poison_boot == "boot-1 second"
        await asyncio.sleep(60)
        assert node.facts.shutdown_sent

    rig.play(scenario)
    assert rig.broken() == []


class Deaf(RigControl):
    """It stops hearing commands."""

    hears = True

    @override
    async def _setControlState(self, state: bool) -> None:
        if not self.hears:
            raise DeviceUnreachable(f"{self.name}: no answer")
        await super()._setControlState(state)


def test_a_shutdown_that_was_accepted_stays_known_when_the_next_one_is_not_answered() -> None:
    rig = Rig({"a": []}, settings=Settings(5.0, 5.0, max_stop_attempts=2), policy={"shutdown_timeout": 20.0})
    rig["a"].hang_shutdown = True

    async def scenario(engine: Engine) -> None:
        node = node_of(engine, "a")
        control = Rig._part(Deaf, "a.ssh", rig["a"], None)
        node.controls[:] = [control]
        await up(engine)
        order = await engine.order("off", ["a"], who="test")
        await asyncio.sleep(10)
        assert node.facts.poison_boot == "boot-1"
        control.hears = False
        await order.finished.wait()
        await asyncio.sleep(200)  # it serves all the time, and may still go down
        assert (node.facts.shutdown_sent, node.facts.poison_boot) == (True, "boot-1")

    rig.play(scenario)
    assert rig.broken() == []
