"""From machines that fail to messages: what is a problem, what is behind it, what people read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alert_rig import WEBS, Watched, all_on, told
from ockle.common.logs import register_secret
from ockle.common.problems import Problem, Severity
from ockle.engine.alerts.rules import Rules
from ockle.engine.engine import Engine
from ockle.engine.settings import Settings
from ockle.networkTree.facts import Desired
from rig import Rig

ANY: Any = Problem
"""As somebody writes who checks no types."""


def switched_site() -> Rig:
    slowly = Settings(poll_interval=15.0, test_interval=15.0)
    return Rig({"sw": [], **{name: ["sw"] for name in WEBS}}, settings=slowly)


def test_a_network_that_is_as_ordered_has_no_problem(tmp_path: Path) -> None:
    rig = switched_site()

    async def scenario(engine: Engine) -> None:
        alerts = Watched(engine, tmp_path)
        assert await alerts.wait(120) == []  # all off, and nobody ever wanted them on
        run = await engine.order("on", ["sw", *WEBS], who="eva")
        assert not alerts.wrong()
        await run.finished.wait()
        assert await alerts.wait(120) == []
        await (await engine.order("off", WEBS[:3], who="eva")).finished.wait()
        await engine.force(WEBS[4], Desired.OFF, "broken fan", who="eva")
        await engine.hold(WEBS[5], True, "in the workshop", "eva")
        rig.by_hand(WEBS[5])  # and there somebody pulls its plug
        assert await alerts.wait(300) == []
        assert not alerts.wrong()

    rig.play(scenario)


def test_a_dead_switch_is_one_alert_and_one_recovery(tmp_path: Path) -> None:
    rig = switched_site()

    async def scenario(engine: Engine) -> None:
        alerts = Watched(engine, tmp_path)
        await all_on(engine)
        rig["sw"].wedge()
        for name in WEBS:
            rig[name].wedge()  # nobody reaches them
        (message,) = await alerts.wait(600)
        assert (message.kind, message.subject, message.severity) == ("problem", "server/sw", Severity.CRITICAL)
        assert message.title.startswith("sw does not serve any more: test sw.test failed")
        assert message.lines == ("with it: 30 servers: web[1-30]",)
        assert set(message.servers) == {"sw", *WEBS}
        rig["sw"].unwedge()
        for name in WEBS:
            rig[name].unwedge()
        (message,) = await alerts.wait(600)
        assert (message.kind, message.subject) == ("recovery", "server/sw")
        assert message.title.startswith("over after 9 min: sw")
        assert message.lines == ("with it: 30 servers: web[1-30]",)

    rig.play(scenario)


def test_what_is_behind_a_server_that_serves_is_not_the_cause(tmp_path: Path) -> None:
    rig = Rig({"san": [], "db": ["san"], "web": ["db"]})

    async def scenario(engine: Engine) -> None:
        alerts = Watched(engine, tmp_path)
        await all_on(engine)
        rig["san"].wedge()
        rig["web"].wedge()  # the database between them serves all the same
        assert sorted(told(await alerts.wait(300))) == [("problem", "server/san"), ("problem", "server/web")]

    rig.play(scenario)


def test_one_supply_of_two_that_is_lost_is_a_warning(tmp_path: Path) -> None:
    rig = Rig({"web1": []}, outlets={"web1": 2}, policy={"min_supplies": 1})

    async def scenario(engine: Engine) -> None:
        alerts = Watched(engine, tmp_path)
        await all_on(engine)
        rig["web1"].relays["web1.psu2"] = False
        (message,) = await alerts.wait(200)
        assert (message.severity, message.title) == (
            Severity.WARNING, "web1 is degraded: supply web1.psu2 is off",
        )  # fmt: skip
        rig["web1"].relays["web1.psu2"] = True
        assert told(await alerts.wait(200)) == [("recovery", "server/web1")]

    rig.play(scenario)


def test_who_gives_up_is_critical_and_those_that_wait_for_it_are_part_of_that(tmp_path: Path) -> None:
    rig = Rig({"db": [], "web1": ["db"], "web2": ["web1"]})

    async def scenario(engine: Engine) -> None:
        alerts = Watched(engine, tmp_path)
        await engine.set_auto(True)
        rig["db"].fail_boots = 99
        run = await engine.order("on", ["web2"], who="eva")
        messages = await alerts.wait(900)
        assert run.finished.is_set()
        alerts_of_db = [message for message in messages if message.subject == "server/db"]
        assert [message.severity for message in alerts_of_db] == [Severity.WARNING, Severity.CRITICAL]
        assert alerts_of_db[0].title.startswith("db failed to start (attempt 2): not up after 60 s")
        assert alerts_of_db[1].title.startswith("now critical: db gave up starting:")
        assert [(message.kind, message.subject) for message in messages if message not in alerts_of_db] == [
            ("notice", "run")
        ]

    rig.play(scenario)


def after_an_outage(rig: Rig) -> None:
    """Have all machines dark at the next start, which shall be on."""
    rig.play(all_on)
    for machine in rig.machines.values():
        machine.relays = dict.fromkeys(machine.relays, False)
        machine.os = "halted"


def test_a_long_start_is_no_problem(tmp_path: Path) -> None:
    slowly = Settings(poll_interval=5.0, test_interval=5.0, start_limit=1)
    rig = Rig({name: [] for name in WEBS[:6]}, store=f"sqlite:///{tmp_path}/state.db", settings=slowly)
    after_an_outage(rig)

    async def scenario(engine: Engine) -> None:
        alerts = Watched(engine, tmp_path, Rules(confirm=10))
        await engine.set_auto(True)
        assert await alerts.wait(40) == []
        assert list(rig.states().values()).count("OFF") > 1
        assert await alerts.wait(60) == []
        assert set(rig.states().values()) == {"OK"}

    rig.play(scenario)


def test_those_that_wait_for_what_fails_are_part_of_its_alert(tmp_path: Path) -> None:
    rig = Rig({"db": [], "web1": ["db"], "web2": ["web1"], "lone": []}, store=f"sqlite:///{tmp_path}/state.db")
    after_an_outage(rig)
    rig["db"].fail_boots = 99

    async def scenario(engine: Engine) -> None:
        alerts = Watched(engine, tmp_path)
        await engine.set_auto(True)
        messages = await alerts.wait(600)
        assert {message.subject for message in messages} == {"server/db"}
        assert messages[-1].title.startswith("now critical: db gave up starting")
        assert messages[-1].lines == ("with it: 2 servers: web[1-2]",)

    rig.play(scenario)


def test_what_nobody_ordered_and_fails_is_critical_once_it_has_served(tmp_path: Path) -> None:
    rig = Rig({"web1": []})

    async def scenario(engine: Engine) -> None:
        alerts = Watched(engine, tmp_path)
        rig.by_hand("web1")
        assert await alerts.wait(100) == []
        assert rig.states() == {"web1": "OK"}
        rig["web1"].wedge()
        (message,) = await alerts.wait(200)
        assert message.severity is Severity.CRITICAL

    rig.play(scenario)


def test_power_that_is_cut_by_somebody_else_is_told(tmp_path: Path) -> None:
    rig = Rig({"web1": []})

    async def scenario(engine: Engine) -> None:
        alerts = Watched(engine, tmp_path)
        await all_on(engine)
        rig.by_hand("web1")
        (message,) = await alerts.wait(200)
        assert message.title == "web1 is off and should be on: somebody else switched it off"
        await (await engine.order("on", ["web1"], who="eva")).finished.wait()
        assert told(await alerts.wait(200)) == [("recovery", "server/web1")]

    rig.play(scenario)


def test_who_is_cut_before_it_is_down_is_told_once(tmp_path: Path) -> None:
    rig = Rig({"web1": []}, policy={"shutdown_policy": "cut", "shutdown_timeout": 20.0})

    async def scenario(engine: Engine) -> None:
        alerts = Watched(engine, tmp_path)
        await all_on(engine)
        rig["web1"].hang_shutdown = rig["web1"].expendable = True
        await (await engine.order("off", ["web1"], who="eva")).finished.wait()
        await alerts.wait(200)
        (message,) = alerts.sent
        assert (message.kind, message.severity) == ("notice", Severity.CRITICAL)
        assert "cut by its policy" in message.title

    rig.play(scenario)


def test_an_emergency_and_a_safe_mode_are_told(tmp_path: Path) -> None:
    rig = Rig({"web1": []})

    async def scenario(engine: Engine) -> None:
        alerts = Watched(engine, tmp_path)
        await all_on(engine)
        await engine.emergency(["web1"], 60.0, who="eva", note="water")
        engine.core.safe_mode = "three starts in five minutes"
        messages = await alerts.wait(200)
        assert {message.subject for message in messages} == {"emergency", "daemon"}
        assert any(message.title == "emergency declared by eva, 1 server is kept off: water" for message in messages)

    rig.play(scenario)


def test_no_secret_leaves(tmp_path: Path) -> None:
    rig = Rig({"web1": []})
    register_secret("pu-bl-ic-7731")

    async def scenario(engine: Engine) -> None:
        alerts = Watched(engine, tmp_path)
        await all_on(engine)
        text = "community pu-bl-ic-7731 was refused"
        engine.problem_sources.append(lambda: [Problem("a", "device", Severity.WARNING, "outlets/a", text)])
        engine.core.events.publish("cut", "cut with pu-bl-ic-7731", "web1")
        messages = [*await alerts.wait(200), *alerts.sent]
        assert len(alerts.sent) == 2
        assert "pu-bl-ic" not in repr(messages) + repr(alerts.desk.listed("all", 0.0, 9))

    rig.play(scenario)


def test_a_server_that_fails_and_lacks_a_supply_is_one_alert(tmp_path: Path) -> None:
    rig = Rig({"web1": []}, outlets={"web1": 2}, policy={"min_supplies": 1})

    async def scenario(engine: Engine) -> None:
        alerts = Watched(engine, tmp_path)
        await all_on(engine)
        rig["web1"].relays["web1.psu2"] = False
        rig["web1"].wedge()
        (message,) = await alerts.wait(200)
        assert message.title.startswith("web1 does not serve any more")
        assert message.lines == ("also: web1 is degraded: supply web1.psu2 is off",)

    rig.play(scenario)


def test_a_restart_of_the_daemon_tells_nothing_twice(tmp_path: Path) -> None:
    rig = Rig({"web1": [], "web2": []}, store=f"sqlite:///{tmp_path}/state.db")

    async def first(engine: Engine) -> None:
        alerts = Watched(engine, tmp_path)
        await all_on(engine)
        rig["web1"].wedge()
        rig["web2"].wedge()
        assert len(await alerts.wait(200)) == 2
        alerts.desk.close()

    async def second(engine: Engine) -> None:
        rig["web2"].unwedge()
        alerts = Watched(engine, tmp_path)
        messages = await alerts.wait(400)
        assert told(messages) == [("recovery", "server/web2")]
        assert [alert["server"] for alert in alerts.desk.listed("open", 0.0, 10)["alerts"]] == ["web1"]
        assert [alert["server"] for alert in alerts.desk.listed("closed", 0.0, 10)["alerts"]] == ["web2"]

    rig.play(first)
    rig.play(second)


@pytest.mark.parametrize(
    "source",
    [
        lambda: 1 / 0,
        lambda: [None],
        lambda: [ANY("mine", "server", "critical", "mine", "it is bad")],
        lambda: [ANY("mine", "server", Severity.INFO, "mine", "it is bad", hangs_on=["web1"])],
        lambda: [ANY(7, "server", Severity.INFO, "mine", "it is bad")],
        lambda: [ANY("mine", "server", Severity.INFO, "mine", "it is bad", hangs_on=(None,))],
    ],
)  # fmt: skip
def test_a_source_with_a_bug_silences_no_other(source: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig({"web1": []})

    async def scenario(engine: Engine) -> None:
        engine.problem_sources.append(source)
        alerts = Watched(engine, tmp_path)
        await all_on(engine)
        rig["web1"].wedge()
        assert told(await alerts.wait(200)) == [("problem", "server/web1")]

    rig.play(scenario)
    assert sum("cannot be looked at" in record.message for record in caplog.records) == 1
