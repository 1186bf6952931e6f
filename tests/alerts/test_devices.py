"""Which devices are behind what fails: PDUs that are silent, testers that nobody passes."""

from __future__ import annotations

from pathlib import Path

from alert_rig import WEBS, Watched, all_on, told
from ockle.common.problems import Severity
from ockle.engine.engine import Engine
from ockle.networkTree.facts import Desired
from rig import Rig


async def up(engine: Engine, path: Path, *testers: str) -> Watched:
    """Have all servers up, tested by these in turn."""
    await all_on(engine)
    for number, node in enumerate(engine.network):
        node.tests[0].params[node.tests[0].SECTION] = testers[number % len(testers)]
    return Watched(engine, path)


def test_many_that_fail_one_tester_at_once_are_one_alert_though_no_switch_is_named(tmp_path: Path) -> None:
    rig = Rig({name: [] for name in WEBS[:5]})

    async def scenario(engine: Engine) -> None:
        alerts = await up(engine, tmp_path, "ping")
        for name in WEBS[:5]:
            rig[name].wedge()
        (message,) = await alerts.wait(300)
        assert message.subject == "testers/ping"
        assert "none of 5 servers passes" in message.title
        assert message.lines == ("with it: 5 servers: web[1-5]",)

    rig.play(scenario)


def test_a_tester_that_one_server_passes_is_not_what_is_wrong(tmp_path: Path) -> None:
    rig = Rig({name: [] for name in WEBS[:5]})

    async def scenario(engine: Engine) -> None:
        alerts = await up(engine, tmp_path, "ping")
        for name in WEBS[:4]:
            rig[name].wedge()
        assert sorted(told(await alerts.wait(200))) == [("problem", f"server/{name}") for name in WEBS[:4]]

    rig.play(scenario)


def test_when_nothing_answers_any_more_it_is_one_alert(tmp_path: Path) -> None:
    rig = Rig({name: [] for name in WEBS[:5]})

    async def scenario(engine: Engine) -> None:
        alerts = await up(engine, tmp_path, "http", "ping")
        for node in engine.network:
            rig[node.name].silent = True  # somebody has pulled Ockle's own cable
            rig[node.name].wedge()
        (message,) = await alerts.wait(300)
        assert message.title == "none of 5 PDUs answers: Ockle is cut off from them, or they have no power"
        assert message.lines[0] == "with it: 5 servers: web[1-5]"

    rig.play(scenario)


def test_servers_that_fail_all_their_testers_at_once_are_one_alert(tmp_path: Path) -> None:
    rig = Rig({name: [] for name in WEBS[:6]})

    async def scenario(engine: Engine) -> None:
        alerts = await up(engine, tmp_path, "http", "ping")
        for node in engine.network:
            rig[node.name].wedge()
        (message,) = await alerts.wait(300)
        assert message.title.startswith("no server passes its tests, whatever asks: tester ")

    rig.play(scenario)


def test_a_server_that_others_need_is_the_cause_and_not_the_tester(tmp_path: Path) -> None:
    rig = Rig({"db": [], **{name: ["db"] for name in WEBS[:5]}})

    async def scenario(engine: Engine) -> None:
        alerts = await up(engine, tmp_path, "ping")
        for node in engine.network:
            rig[node.name].wedge()
        assert told(await alerts.wait(300)) == [("problem", "server/db")]

    rig.play(scenario)


def test_a_pdu_that_is_silent_is_the_cause_of_what_is_unknown(tmp_path: Path) -> None:
    rig = Rig({"web1": []})

    async def scenario(engine: Engine) -> None:
        alerts = Watched(engine, tmp_path)
        await all_on(engine)
        rig["web1"].silent = True
        messages = await alerts.wait(300)
        assert told(messages) == [("problem", "outlets/web1.psu1")]
        assert messages[0].title.startswith("PDU web1.psu1 does not answer:")
        rig["web1"].silent = False
        assert told(await alerts.wait(300)) == [("recovery", "outlets/web1.psu1")]

    rig.play(scenario)


def test_an_outlet_that_cannot_be_read_is_told_of_its_pdu(tmp_path: Path) -> None:
    rig = Rig({"web1": [], "web2": []})

    async def scenario(engine: Engine) -> None:
        alerts = Watched(engine, tmp_path)
        for node in engine.network:
            node.outlets[0].params["pdu"] = "strip"
        await all_on(engine)
        rig["web1"].silent = True
        (message,) = await alerts.wait(300)
        assert message.severity is Severity.WARNING
        assert message.title == "PDU strip: 1 of 2 outlets cannot be read: web1.psu1: no answer"
        engine.network.getServernode("web1").facts.op = Desired.ON
        assert alerts.wrong() == {}  # it is just being switched

    rig.play(scenario)
