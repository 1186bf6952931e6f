"""A device that restarts, is replaced, or is silent for a while, as its outlets see it. Time is virtual."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.common.clock import LoopClock
from ockle.common.device import Device
from ockle.common.errors import DeviceError, DeviceRefused, DeviceStateError, DeviceUnreachable
from ockle.common.snmp import Answer, Missing, Pair, SnmpSettings, no_answer
from ockle.common.snmp_session import SnmpSession
from ockle.outlets.raritan import Raritan
from ockle.outlets.snmp_device import (
    SLACK_S,
    SYS_OBJECT_ID,
    SYS_UPTIME,
    WRAP,
    Identity,
    SnmpDevice,
    has_restarted,
    keeps_time,
)
from ockle.simulator.virtual_time import run

STATE = "1.3.6.1.4.1.13742.4.1.2.2.1.3."
PX = "1.3.6.1.4.1.13742.4"


class Strip:
    """A wire to a strip with outlets 1 to 4, whose uptime follows the loop's time; they move after ``moves_s``."""

    def __init__(self, moves_s: float = 0.0) -> None:
        self.begun = -1000.0
        self.moves_s = moves_s
        self.dead = False
        self.objects: dict[str, Any] = {
            SYS_OBJECT_ID: PX,
            Raritan.SERIAL: b"SN1",
            Raritan.OUTLETS: 4,
            **{f"{STATE}{n}": 0 for n in (1, 2, 3, 4)},
        }
        self.sets: list[tuple[float, str, int]] = []
        self.asked: list[list[str]] = []

    def reboot(self, state: int) -> None:
        self.begun = asyncio.get_running_loop().time()
        self.objects.update(dict.fromkeys((f"{STATE}{n}" for n in (1, 2, 3, 4)), state))

    async def exchange(self, pairs: Sequence[Pair], *, write: bool) -> Answer:
        now = asyncio.get_running_loop().time()
        self.asked.append([oid for oid, _ in pairs])
        if self.dead:
            await asyncio.sleep(2.0)
            raise no_answer(SnmpSettings("127.0.0.1", timeout=2.0))
        if write:
            for oid, value in pairs:
                asyncio.get_running_loop().call_later(self.moves_s, self.objects.__setitem__, oid, value)
                self.sets.append((now, oid, int(value or 0)))
        await asyncio.sleep(0)  # what moves at once has moved
        self.objects[SYS_UPTIME] = int((now - self.begun) * 100)
        return Answer(0, 0, [(oid, self.objects.get(oid, Missing("noSuchInstance"))) for oid, _ in pairs])

    async def close(self) -> None:
        pass


def outlets(strip: Strip, device: Device | None = None, **settings: object) -> list[Raritan]:
    device = device or Device("strip", clock=LoopClock())
    made = [Raritan(f"o{n}", {"host": "127.0.0.1", **settings}, {"outlet": n}) for n in (1, 2, 3, 4)]
    for outlet in made:
        outlet.device = device
    agent = made[0].watched(SnmpSession(SnmpSettings("127.0.0.1"), strip))
    device.shared("snmp", lambda: agent)
    return made


async def poll(made: list[Raritan]) -> list[bool | DeviceError]:
    answers = await Raritan.read_many(made)
    for outlet, answer in zip(made, answers, strict=True):
        if isinstance(answer, bool):
            outlet.observe(answer)
    return answers


@given(up=st.integers(0, WRAP - 1), elapsed=st.floats(0, 1e6), trusted=st.booleans())
def test_a_clock_that_goes_on_is_no_restart_not_even_at_its_wrap(up: int, elapsed: float, trusted: bool) -> None:
    assert not has_restarted(up, (up + int(elapsed * 100)) % WRAP, elapsed, trusted=trusted)


@given(up=st.integers(0, WRAP - 1), elapsed=st.floats(2, 1e6), unit=st.sampled_from([0.0, 0.01, 0.1, 10.0, 100.0]))
def test_a_clock_of_another_unit_is_not_trusted_and_no_restart(up: int, elapsed: float, unit: float) -> None:
    now = up + int(elapsed * 100 * unit)
    assert not has_restarted(up, now, elapsed)
    assert not keeps_time(up, now, elapsed)


@given(up=st.integers(1, WRAP - 1), elapsed=st.floats(0, 1e6), part=st.floats(0, 1))
def test_a_fall_is_a_restart_except_where_the_clock_could_have_wrapped(up: int, elapsed: float, part: float) -> None:
    now = min(int(elapsed * part * 100), up - 1)
    assert has_restarted(up, now, elapsed) is (up + (elapsed + SLACK_S) * 100 < WRAP)


