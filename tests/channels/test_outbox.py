"""What waits for channels arrives, in order, once; on a virtual clock."""

from __future__ import annotations

import asyncio
import sqlite3
from itertools import pairwise
from pathlib import Path

import pytest

from ockle.channels.ChannelTemplate import MessageRefused, TryLater
from ockle.common.errors import CommandError, DeviceRefused, DeviceUnreachable
from ockle.engine.alerts.outbox import Outbox
from ockle.store.outbox_store import OutboxStore, Row
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


def test_a_refusal_is_tried_rarely_and_told_once(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ops={}, other={})

    async def scenario(outbox: Outbox) -> None:
        rig["ops"].fault = DeviceRefused("there: status 403, invalid_token")
        outbox.put(message(1))
        await asyncio.sleep(3600)
        assert 3 <= len(rig["ops"].tries) <= 5
        [problem] = outbox.problems()
        assert (problem.key, problem.subject) == ("channel/ops", "channel/ops")
        outbox.put(message(7, subject="channel/ops", title="channel ops: status 403"))
        await asyncio.sleep(1)
        assert rig["other"].ids == ["1-problem", "7-problem"]
        rig["ops"].fault = None
        assert await outbox.test("ops") == "taken"
        await asyncio.sleep(2)
        assert rig["ops"].ids[1:] == ["1-problem"]  # at once after the test, and nothing about itself
        assert not outbox.problems()

    rig.play(scenario)
    assert len(rig.told) == 2


def test_the_receiver_says_when(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ops={})

    async def scenario(outbox: Outbox) -> None:
        rig["ops"].fault = TryLater("there: status 429", 120.0)
        outbox.put(message(1))
        await asyncio.sleep(1)
        rig["ops"].fault = None
        await asyncio.sleep(300)
        (first, _), (second, _) = rig["ops"].tries
        assert second - first >= 120
        assert rig["ops"].ids == ["1-problem"]

    rig.play(scenario)


def test_a_message_that_is_not_taken_makes_room(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ops={})

    async def scenario(outbox: Outbox) -> None:
        rig["ops"].fault = MessageRefused("there: status 400, invalid_blocks")
        outbox.put(message(1))
        await asyncio.sleep(60)
        assert len(rig["ops"].tries) == 3
        rig["ops"].fault = None
        outbox.put(message(2))
        await asyncio.sleep(60)
        [one] = rig["ops"].got
        assert (one.id, one.lines) == ("2-problem", ("1 earlier message was not delivered",))

    rig.play(scenario)
    assert any("given up 'web1: problem'" in text for text in rig.told)


def test_nothing_is_lost_when_every_message_is_refused(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ops={})

    async def scenario(outbox: Outbox) -> None:
        rig["ops"].fault = MessageRefused("there: status 400, no such template")
        for number in range(1, 6):
            outbox.put(message(number))
        await asyncio.sleep(600)
        state = outbox.states()[0]
        assert (state["waiting"], state["lost"], state["refused"]) == (4, 1, True)

    rig.play(scenario)


def test_a_bug_of_a_channel_harms_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(tmp_path, ops={}, fine={})

    async def scenario(outbox: Outbox) -> None:
        rig["ops"].fault = ZeroDivisionError("oh")
        outbox.put(message(1))
        await asyncio.sleep(5)
        assert "the type Log has a bug" in outbox.states()[1]["problem"]
        assert rig["fine"].ids == ["1-problem"]

    rig.play(scenario)
    assert "has a bug" in caplog.text


@pytest.mark.parametrize("fault", [DOWN, ZeroDivisionError("oh")])
def test_a_channel_that_cannot_be_opened_is_opened_later(tmp_path: Path, fault: Exception) -> None:
    rig = Rig(tmp_path, ops={})

    async def scenario(outbox: Outbox) -> None:
        rig["ops"].opening_fault = fault
        await asyncio.sleep(10)
        assert outbox.states()[0]["problem"]
        assert not rig["ops"].opened and rig["ops"].closed  # what it had begun is ended
        outbox.put(message(1))
        rig["ops"].opening_fault = None
        await asyncio.sleep(60)
        assert rig["ops"].ids == ["1-problem"] and not outbox.states()[0]["problem"]

    rig.play(scenario)


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


def test_a_disk_that_cannot_be_written(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ops={})
    (tmp_path / "alerts.db").mkdir()

    async def scenario(outbox: Outbox) -> None:
        rig["ops"].fault = DOWN
        for number in range(1, 4):
            outbox.put(message(number))
        await asyncio.sleep(10)
        (tmp_path / "alerts.db").rmdir()
        earlier = OutboxStore(tmp_path / "alerts.db")  # what was there before it failed is outdated
        earlier.change([Row(900, "ops", message(9).as_dict(), "0", False)], ())
        earlier.close()
        outbox.put(message(4))

    rig.play(scenario)
    assert sum("kept in memory" in text for text in rig.told) == 1
    assert rig.told[-1] == "alerts that wait are on disk again"
    with sqlite3.connect(tmp_path / "alerts.db") as database:
        assert database.execute("SELECT count(*) FROM outbox").fetchone() == (4,)
    database.close()


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
