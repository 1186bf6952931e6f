"""The desk and its file: what is listed, what survives, what is left out."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from ockle.common.alert_message import AlertMessage
from ockle.common.clock import LoopClock
from ockle.common.errors import CommandError
from ockle.common.events import EventBus
from ockle.common.problems import Problem, Severity
from ockle.engine.alerts.desk import AlertDesk
from ockle.engine.alerts.rules import Rules
from ockle.engine.alerts.telling import Sender
from ockle.simulator.virtual_time import run
from ockle.store.alert_store import AlertRow, AlertStore

LONG_AGO = 0.0


def problem(name: str, severity: Severity = Severity.WARNING) -> Problem:
    return Problem(f"server/{name}", "server", severity, f"server/{name}", f"{name} is bad", name)


def desk_on(path: Path, sent: list[AlertMessage] | None = None) -> AlertDesk:
    clock = LoopClock()
    put = (sent if sent is not None else []).append
    desk = AlertDesk(AlertStore(path), clock, EventBus(clock=clock), put, Rules(confirm=5, settle=5), Sender("rack"))
    desk.load()
    return desk


async def looks(desk: AlertDesk, seconds: int, *problems: Problem) -> None:
    for _ in range(seconds // 5):
        desk.look(problems, {})
        await asyncio.sleep(5)


def test_the_worst_of_the_open_ones_first_then_the_newest_of_the_closed(tmp_path: Path) -> None:
    async def scenario() -> None:
        desk = desk_on(tmp_path / "alerts.db")
        await looks(desk, 20, problem("a"), problem("b"))
        await looks(desk, 20)
        await looks(desk, 20, problem("c"), problem("d", Severity.CRITICAL))
        listed = desk.listed("all", LONG_AGO, 10)
        assert [one["server"] for one in listed["alerts"]] == ["d", "c", "b", "a"]
        assert listed["counts"] == {"critical": 1, "warning": 1, "info": 0}
        assert [one["server"] for one in desk.listed("closed", LONG_AGO, 1)["alerts"]] == ["b"]
        assert desk.listed("closed", 1e12, 10)["alerts"] == []
        assert desk.get(1)["server"] == "a"
        with pytest.raises(CommandError, match="no alert 9"):
            desk.get(9)

    run(scenario())


def test_numbers_go_on_and_silences_stay_after_a_restart(tmp_path: Path) -> None:
    async def scenario() -> None:
        desk = desk_on(tmp_path / "alerts.db")
        desk.silence(["z"], "ups/*", 3600, "eva", "moving")
        await looks(desk, 20, problem("a"))
        await looks(desk, 20)
        desk.close()
        sent: list[AlertMessage] = []
        after = desk_on(tmp_path / "alerts.db", sent)
        assert after.listed("open", LONG_AGO, 9)["silences"][0]["note"] == "moving"
        await looks(after, 20, problem("b"))
        assert [message.alert for message in sent] == [2]
        after.end_silence(1)
        assert after.listed("open", LONG_AGO, 9)["silences"] == []
        after.close()
        assert desk_on(tmp_path / "alerts.db").listed("open", LONG_AGO, 9)["silences"] == []

    run(scenario())


def test_a_crash_loses_no_message(tmp_path: Path) -> None:
    """What is known to be told was handed over before."""

    async def scenario() -> None:
        path, sent = tmp_path / "alerts.db", list[AlertMessage]()

        class Crash(BaseException):
            """The process ends here."""

        class Dying(AlertStore):
            def put(self, *_: object) -> None:
                raise Crash

        clock = LoopClock()
        rules, sender = Rules(confirm=5), Sender("rack")
        desk = AlertDesk(Dying(path), clock, EventBus(clock=clock), sent.append, rules, sender)
        desk.load()
        desk.look([problem("a")], {})
        await asyncio.sleep(5)
        with pytest.raises(Crash):
            desk.look([problem("a")], {})
        assert [message.subject for message in sent] == ["server/a"]
        after = desk_on(path, sent)
        await looks(after, 20, problem("a"))
        assert [message.subject for message in sent] == ["server/a"] * 2

    run(scenario())


def test_nothing_is_written_while_nothing_changes(tmp_path: Path) -> None:
    async def scenario() -> None:
        desk = desk_on(tmp_path / "alerts.db")
        await looks(desk, 20, problem("a"))
        before = desk._store._file._connection.total_changes  # type: ignore[union-attr]
        await looks(desk, 200, problem("a"))
        assert desk._store._file._connection.total_changes == before  # type: ignore[union-attr]

    run(scenario())


def test_rows_that_make_no_sense_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = AlertStore(tmp_path / "alerts.db")
    store.put([AlertRow(7, 1.0, None, {"id": 7}), AlertRow(8, 1.0, None, {})], [{"id": 3}])
    store.close()
    with sqlite3.connect(tmp_path / "alerts.db") as connection:
        connection.execute("UPDATE alerts SET body = '{' WHERE id = 8")
    connection.close()

    async def scenario() -> None:
        desk = desk_on(tmp_path / "alerts.db")
        assert desk.listed("all", LONG_AGO, 10)["alerts"] == []
        await looks(desk, 20, problem("a"))
        assert [one["id"] for one in desk.listed("open", LONG_AGO, 9)["alerts"]] == [9]

    run(scenario())
    assert caplog.text.count("is left out") >= 3


def test_a_damaged_file_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "alerts.db").write_text("this is not a database, but long enough to look like a file of one" * 50)

    async def scenario() -> None:
        sent: list[AlertMessage] = []
        desk = desk_on(tmp_path / "alerts.db", sent)
        await looks(desk, 30, problem("a"))
        assert [message.subject for message in sent] == ["server/a"]
        desk.close()

    run(scenario())
    assert caplog.text.count("it is set aside, and a new one is begun") == 1
    assert len(list(tmp_path.glob("alerts.damaged-*.db"))) == 1


def test_old_alerts_go(tmp_path: Path) -> None:
    store = AlertStore(tmp_path / "alerts.db", keep=10)
    for number in range(1, 31):
        store.put([AlertRow(number, 1.0, None if number == 1 else 2.0, {"id": number})])
    assert [body["id"] for body in store.closed(0.0, 100)] == list(range(30, 20, -1))
    assert store.load() == ([{"id": 1}], [], 30)  # an open one stays
    store.close()
