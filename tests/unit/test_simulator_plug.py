"""The lab's plug: its firmware in virtual time, its frames byte by byte."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.simulator.esphome_frames import FrameError, NoiseFrames, PlainFrames
from ockle.simulator.esphome_plug import EspPlug
from ockle.simulator.knobs import KnobError
from ockle.simulator.ledger import Ledger
from ockle.simulator.machine import Machine
from ockle.simulator.power import PowerDevice
from ockle.simulator.spec import MachineSpec, PduSpec, PlugSpec
from ockle.simulator.virtual_time import run
from plug_site import KEY

Play = Callable[["Stage"], Coroutine[Any, Any, None]]


class Stage:
    """A plug and what hangs on it, on a loop of virtual time."""

    def __init__(self, **machine: Any) -> None:
        self.ledger = Ledger(lambda: asyncio.get_running_loop().time())
        self.plug = EspPlug(PlugSpec("plug"), self.ledger, 1.0)
        self.machine = Machine(MachineSpec("pi", (("plug", 1),), **{"watts": 30.0, **machine}), self.ledger, 1.0)
        self.plug.plug(1, self.machine, "pi")

    def switch(self, name: str, on: bool) -> None:
        entity = next(entity for entity in self.plug.entities.values() if entity.name == name)
        assert entity.write is not None
        entity.write(on)

    def shows(self, name: str) -> Any:
        return self.plug.shows(name)

    async def up(self) -> None:
        self.switch("Relay", True)
        await asyncio.sleep(10)

    def opened_at(self) -> float:
        return next(entry.t for entry in self.ledger.entries("relay", "plug") if not entry.detail["closed"])


def play(act: Play, **machine: Any) -> Stage:
    async def main() -> Stage:
        stage = Stage(**machine)
        stage.plug.start()
        try:
            await act(stage)
        finally:
            stage.plug.stop()
            stage.machine.stop()
        return stage

    return run(main())


def test_the_cut_comes_fifteen_seconds_after_the_real_delay_switch() -> None:
    async def act(stage: Stage) -> None:
        await stage.up()
        assert [stage.shows(name) for name in ("Relay", "Delay Switch", "Real Delay Switch")] == [True, True, True]
        stage.switch("Delay Switch", False)
        await asyncio.sleep(100)
        assert stage.shows("Relay")  # a wish alone cuts nothing
        stage.switch("Real Delay Switch", False)
        assert not stage.shows("Real Delay Switch")
        stage.machine.shut_down()
        await asyncio.sleep(20)

    stage = play(act)
    assert stage.opened_at() == pytest.approx(110 + 15, abs=0.2)
    assert stage.ledger.cuts_while_mounted() == []
    assert stage.plug.reason == "the machine was shut down"


def test_the_cut_waits_while_the_machine_still_works_and_not_for_ever() -> None:
    async def act(stage: Stage) -> None:
        await stage.up()
        stage.switch("Real Delay Switch", False)
        stage.machine.shut_down()
        await asyncio.sleep(300)

    slow = play(act, shutdown_s=60.0)
    assert slow.opened_at() == pytest.approx(10 + 60, abs=1.2)
    assert slow.ledger.cuts_while_mounted() == []
    assert play(act, shutdown_s=9999.0).opened_at() == pytest.approx(10 + 15 + 180, abs=1.2)


def test_the_cut_can_be_called_off() -> None:
    async def act(stage: Stage) -> None:
        await stage.up()
        stage.switch("Real Delay Switch", False)
        await asyncio.sleep(14)
        stage.switch("Real Delay Switch", True)
        await asyncio.sleep(600)
        assert stage.shows("Relay")
        assert stage.shows("Delay Switch")

    play(act)


def test_missed_heartbeats_cut_only_a_machine_that_had_one() -> None:
    async def act(stage: Stage) -> None:
        await stage.up()
        await asyncio.sleep(3600)
        assert stage.shows("Relay")
        for _ in range(100):
            stage.switch("Heartbeat Switch", True)
            await asyncio.sleep(25)
        assert stage.shows("Relay")
        stage.ledger.add("knob", "plug", "the agent dies")
        await asyncio.sleep(620)

    stage = play(act)
    died = stage.ledger.entries("knob")[0].t
    assert 19 * 30 - 25 <= stage.opened_at() - died <= 20 * 30 + 1
    assert stage.plug.reason == "the machine's heartbeat was missed"


def test_the_heartbeat_switch_goes_off_by_itself() -> None:
    async def act(stage: Stage) -> None:
        await stage.up()
        stage.switch("Heartbeat Switch", True)
        assert stage.shows("Heartbeat Switch")
        await asyncio.sleep(4)
        assert not stage.shows("Heartbeat Switch")

    play(act)


def test_the_button_asks_once_and_cuts_twice() -> None:
    async def act(stage: Stage) -> None:
        stage.plug.press(1)
        await asyncio.sleep(10)
        assert stage.shows("Relay")
        stage.plug.press(1)
        assert not stage.shows("Delay Switch")
        await asyncio.sleep(60)
        assert stage.shows("Relay")
        stage.plug.press(2)
        await asyncio.sleep(1)
        assert not stage.shows("Relay")

    stage = play(act)
    assert stage.plug.reason == "the button was pressed twice"
    assert len(stage.ledger.cuts_while_mounted()) == 1  # as it says on the button


def test_the_relay_takes_its_wishes_with_it() -> None:
    async def act(stage: Stage) -> None:
        await stage.up()
        stage.switch("Delay Switch", False)
        stage.switch("Real Delay Switch", False)
        stage.switch("Relay", False)
        await asyncio.sleep(1)
        stage.switch("Relay", True)
        await asyncio.sleep(60)
        assert [stage.shows(name) for name in ("Relay", "Delay Switch", "Real Delay Switch")] == [True, True, True]

    play(act)


def test_a_pdu_has_no_button() -> None:
    with pytest.raises(KnobError, match="no button"):
        PowerDevice(PduSpec("pdu", 2), Ledger(), 1.0).press(1)


PACKETS = st.lists(st.tuples(st.integers(1, 200), st.binary(max_size=300)), max_size=6)


@given(PACKETS, st.integers(1, 50))
def test_plain_frames_come_out_whole_however_they_are_cut(packets: list[tuple[int, bytes]], piece: int) -> None:
    sender, receiver = PlainFrames(), PlainFrames()
    stream = b"".join(map(sender.frame, packets))
    found = [packet for at in range(0, len(stream), piece) for packet in receiver.receive(stream[at : at + piece])[0]]
    assert found == packets


@given(st.binary(max_size=200))
def test_no_bytes_break_the_frames(data: bytes) -> None:
    for frames in (PlainFrames(), NoiseFrames(KEY, "plug", "020000000001")):
        try:
            frames.receive(data)
        except FrameError as error:
            assert len(error.reply) < 100
