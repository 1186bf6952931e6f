"""What else is a problem: UPSes, circuits, schedules, boards, plugins, stores; a mains failure is one alert."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alert_rig import EVERY_S, Watched, told
from ockle.common.clock import SystemClock
from ockle.common.problems import Severity
from ockle.config.schedules import Schedule
from ockle.engine.alerts.schedule_problems import REMEMBERED_S, schedule_problems
from ockle.engine.alerts.site_problems import plugin_problems
from ockle.engine.alerts.ups_problems import fed_by, ups_problems
from ockle.engine.engine import Engine
from ockle.engine.scheduler import Outcome, Record, Scheduler
from ockle.netboot.boards import Boards
from ockle.netboot.problems import board_problems
from ockle.netboot.stages import Stage
from rig import Rig
from rig_calls import CHAIN, up
from rig_machine import Fuse
from ups_rig import BATTERY, MAINS, Site, ups


async def watched(alerts: Watched, site: Site, seconds: float) -> list[tuple[str, str]]:
    """Let the UPS keeper and the alerts look in turns; returns what was sent."""
    before = len(alerts.sent)
    for _ in range(int(seconds / EVERY_S)):
        await site.keeper.look()
        await alerts.wait(EVERY_S)
    return told(alerts.sent[before:])


def test_a_mains_failure_is_an_alert_of_the_ups_and_of_nothing_else(tmp_path: Path) -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        site = Site(engine, ups(after="3m"))
        alerts = Watched(engine, tmp_path)
        engine.problem_sources.append(lambda: ups_problems(site.keeper, engine.core.clock.now()))
        assert await watched(alerts, site, 100) == []
        site.says["rack"] = BATTERY
        assert await watched(alerts, site, 600) == [("problem", "ups/rack"), ("problem", "ups/rack")]
        first, second = alerts.sent
        assert first.title == "UPS rack is on battery (charge 100 %, runtime 60 min)"
        assert first.severity is Severity.WARNING and second.severity is Severity.CRITICAL
        assert second.title.startswith("now critical: UPS rack is on battery")
        (alert,) = alerts.desk.listed("open", 0.0, 10)["alerts"]
        assert [one["subject"] for one in alert["affected"]] == ["emergency"]
        site.says["rack"] = MAINS
        assert await watched(alerts, site, 600) == [("recovery", "ups/rack")]

    rig.play(scenario)


def test_a_pdu_that_dies_with_its_ups_is_part_of_that(tmp_path: Path) -> None:
    rig = Rig({"a": [], "b": []})

    async def scenario(engine: Engine) -> None:
        for node in engine.network:
            node.outlets[0].params["pdu"] = "strip"
        await up(engine)
        site = Site(engine, ups(after="10h", min_charge="0", min_runtime="0s", margin="0s", lost="tell"))
        alerts = Watched(engine, tmp_path)
        engine.problem_sources.append(lambda: ups_problems(site.keeper, engine.core.clock.now()))
        engine.feeders.append(lambda: fed_by(site.keeper))
        site.says["rack"] = BATTERY
        assert await watched(alerts, site, 100) == [("problem", "ups/rack")]
        site.says["rack"] = "no answer"
        rig["a"].silent = rig["b"].silent = True
        assert await watched(alerts, site, 300) == [("problem", "ups/rack")]
        assert alerts.sent[-1].title == "now critical: UPS rack is lost, and it was on battery: no answer"
        (alert,) = alerts.desk.listed("open", 0.0, 10)["alerts"]
        assert {one["subject"] for one in alert["affected"]} == {"outlets/strip", "server/a", "server/b"}

    rig.play(scenario)


@pytest.mark.parametrize(
    ("says", "severity", "text"),
    [
        ("no answer", Severity.WARNING, "UPS rack is lost: no answer"),
        ({**BATTERY, "ups.status": "OB LB"}, Severity.CRITICAL, "UPS rack is on battery"),
        ({**MAINS, "ups.status": "OL RB"}, Severity.WARNING, "UPS rack: "),
    ],
)
def test_what_a_ups_says(tmp_path: Path, says: dict[str, str] | str, severity: Severity, text: str) -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        site = Site(engine, ups(after="10h", lost="tell"))
        assert not list(ups_problems(site.keeper, 0.0))  # it has not been asked yet
        site.says["rack"] = says
        await site.keeper.look()
        (problem,) = [one for one in ups_problems(site.keeper, engine.core.clock.now()) if one.subject == "ups/rack"]
        assert problem.severity is severity
        assert problem.text.startswith(text)

    rig.play(scenario)


def test_a_circuit_that_trips_is_the_cause_of_what_is_on_it(tmp_path: Path) -> None:
    needs: dict[str, list[str]] = {"a": [], "b": [], "c": []}
    rig = Rig(needs, circuits={"f": Fuse(max_watts=700, watts={"a": 100.0, "b": 100.0, "c": 100.0})})

    async def scenario(engine: Engine) -> None:
        alerts = Watched(engine, tmp_path)
        await up(engine)
        await alerts.wait(120)
        for name in needs:  # the fuse feeds the PDUs as well
            rig[name].silent = True
        (message,) = await alerts.wait(300)
        assert message.subject == "circuit/f"
        assert message.title == "circuit f seems to have tripped: none of its 3 outlets shows life"

    rig.play(scenario)


def test_a_pdu_that_has_a_circuit_for_itself_and_is_silent_is_the_cause(tmp_path: Path) -> None:
    needs: dict[str, list[str]] = {"a": [], "b": []}
    rig = Rig(needs, circuits={"f": Fuse(max_watts=700, watts={"a": 100.0, "b": 100.0})})

    async def scenario(engine: Engine) -> None:
        alerts = Watched(engine, tmp_path)
        for node in engine.network:
            node.outlets[0].params["pdu"] = "strip"
        await up(engine)
        await alerts.wait(120)
        for name in needs:
            rig[name].silent = True
        (message,) = await alerts.wait(300)
        assert message.subject == "outlets/strip"
        assert "with it: circuit/f" in message.lines

    rig.play(scenario)


def test_a_circuit_with_too_much_on_it(tmp_path: Path) -> None:
    rig = Rig({"a": [], "b": []}, circuits={"f": Fuse(max_watts=150, watts={"a": 100.0, "b": 100.0})})

    async def scenario(engine: Engine) -> None:
        alerts = Watched(engine, tmp_path)
        rig["a"].relay("a.psu1", True)  # somebody presses the buttons
        rig["b"].relay("b.psu1", True)
        await alerts.wait(60)
        assert alerts.wrong() == {"circuit/f": "circuit f is over its limit: 200 of 150 W are on"}

    rig.play(scenario)


def test_schedules_that_did_not_do_what_they_are_for() -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        scheduler = Scheduler(engine, lambda: False)
        now = engine.core.clock.wall()
        names = {"night": "missed", "day": "refused", "noon": "ordered"}
        scheduler._records = {
            name: Record("", now, Outcome(now, now, what, f"{what} it")) for name, what in names.items()
        }
        plain = Schedule.__new__(Schedule)
        object.__setattr__(plain, "enabled", True)
        scheduler._schedules = dict.fromkeys(names, plain)
        found = {one.key: one.text for one in schedule_problems(scheduler, now + 60)}
        assert found == {
            "schedule/night": "schedule night: missed it",
            "schedule/day": "schedule day: refused: refused it",
        }
        assert not list(schedule_problems(scheduler, now + REMEMBERED_S + 1))

    rig.play(scenario)


def test_a_board_that_says_that_it_failed(tmp_path: Path) -> None:
    boards = Boards(tmp_path / "boards.db", SystemClock())
    boards.note("aa:bb:cc:00:00:01", Stage.FAILED, "no root file system")
    boards.note("aa:bb:cc:00:00:02", Stage.UP)
    (problem,) = board_problems(boards.all(), lambda mac: "pi3", {"aa:bb:cc:00:00:01": "web1"})
    assert problem.text == "board pi3: its boot failed: no root file system"
    assert (problem.server, problem.hangs_on) == ("web1", ("server/web1",))
    boards.close()


def test_plugins_that_do_not_work() -> None:
    (problem,) = plugin_problems({"UPS": "", "NetBoot": "port 69 is taken"})
    assert problem.text == "plugin NetBoot does not work: port 69 is taken"
    assert replace(problem, text="").subject == "plugin/NetBoot"


def test_a_full_disk_is_an_alert_and_ends_no_other(tmp_path: Path) -> None:
    rig = Rig({"a": []})

    async def scenario(engine: Engine) -> None:
        alerts = Watched(engine, tmp_path / "missing")  # nothing can be written there yet
        await up(engine)
        rig["a"].wedge()
        messages = await alerts.wait(200)
        assert {message.subject for message in messages} == {"server/a", "daemon"}
        assert any(message.title.startswith("alerts are kept in memory only: cannot use") for message in messages)
        (tmp_path / "missing").mkdir()
        assert told(await alerts.wait(200)) == [("recovery", "daemon")]
        alerts.desk.close()
        again = Watched(engine, tmp_path / "missing")
        assert [one["subject"] for one in again.desk.listed("open", 0.0, 9)["alerts"]] == ["server/a"]

    rig.play(scenario)
