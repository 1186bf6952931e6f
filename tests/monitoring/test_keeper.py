"""Nodes on a virtual clock: who is asked, who is missing, what is beyond its limits, and what is no problem."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from node_rig import FINE, NodeSite, monitor
from ockle.common.problems import Severity
from ockle.engine.engine import Engine
from ockle.engine.monitoring.node_watch import NodeState
from ockle.engine.monitoring.report import never_sent
from ockle.engine.sampling import Sampler
from rig import Rig
from rig_calls import CHAIN, down, up

FULL = {**FINE, "disk_percent": 97}
LIMITS = ["disk_percent > 85 for 1m until 80", "critical: disk_percent > 95 for 1m until 93", "load < 0"]


def test_a_disk_fills_and_is_emptied() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        site = NodeSite(engine, monitor(limits=LIMITS))
        await site.wait(15)
        assert set(site.states().values()) == {NodeState.UP}
        assert site.problems() == {}
        await site.wait(50, {"web": FULL})
        assert site.problems() == {}  # not for long enough
        await site.wait(40)
        (problem,) = site.problems().values()
        assert problem.key == "limit/web/disk_percent"
        assert problem.severity is Severity.CRITICAL
        assert problem.text == "web: disk_percent is 97, more than 95"
        assert (problem.server, problem.hangs_on) == ("web", ("node/web",))
        await site.wait(15, {"web": {**FINE, "disk_percent": 90}})
        assert site.problems()["limit/web/disk_percent"].severity is Severity.WARNING
        await site.wait(600, {"web": {**FINE, "disk_percent": 83}})
        assert "limit/web/disk_percent" in site.problems()  # within the band
        await site.wait(15, {"web": FINE})
        assert site.problems() == {}
        assert len(site.told()) == 4  # two limits, up and down
        await site.stop()

    rig.play(scenario)


def test_a_node_that_calls_its_figures_otherwise_each_time_makes_no_flood_of_series() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        site = NodeSite(engine, monitor(limits=["load > 90"]))
        seen: set[str] = set()
        for turn in range(20):
            await site.wait(15, {"web": {f"k{turn}.{number}": number for number in range(90)} | {"load": turn}})
            seen |= {series.key for series in site.keeper.measured() if series.object == "web"}
        assert len(seen) <= 101
        assert site.one("web").figures == {"load": 19}
        assert "by more than 100 names" in site.one("web").problem
        assert len(site.told()) == 1
        await site.stop()

    rig.play(scenario)


def test_a_silent_node_is_missing_after_its_time_and_comes_back() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        site = NodeSite(engine, monitor(limits=["disk_percent > 85"], more=["ups=10.0.0.9"]))
        await site.wait(15, {"web": FULL})
        assert set(site.problems()) == {"limit/web/disk_percent"}
        await site.wait(50, {"web": "10.0.0.7:3000: no answer within 1 s", "ups": "no route"})
        assert site.states()["web"] is NodeState.WAITING
        await site.wait(40)
        found = site.problems()
        assert set(found) == {"limit/web/disk_percent", "node/web", "node/ups"}
        assert found["node/web"].hangs_on == ("server/web",)
        assert found["node/ups"].hangs_on == ()
        assert found["node/web"].text == "web: its figures are missing: 10.0.0.7:3000: no answer within 1 s"
        await site.wait(15, {"web": FINE, "ups": FINE})
        assert site.problems() == {}
        assert [text for text in site.told() if text.startswith("ups")] == [
            "ups: its figures are missing: no route",
            "ups: its figures are back",
        ]
        await site.stop()

    rig.play(scenario)


def test_what_is_off_on_purpose_is_neither_asked_nor_missing() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        site = NodeSite(engine, monitor())
        await site.wait(15)
        await down(engine, "web")
        site.says["web"] = "nobody there"
        await site.wait(2)
        assert site.states()["web"] is NodeState.OFF
        site.asked.clear()
        await site.wait(600)
        assert "web" not in site.asked
        assert site.problems() == {}
        await up(engine)
        await site.wait(30)
        assert site.states()["web"] is NodeState.WAITING
        assert site.problems() == {}
        await site.wait(60)
        assert set(site.problems()) == {"node/web"}
        await site.stop()

    rig.play(scenario)


def test_a_machine_that_boots_is_not_missing_however_long_it_takes() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        site = NodeSite(engine, monitor(interval="1s", missing_after="3s"))
        await down(engine, "web")
        site.says["web"] = "nobody there"
        run = await engine.order("on", ["web"], who="test")
        seconds = 0
        while not run.finished.is_set():
            assert site.problems() == {}
            await asyncio.sleep(1)
            seconds += 1
        assert seconds > 10
        await site.wait(10)
        assert set(site.problems()) == {"node/web"}
        await site.stop()

    rig.play(scenario)


def test_no_problem_while_it_is_just_being_switched() -> None:
    """Even before the poller has learnt of it: problems look at the servers as they are at that moment."""
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        site = NodeSite(engine, monitor(limits=["disk_percent > 85"]))
        await site.wait(15, {"web": FULL})
        assert site.problems()
        await engine.order("off", ["web"], who="test")
        assert site.problems() == {}
        await site.stop()

    rig.play(scenario)


def test_a_restart_mends_nothing() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        first = NodeSite(engine, monitor(limits=["cpu_percent > 90 for 5m until 80"]))
        await first.wait(400, {"web": {"cpu_percent": 99}, "nas": "no answer"})
        before = set(first.problems())
        assert before == {"limit/web/cpu_percent", "node/nas"}
        await first.stop()
        second = NodeSite(engine, monitor(limits=["cpu_percent > 90 for 5m until 80"]))
        second.says |= {"web": {"cpu_percent": 85}, "nas": "no answer"}
        for _ in range(30):
            await asyncio.sleep(1)
            if second.keeper.looks():
                assert set(second.problems()) == before
        await second.wait(15, {"web": FINE, "nas": FINE})
        assert second.problems() == {}
        await second.stop()

    rig.play(scenario)


def test_nodes_that_cannot_be_found_are_told_once_and_nothing_is_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        first = NodeSite(engine, monitor())
        await first.wait(200, {"web": "no answer"})
        assert set(first.problems()) == {"node/web"}
        await first.stop()
        second = NodeSite(engine, monitor(), hidden="more names than there may be")
        second.says["web"] = "no answer"
        await second.wait(600)
        assert second.states() == {}
        second.hidden = ""
        await second.wait(61)
        assert set(second.problems()) == {"node/web"}
        await second.stop()

    rig.play(scenario)
    assert len([one for one in caplog.records if "more names than there may be" in one.getMessage()]) == 1


def test_other_nodes_and_limits_after_a_reload() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        site = NodeSite(engine, monitor(limits=["disk_percent > 30"]))
        await site.wait(15)
        assert len(site.problems()) == len(CHAIN)
        site.monitors[:] = [monitor(servers=[], more=["pi=10.0.0.7"], interval="2s", limits=["disk_percent > 50"])]
        site.keeper.renew()
        await site.wait(5)
        assert site.states() == {"pi": NodeState.UP}
        assert site.problems() == {}
        site.asked.clear()
        await site.wait(20)
        assert 8 <= len(site.asked) <= 12
        await site.stop()

    rig.play(scenario)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"cpu_percent": "much"}, "cpu_percent is 'much', no number"),
        ({}, "it sends no figures"),
    ],
)
def test_nonsense_is_told_once_and_then_it_is_missing(said: dict[str, Any], problem: str) -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        site = NodeSite(engine, monitor())
        await site.wait(15)
        await site.wait(300, {"web": said})
        assert site.told() == [f"web: its figures are missing: {problem}"]
        await site.stop()

    rig.play(scenario)


def test_a_figure_that_is_wrong_does_not_take_the_others_away() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        site = NodeSite(engine, monitor(limits=["disk_percent > 85", "disk_precent > 85"]))
        await site.wait(60, {"web": {**FULL, "cpu_percent": None, "memory_percent": -1}})
        assert site.states()["web"] is NodeState.UP
        assert site.one("web").problem == "memory_percent is -1, less than nothing"
        assert set(site.problems()) == {"limit/web/disk_percent"}
        (warning,) = never_sent(site.keeper.looks())
        assert "no node sends disk_precent" in warning
        assert "they send cpu_percent, disk_percent" in warning
        await site.stop()

    rig.play(scenario)


def test_each_measurement_is_one_sample() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        site = NodeSite(engine, monitor())
        sampler = Sampler(1.0)

        async def sampled() -> dict[str, float]:
            look = sampler.look(engine.network, engine.settings, engine.core.clock.now(), [site.keeper.measured])
            values, pace = await look
            mine = {one: value for one, value in values.items() if one.server == "web" and one.kind == "node"}
            assert {pace[one] for one in mine} <= {10.0}
            return {f"{one.object} {one.key}": value for one, value in mine.items()}

        await site.wait(15)
        assert await sampled() == {"web cpu_percent": 5, "web disk_percent": 40}
        assert await sampled() == {}
        await site.wait(30, {"web": "no answer"})
        await sampled()  # there may have been one more answer
        await site.wait(30)
        assert await sampled() == {}
        await site.stop()

    rig.play(scenario)


def test_nodes_are_asked_one_after_the_other_and_not_all_at_once() -> None:
    rig = Rig({f"n{number}": () for number in range(40)})

    async def scenario(engine: Engine) -> None:
        await up(engine)
        site = NodeSite(engine, monitor())
        most = 0
        for _ in range(20):
            before = len(site.asked)
            await asyncio.sleep(1)
            most = max(most, len(site.asked) - before)
        assert set(site.asked) == {server.name for server in engine.network}
        assert most <= 20
        await site.stop()

    rig.play(scenario)
