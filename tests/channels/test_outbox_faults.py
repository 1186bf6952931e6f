"""Channels that refuse, fail or have bugs, and a disk that does: what becomes of the messages; on a virtual clock."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from ockle.channels.ChannelTemplate import MessageRefused, TryLater
from ockle.common.errors import DeviceRefused, DeviceUnreachable
from ockle.engine.alerts.outbox import Outbox
from ockle.store.outbox_store import OutboxStore, Row
from outbox_rig import Rig, message

DOWN = DeviceUnreachable("there: Connection refused")


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
