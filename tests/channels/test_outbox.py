"""What waits for channels arrives, in order, once; on a virtual clock."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from ockle.common.errors import CommandError, DeviceUnreachable
from ockle.engine.alerts.outbox import Outbox
from outbox_rig import Rig, message

DOWN = DeviceUnreachable("there: Connection refused")


def test_messages_arrive_in_order(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ops={}, home={})

    async def scenario(outbox: Outbox) -> None:
        for number in range(1, 6):
            outbox.put(message(number))
        await asyncio.sleep(5)
        assert rig["ops"].ids == rig["home"].ids == [f"{number}-problem" for number in range(1, 6)]
        [state, _] = outbox.states()
        assert (state["name"], state["waiting"], state["problem"]) == ("home", 0, "")
        assert state["sent_at"] is not None

    rig.play(scenario)
    assert (rig["ops"].opened, rig["ops"].closed) == (1, 1)


def test_a_channel_gets_only_what_it_is_for(tmp_path: Path) -> None:
    rig = Rig(
        tmp_path,
        serious={"severity": "critical"},
        ups={"kinds": ["ups"]},
        off={"enabled": "false"},
        quiet_end={"recovery": "false"},
    )

    async def scenario(outbox: Outbox) -> None:
        outbox.put(message(1, severity="warning", about="server"))
        outbox.put(message(2, severity="critical", about="ups"))
        await asyncio.sleep(2)
        outbox.put(message(1, "recovery"))
        await asyncio.sleep(2)
        assert rig["serious"].ids == ["2-problem"]
        assert rig["ups"].ids == ["2-problem", "1-recovery"]  # (of no kind: the message does not say)
        assert rig["off"].ids == [] and not rig["off"].opened
        assert rig["quiet_end"].ids == ["1-problem", "2-problem"]

    rig.play(scenario)


def test_an_outage_ends_and_everything_arrives_once(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ops={})

    async def scenario(outbox: Outbox) -> None:
        rig["ops"].fault = DOWN
        for number in range(1, 4):
            outbox.put(message(number))
        await asyncio.sleep(3600)
        tries = [moment for moment, _ in rig["ops"].tries]
        gaps = [later - earlier for earlier, later in pairwise(tries)]
        assert gaps[0] < 2 and all(gap <= 300 * 1.2 + 1 for gap in gaps) and len(gaps) < 30
        [problem] = outbox.problems()
        assert (problem.kind, problem.text) == ("channel", "channel ops: there: Connection refused")
        rig["ops"].fault = None
        await asyncio.sleep(400)
        assert rig["ops"].ids == ["1-problem", "2-problem", "3-problem"]
        assert not outbox.problems()

    rig.play(scenario)
    assert rig.told == ["channel ops: there: Connection refused; it is tried again", "channel ops works again"]


def test_a_channel_that_hangs_delays_no_other(tmp_path: Path) -> None:
    rig = Rig(tmp_path, stuck={"timeout": "4s"}, fine={})

    async def scenario(outbox: Outbox) -> None:
        rig["stuck"].hang = True
        outbox.put(message(1))
        await asyncio.sleep(1)
        assert rig["fine"].ids == ["1-problem"]
        await asyncio.sleep(60)
        assert "no answer within 7 s" in outbox.states()[1]["problem"]
        rig["stuck"].hang = False
        await asyncio.sleep(60)
        assert rig["stuck"].ids == ["1-problem"]

    rig.play(scenario)


def test_what_waits_survives_a_restart(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ops={})

    async def first(outbox: Outbox) -> None:
        rig["ops"].fault = DOWN
        outbox.put(message(1))
        outbox.put(message(2))
        await asyncio.sleep(10)

    async def second(outbox: Outbox) -> None:
        assert outbox.states()[0]["waiting"] == 2
        rig["ops"].fault = None
        outbox.put(message(3))
        await asyncio.sleep(10)
        assert rig["ops"].ids == ["1-problem", "2-problem", "3-problem"]

    rig.play(first)
    rig.play(second)


def test_a_problem_that_is_over_before_it_could_be_told_is_one_message(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ops={})

    async def scenario(outbox: Outbox) -> None:
        rig["ops"].fault = DOWN
        outbox.put(message(1, at=100.0))
        await asyncio.sleep(0.05)
        outbox.put(message(1, "reminder", title="web1: still"))
        outbox.put(message(1, "recovery", at=820.0))
        await asyncio.sleep(10)
        rig["ops"].fault = None
        await asyncio.sleep(60)
        [one] = rig["ops"].got
        assert (one.kind, one.id, one.title) == ("recovery", "1-recovery", "web1: still (it is over, after 12m)")

    rig.play(scenario)


def test_a_recovery_never_comes_before_its_problem(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ops={})

    async def scenario(outbox: Outbox) -> None:
        outbox.put(message(1))
        await asyncio.sleep(0.05)  # the problem is on its way
        outbox.put(message(1, "recovery"))
        await asyncio.sleep(5)
        assert rig["ops"].ids == ["1-problem", "1-recovery"]

    rig.play(scenario)


def test_quiet_hours(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ops={"quiet": ["22:00-07:00"]})

    async def scenario(outbox: Outbox) -> None:
        await asyncio.sleep(10 * 3600 + 60)  # 22:01
        outbox.put(message(1, severity="critical"))
        for number in (2, 3, 4):
            outbox.put(message(number))
        await asyncio.sleep(3600)
        assert outbox.states()[0]["quiet_until"] == pytest.approx(1_784_548_800 + 19 * 3600)
        outbox.put(message(1, "recovery", "critical"))
        outbox.put(message(2, "recovery", at=5.0))
        outbox.put(message(3, "recovery", at=5.0))
        await asyncio.sleep(7 * 3600)  # 06:01
        assert rig["ops"].ids == ["1-problem", "1-recovery"]
        await asyncio.sleep(2 * 3600)
        digest, still = sorted(rig["ops"].got[2:], key=lambda one: one.kind)
        assert still.id == "4-problem"
        assert (digest.kind, digest.title) == ("digest", "2 messages: 2 recoveries")
        assert digest.lines == tuple(f"web{number}: problem (it is over, after 5s)" for number in (2, 3))

    rig.play(scenario)


def test_too_many_messages_become_one(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ops={"rate": "10"})

    async def scenario(outbox: Outbox) -> None:
        for number in range(1, 101):
            outbox.put(message(number))
        await asyncio.sleep(60)
        *single, digest = rig["ops"].got
        assert [one.alert for one in single] == [1, 2, 3, 4]
        assert digest.title == "96 messages: 96 problems"
        assert len(digest.lines) == 30 and digest.lines[0] == "web5: problem" and digest.lines[-1] == "and 67 more"
        for number in range(101, 201):
            outbox.put(message(number))
            await asyncio.sleep(60)
        assert len(rig["ops"].got) <= 5 + 100 / 12 + 1

    rig.play(scenario)
    moments = [moment for moment, _ in rig["ops"].tries]
    assert all(sum(begin <= moment < begin + 3600 for moment in moments) <= 10 for begin in moments)


def test_a_digest_that_does_not_arrive_keeps_its_id(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ops={"rate": "1"})

    async def first(outbox: Outbox) -> None:
        rig["ops"].fault = DOWN
        outbox.put(message(1))
        outbox.put(message(2))
        await asyncio.sleep(10)
        outbox.put(message(3))

    async def second(outbox: Outbox) -> None:
        rig["ops"].fault = None
        await asyncio.sleep(4000)
        assert rig["ops"].ids == [rig["ops"].tries[0][1], "3-problem"]
        assert rig["ops"].got[0].lines == ("web1: problem", "web2: problem")

    rig.play(first)
    rig.play(second)


def test_what_comes_while_a_channel_is_opened_is_not_lost(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ops={"rate": "1"})

    async def first(outbox: Outbox) -> None:
        rig["ops"].hang = True
        outbox.put(message(1))
        await asyncio.sleep(0.1)
        outbox.put(message(2))

    async def second(outbox: Outbox) -> None:
        rig["ops"].hang = False
        await asyncio.sleep(0.5)  # two wait, and it is being opened
        outbox.put(message(3))
        await asyncio.sleep(2)
        [digest] = rig["ops"].got
        assert digest.lines == ("web1: problem", "web2: problem", "web3: problem")

    rig.play(first)
    rig["ops"].opening_s = 1.0
    rig.play(second)


def test_what_waits_too_long_is_counted(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ops={"keep_for": "1h"})

    async def scenario(outbox: Outbox) -> None:
        rig["ops"].fault = DOWN
        outbox.put(message(1))
        outbox.put(message(2))
        await asyncio.sleep(2 * 3600)
        assert outbox.states()[0] | {"problem": ""} == outbox.states()[0] | {"waiting": 0, "lost": 2, "problem": ""}
        rig["ops"].fault = None
        outbox.put(message(3))
        await asyncio.sleep(600)
        [one] = rig["ops"].got
        assert one.lines == ("2 earlier messages were not delivered",)
        assert outbox.states()[0]["lost"] == 0

    rig.play(scenario)


def test_quiet_hours_do_not_count_as_waiting(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ops={"keep_for": "1h", "quiet": ["12:00-20:00"]})

    async def scenario(outbox: Outbox) -> None:
        outbox.put(message(1))
        await asyncio.sleep(8 * 3600 + 120)
        assert rig["ops"].ids == ["1-problem"]

    rig.play(scenario)


def test_a_reload(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ops={}, gone={})

    async def scenario(outbox: Outbox) -> None:
        for receiver in rig.receivers.values():
            receiver.fault = DOWN
        outbox.put(message(1))
        await asyncio.sleep(1)
        await rig.take()
        assert rig["ops"].opened == 1  # as it was: it goes on
        rig.channels["ops"] = rig.config("ops", {"comment": "another"})
        del rig.channels["gone"]
        await rig.take()
        rig["ops"].fault = None
        await asyncio.sleep(1)
        assert rig["ops"].opened == 2 and rig["ops"].ids == ["1-problem"]  # kept over the change
        assert [state["name"] for state in outbox.states()] == ["ops"]
        with pytest.raises(CommandError, match="there is no channel 'gone'; there is: ops"):
            await outbox.test("gone")

    rig.play(scenario)
    assert "channel gone is no more: what waited for it (1) is dropped" in rig.told


def test_there_is_room_for_so_many(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ops={})

    async def scenario(outbox: Outbox) -> None:
        rig["ops"].fault = DOWN
        for number in range(1, 601):
            outbox.put(message(number, severity="info" if number % 2 else "critical"))
        await asyncio.sleep(1)
        state = outbox.states()[0]
        assert (state["waiting"], state["lost"]) == (500, 100)

    rig.play(scenario)