def test_after_a_restart_nothing_is_known_until_it_is_read_and_nothing_is_sent_before_the_delay() -> None:
    async def scenario() -> None:
        strip = Strip()
        made = outlets(strip, init_delay="10s")
        await poll(made)
        assert [outlet.state for outlet in made] == [False] * 4
        await asyncio.sleep(30)
        strip.reboot(1)
        await asyncio.sleep(4)
        answers = await Raritan.read_many(made[:1])  # one outlet is looked at; all of them are unknown from here
        assert isinstance(answers[0], DeviceStateError)
        assert "left alone for another 6 s" in str(answers[0])
        assert [outlet.state for outlet in made] == [None] * 4
        await asyncio.sleep(6)
        assert await poll(made) == [True] * 4
        assert [outlet.state for outlet in made] == [True] * 4
        await made[0].set_state(False)
        assert [sent[1:] for sent in strip.sets] == [(f"{STATE}1", 0)]

    run(scenario())


def test_the_time_that_an_outlet_may_take_begins_with_its_command_and_not_with_the_wait_for_its_turn() -> None:
    async def scenario() -> None:
        strip = Strip(moves_s=2.0)
        made = outlets(strip, Device("strip", gap_s=15.0, clock=LoopClock()))
        await poll(made)
        await asyncio.gather(*(outlet.set_state(True, timeout=20.0) for outlet in made))
        assert [outlet.state for outlet in made] == [True] * 4
        assert [sent[2] for sent in strip.sets] == [1] * 4
        assert strip.sets[-1][0] - strip.sets[0][0] == pytest.approx(45.0)

    run(scenario())


def test_outlets_that_are_measured_at_the_same_time_are_measured_together() -> None:
    """Servers that shut down are looked at again and again: one by one, a slow device would never come to an end."""

    async def scenario() -> None:
        strip = Strip()
        made = outlets(strip)
        strip.objects.update({oid: 7000 for outlet in made for oid, _ in outlet.measured().values()})
        await poll(made)
        before = len(strip.asked)
        found = await asyncio.gather(*(outlet.measure() for outlet in made))
        assert [data["power_w"] for data in found] == [7000.0] * 4
        assert len(strip.asked) - before <= 2
        strip.dead = True
        failed = await asyncio.gather(*(outlet.measure() for outlet in made), return_exceptions=True)
        assert [type(one) for one in failed] == [DeviceUnreachable] * 4
        assert [outlet.data for outlet in made] == [{}] * 4

    run(scenario())


def test_a_command_waits_until_a_restarted_device_is_ready_and_goes_to_outlets_that_were_read_since() -> None:
    async def scenario() -> None:
        strip = Strip()
        made = outlets(strip, init_delay="10s")
        await poll(made)
        strip.reboot(0)
        await asyncio.sleep(1)
        await Raritan.read_many(made)
        began = asyncio.get_running_loop().time()
        with pytest.raises(DeviceStateError):
            await made[0].set_state(True)
        assert strip.sets == []
        assert asyncio.get_running_loop().time() - began >= 9
        await poll(made)
        await made[0].set_state(True)
        assert len(strip.sets) == 1

    run(scenario())


def test_a_device_gives_no_turn_to_switch_before_it_is_ready() -> None:
    async def scenario() -> None:
        device = Device("strip", clock=LoopClock())
        device.restarted(7.0)
        device.restarted(3.0)  # the later moment counts
        await device.wait_gap()
        assert asyncio.get_running_loop().time() == 7.0

    run(scenario())


def test_a_restart_that_a_command_finds_out_keeps_it_from_being_sent() -> None:
    async def scenario() -> None:
        strip = Strip()
        made = outlets(strip, init_delay="0s")
        await poll(made)
        strip.dead = True
        assert isinstance((await poll(made))[0], DeviceUnreachable)
        strip.dead = False
        strip.reboot(1)
        with pytest.raises(DeviceStateError, match="restarted"):
            await made[0].set_state(False)
        assert strip.sets == []

    run(scenario())


def test_a_device_that_restarts_between_two_reads_longer_apart_than_it_was_up_is_noticed() -> None:
    async def scenario() -> None:
        strip = Strip()
        strip.begun = asyncio.get_running_loop().time()
        made = outlets(strip, init_delay="0s")
        for _ in range(2):
            await poll(made)
            await asyncio.sleep(5)
        strip.reboot(1)
        await asyncio.sleep(25)  # its uptime is higher than ever before
        before = made[0].device.restarted_at
        assert await poll(made) == [True] * 4
        assert made[0].device.restarted_at > before

    run(scenario())


def test_a_silence_longer_than_the_uptime_after_it_was_a_restart() -> None:
    async def scenario() -> None:
        strip = Strip()
        strip.begun = asyncio.get_running_loop().time() - 5  # it had just started, so its uptime does not fall
        made = outlets(strip, init_delay="0s")
        await poll(made)
        strip.dead = True
        await poll(made)
        await asyncio.sleep(60)
        strip.dead = False
        strip.reboot(1)
        await asyncio.sleep(20)
        await Raritan.read_many(made[:1])
        assert [outlet.state for outlet in made] == [None] * 4

    run(scenario())


