"""Mains failures on machines in memory and a virtual clock: who goes down when, who comes back, and who does not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.common.nut import Supply, reading_of
from ockle.engine.engine import Engine
from ockle.engine.ups_report import measured
from ockle.engine.ups_watch import ALL, CRITICAL, Watch, calls, is_ready, time_left
from rig import Rig
from rig_calls import CHAIN, again, down, up
from ups_rig import BATTERY, MAINS, Site, off, ups


def test_ten_minutes_without_mains() -> None:
    """Down in order while the battery lasts, and back in order: exactly what was on before."""
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        await down(engine, "lone")
        site = Site(engine, ups(shed=["web after 20s"]))
        await site.wait(10)
        await site.wait(15, BATTERY)
        assert off(rig) == {"lone"}
        await site.wait(40)
        assert off(rig) == {"lone", "web"}
        await site.wait(545)
        assert off(rig) == set(CHAIN)
        assert engine.emergencies.declared is not None
        await site.wait(20, MAINS)
        assert off(rig) == set(CHAIN)  # not for long enough yet
        await site.wait(120)
        assert off(rig) == {"lone"}
        assert engine.emergencies.declared is None
        assert site.one()["down"] == []
        assert any("3 servers go down: on battery for" in text for text in site.told()), site.told()

    rig.play(scenario)
    assert rig.broken() == []
    assert [sight for sight in rig.sights if sight.what == "cut while mounted"] == []
    halts = [sight.machine for sight in rig.sights if sight.what == "halted"]
    assert halts[-4:] == ["web", "hv", "nas", "switch"]


@pytest.mark.parametrize(
    ("options", "says", "why"),
    [
        ({}, {"battery.charge": "29"}, "charge 29 % is below 30 %"),
        ({}, {"battery.runtime": "200"}, "runtime 200 s is below 300 s"),
        ({"min_runtime": "0s", "margin": "10h"}, {}, "less than the shutdown takes"),
        ({}, {"ups.status": "OB LB"}, "its battery is low"),
        ({}, {"ups.status": "FSD OL"}, "forced shutdown"),
    ],
)
def test_what_takes_everything_down_at_once(options: dict[str, str], says: dict[str, str], why: str) -> None:
    async def scenario(engine: Engine) -> None:
        await up(engine)
        site = Site(engine, ups(after="0s", **options))
        await site.wait(5)
        await site.wait(0, {**BATTERY, **says})
        assert any(why in text for text in site.told()), site.told()
        await site.wait(60)
        assert off(rig) == set(CHAIN)

    rig = Rig(CHAIN)
    rig.play(scenario)
    assert rig.broken() == []


def test_a_runtime_counts_once_it_is_less_than_the_shutdown_takes_and_the_margin() -> None:
    async def scenario(engine: Engine) -> None:
        await up(engine)
        site = Site(engine, ups(after="0s", min_runtime="0s", margin="1m"))
        await site.wait(5)
        takes = site.one()["shutdown_s"]
        assert takes > 20
        await site.wait(60, {**BATTERY, "battery.runtime": f"{takes + 61:.0f}"})
        assert off(rig) == set()
        await site.wait(60, {**BATTERY, "battery.runtime": f"{takes + 58:.0f}"})
        assert off(rig) == set(CHAIN)

    rig = Rig(CHAIN)
    rig.play(scenario)
    assert rig.broken() == []


@pytest.mark.parametrize(
    "says",
    [
        {"ups.status": "OL OB"},
        {"ups.status": "OFF"},
        {"ups.status": ""},
        {"ups.status": "WAIT"},
        {"ups.status": "OB CAL", "battery.charge": "5"},
        {"ups.status": "OL", "battery.charge": "5", "battery.runtime": "1"},
        {"ups.status": "OB", "battery.charge": "-3", "battery.runtime": "nan"},
    ],
)
def test_what_is_doubtful_shuts_nobody_down(says: dict[str, str]) -> None:
    async def scenario(engine: Engine) -> None:
        await up(engine)
        site = Site(engine, ups(after="1h"))
        await site.wait(10)
        await site.wait(300, says)
        assert off(rig) == set()
        assert site.one()["problem"] or says["ups.status"] == "OL"

    rig = Rig(CHAIN)
    rig.play(scenario)


@pytest.mark.parametrize(
    ("lost", "before", "goes"),
    [
        ("tell", BATTERY, False), ("on_battery", MAINS, False), ("on_battery", BATTERY, True), ("always", MAINS, True),
    ],
)  # fmt: skip
def test_upsd_is_gone(lost: str, before: dict[str, str], goes: bool) -> None:
    async def scenario(engine: Engine) -> None:
        await up(engine)
        site = Site(engine, ups(after="1h", lost=lost))
        await site.wait(10, before)
        await site.wait(50, "upsd at 127.0.0.1:3493: no answer")
        assert off(rig) == set()
        assert site.one()["supply"] == "unknown"
        await site.wait(120)
        assert off(rig) == (set(CHAIN) if goes else set())
        assert len([text for text in site.told() if "no answer" in text]) == 1  # told once
        await site.wait(120, MAINS)
        assert off(rig) == set()

    rig = Rig(CHAIN)
    rig.play(scenario)
    assert rig.broken() == []


def test_power_back_in_mid_shutdown_ends_nothing_half_way() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        rig["nas"].hang_shutdown = True
        rig["nas"].expendable = True  # its time runs out
        site = Site(engine, ups(back_for="0s", within="200s"))
        await site.wait(75, BATTERY)
        assert "web" in off(rig)
        assert "nas" not in off(rig)
        await site.wait(60, MAINS)
        assert off(rig) >= {"web", "hv"}  # the mains are back, and it goes on down
        assert engine.emergencies.declared is not None
        rig["nas"].hang_shutdown = False
        await site.wait(300)
        assert off(rig) == set()

    rig.play(scenario)
    assert rig.broken() == []


def test_a_short_failure_and_a_flapping_one() -> None:
    async def scenario(engine: Engine) -> None:
        await up(engine)
        site = Site(engine, ups())
        await site.wait(10)
        await site.wait(50, BATTERY)
        await site.wait(50, MAINS)
        assert off(rig) == set()
        for _ in range(10):
            await site.wait(10, BATTERY)
            await site.wait(5, MAINS)
        assert off(rig) == set()
        assert len(site.told()) < 14  # six changes, then that they come and go
        assert any("come and go" in text for text in site.told())
        await site.wait(700)
        assert "on mains" in site.told()[-1]

    rig = Rig(CHAIN)
    rig.play(scenario)


def test_it_outlives_the_daemon(tmp_path: Path) -> None:
    rig = Rig(CHAIN, store=f"sqlite:///{tmp_path}/state.db")

    async def first(engine: Engine) -> None:
        await up(engine)
        await down(engine, "lone")
        site = Site(engine, ups())
        await site.wait(10)
        await site.wait(200, BATTERY)
        assert off(rig) == set(CHAIN)

    async def second(engine: Engine) -> None:
        await engine.set_auto(True)
        site = Site(engine, ups())
        await site.wait(60, {**MAINS, "battery.charge": "20"})
        assert off(new) == set(CHAIN)
        assert site.one()["waits_for"] == "50 % of charge, it has 20 %"
        await site.wait(120, MAINS)
        assert off(new) == {"lone"}

    rig.play(first)
    new = again(rig)
    new.play(second)
    assert new.broken() == []


def test_the_time_on_battery_outlives_the_daemon(tmp_path: Path) -> None:
    rig = Rig({"a": []}, store=f"sqlite:///{tmp_path}/state.db")

    async def first(engine: Engine) -> None:
        await up(engine)
        site = Site(engine, ups())
        await site.wait(10)
        await site.wait(40, BATTERY)

    async def second(engine: Engine) -> None:
        await asyncio.sleep(80)  # the rig's clock begins at 0 again
        site = Site(engine, ups())
        await site.wait(30, BATTERY)
        assert off(new) == {"a"}

    rig.play(first)
    new = again(rig)
    new.play(second)


@pytest.mark.parametrize(("least", "stays"), [(1, True), (0, False)])
def test_two_supplies_on_two_upses(least: int, stays: bool) -> None:
    rig = Rig({"one": [], "two": []}, outlets={"two": 2}, policy={"min_supplies": least})

    async def scenario(engine: Engine) -> None:
        await up(engine)
        site = Site(engine, ups("left"), ups("right", servers=["two"]))
        await site.wait(10)
        await site.wait(90, BATTERY, "left")
        assert off(rig) == ({"one"} if stays else {"one", "two"})
        await site.wait(90, "gone", "right")  # neither on battery nor fine: nobody counts on it
        assert off(rig) == {"one", "two"}
        await site.wait(60, MAINS, "left")
        assert off(rig) == (set() if stays else {"two"})
        await site.wait(60, MAINS, "right")
        assert off(rig) == set()

    rig.play(scenario)
    assert rig.broken() == []


def test_what_it_measures() -> None:
    async def scenario(engine: Engine) -> None:
        site = Site(engine, ups())
        await site.wait(0, {**BATTERY, "ups.load": "40", "battery.charge": "80"})
        found = {one.key: measure.value for one, measure in measured(site.keeper).items()}
        assert found == {"charge_percent": 80.0, "runtime_s": 3600.0, "load_percent": 40.0, "on_battery": 1.0}

    Rig({"a": []}).play(scenario)


def test_a_battery_that_is_low_makes_who_is_going_down_hurry() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        rig["web"].hang_shutdown = True
        rig["web"].expendable = True
        site = Site(engine, ups(after="10s", within="1h", min_runtime="0s", margin="0s"))
        await site.wait(60, BATTERY)
        assert off(rig) == {"lone"}
        began = asyncio.get_running_loop().time()
        await site.wait(5, {**BATTERY, "ups.status": "OB LB", "battery.runtime": "60"})
        while len(off(rig)) < len(CHAIN):
            await site.wait(5)
        assert asyncio.get_running_loop().time() - began <= 65
        rig["web"].hang_shutdown = False
        await site.wait(120, MAINS)
        assert off(rig) == set()  # it was on before all of that

    rig.play(scenario)


readings = st.builds(
    lambda status, charge, runtime: {"ups.status": status, "battery.charge": charge, "battery.runtime": runtime},
    st.sampled_from(["OL", "OB", "OB LB", "OL OB", "OL LB", "", "OFF", "FSD OL", "OB CAL", "OL CHRG"]),
    st.sampled_from(["100", "55", "20", "-1", "x"]),
    st.sampled_from(["3600", "30", "", "-1"]),
)


@given(
    st.lists(st.tuples(st.one_of(readings, st.just("gone")), st.integers(1, 200)), max_size=12),
    st.sampled_from(["tell", "on_battery", "always"]),
)
def test_whatever_it_says(said: list[tuple[dict[str, str] | str, int]], lost: str) -> None:
    """Nobody goes down without a battery in use, a word of upsd or, as configured, a long silence; ready is ready."""
    one, watch, now, mains_since = ups(lost=lost), Watch(), 0.0, None
    for says, seconds in said:
        reading = None if isinstance(says, str) else reading_of(says)
        if reading is None:
            watch.lost("gone", now)
        else:
            watch.saw(reading, now)
        is_mains = reading is not None and reading.supply is Supply.MAINS
        mains_since = (mains_since if mains_since is not None else now) if is_mains else None
        now += seconds
        found = calls(one, watch, now, needed=60.0)
        if found:
            silent = watch.supply is Supply.UNKNOWN and lost != "tell" and now - watch.since >= one.lost_after
            assert silent or (reading is not None and (reading.supply is Supply.BATTERY or reading.shutdown))
        if is_ready(one, watch, now):
            assert mains_since is not None
            assert now - mains_since >= one.back_for
            assert found == []
        assert 0 < time_left(one, watch, CRITICAL) <= one.within


@pytest.mark.parametrize(
    ("runtime", "level", "seconds"),
    [("200", ALL, 200.0), ("3600", ALL, 600.0), ("", ALL, 600.0), ("3600", CRITICAL, 120.0), ("1", CRITICAL, 20.0)],
)
def test_how_long_it_may_take(runtime: str, level: str, seconds: float) -> None:
    watch = Watch()
    watch.saw(reading_of({**BATTERY, "battery.runtime": runtime}), 0.0)
    assert time_left(ups(within="10m"), watch, level) == seconds


def test_others_are_taken_while_it_asks() -> None:
    async def scenario(engine: Engine) -> None:
        site = Site(engine, ups(), ups("gone"))
        looking = asyncio.create_task(site.keeper.look())
        await asyncio.sleep(0)
        site.keeper.take([ups()])
        await looking
        assert site.one()["supply"] == "on mains"

    Rig({"a": []}).play(scenario)