def test_a_restart_longer_ago_than_the_delay_costs_no_waiting() -> None:
    async def scenario() -> None:
        strip = Strip()
        made = outlets(strip, init_delay="10s")
        await poll(made)
        strip.reboot(1)
        await asyncio.sleep(30)
        assert await poll(made) == [True] * 4

    run(scenario())


def test_a_device_that_does_not_tell_its_uptime_is_not_watched_for_restarts() -> None:
    class Mute(Strip):
        async def exchange(self, pairs: Sequence[Pair], *, write: bool) -> Answer:
            answer = await super().exchange(pairs, write=write)
            hide = (SYS_UPTIME, Missing("noSuchObject"))
            return Answer(0, 0, [hide if oid == SYS_UPTIME else (oid, value) for oid, value in answer.bindings])

    async def scenario() -> None:
        made = outlets(Mute())
        assert await poll(made) == [False] * 4
        assert await poll(made) == [False] * 4

    run(scenario())


def test_the_uptime_costs_no_datagram_of_its_own() -> None:
    async def scenario() -> None:
        strip = Strip()
        made = outlets(strip)
        await poll(made)
        strip.asked.clear()
        await poll(made)
        assert strip.asked == [[SYS_UPTIME, *(f"{STATE}{n}" for n in (1, 2, 3, 4))]]

    run(scenario())


PINS = {"pin_object_id": PX, "pin_serial": "SN1", "pin_outlets": "4"}


@pytest.mark.parametrize(
    ("oid", "value", "text"),
    [
        (SYS_OBJECT_ID, "1.3.6.1.4.1.318.1", "its sysObjectID is 1.3.6.1.4.1.318.1, pinned is 1.3.6.1.4.1.13742.4"),
        (Raritan.SERIAL, b"SN2", "its serial number is SN2, pinned is SN1"),
        (Raritan.SERIAL, Missing("noSuchObject"), "its serial number is not told, pinned is SN1"),
        (Raritan.OUTLETS, 8, "its number of outlets is 8, pinned is 4"),
    ],
)
def test_another_device_is_neither_believed_nor_switched(oid: str, value: Any, text: str) -> None:
    async def scenario() -> None:
        strip = Strip()
        made = outlets(strip, None, **PINS)
        assert await poll(made) == [False] * 4
        strip.dead = True
        await poll(made)
        strip.dead = False
        right, strip.objects[oid] = strip.objects[oid], value
        answers = await poll(made)
        assert all(isinstance(answer, DeviceRefused) for answer in answers)
        assert text in str(answers[0])
        assert "write into outlets/strip.ini: pin_" in str(answers[0])
        with pytest.raises(DeviceRefused):
            await made[0].set_state(True)
        assert strip.sets == []
        strip.objects[oid] = right  # the right one is back
        assert await poll(made) == [False] * 4

    run(scenario())


def test_the_pins_are_looked_at_again_after_a_restart() -> None:
    async def scenario() -> None:
        strip = Strip()
        made = outlets(strip, None, init_delay="0s", **PINS)
        await poll(made)
        await asyncio.sleep(30)
        strip.reboot(1)
        strip.objects[Raritan.SERIAL] = b"SN2"
        answers = await poll(made)
        assert all(isinstance(answer, DeviceRefused) for answer in answers)
        assert [outlet.state for outlet in made] == [None] * 4

    run(scenario())


def test_the_first_command_looks_at_the_pins_too() -> None:
    async def scenario() -> None:
        strip = Strip()
        strip.objects[Raritan.SERIAL] = b"SN2"
        made = outlets(strip, None, **PINS)
        with pytest.raises(DeviceRefused):
            await made[0].set_state(True)
        assert strip.sets == []

    run(scenario())


def test_a_dead_device_costs_one_time_limit() -> None:
    async def scenario() -> None:
        strip = Strip()
        strip.dead = True
        for _ in range(2):
            began = asyncio.get_running_loop().time()
            await poll(outlets(strip))
            assert asyncio.get_running_loop().time() - began == 2.0

    run(scenario())


def test_who_it_is_can_be_pasted_into_its_file() -> None:
    async def scenario() -> None:
        device = Device("strip", clock=LoopClock())
        agent = SnmpDevice(
            device, SnmpSession(SnmpSettings("h"), Strip()), Identity(), (Raritan.SERIAL, Raritan.OUTLETS), 0.0
        )
        await agent.read([])
        assert agent.identity is not None
        assert agent.identity.lines() == [f"{option} = {value}" for option, value in PINS.items()]

    run(scenario())
