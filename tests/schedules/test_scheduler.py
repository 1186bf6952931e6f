"""What a schedule does, and does not do, on machines in memory and a virtual clock."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ockle.common.errors import StoreError
from ockle.config.model import PlainConfig
from ockle.config.schedules import Schedule, schedule_of
from ockle.config.templates import check_settings, load_template
from ockle.engine.engine import Engine
from ockle.engine.scheduler import Scheduler
from ockle.networkTree.facts import Desired
from rig import Rig
from rig_calls import CHAIN, again, node_of, ordered, up

# the rig's clock starts at midnight of 2026-01-01 UTC, a Thursday


def schedule(name: str = "night", **options: Any) -> Schedule:
    raw = {"action": "off", "servers": ["web", "hv"], "times": ["daily 22:00"], "time_zone": "UTC", **options}
    return schedule_of(PlainConfig(name, check_settings(load_template("schedules.ini"), "schedule", raw), name))


def scheduler_on(engine: Engine, *schedules: Schedule, auto: bool = False) -> Scheduler:
    found = Scheduler(engine, lambda: auto)
    found.load()
    found.take(schedules)
    return found


async def at(scheduler: Scheduler, wall: str) -> None:
    """Have the clock on the wall show ``wall``, such as ``01 21:59``, of January 2026, and look."""
    clock: Any = scheduler._engine.core.clock
    wanted = datetime.strptime(f"2026-01-{wall} +0000", "%Y-%m-%d %H:%M %z").timestamp()
    clock._epoch += wanted - clock.wall()
    await scheduler.look()


async def minutes(scheduler: Scheduler, count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(60.0)
        await scheduler.look()


def last(scheduler: Scheduler, name: str = "night") -> dict[str, Any]:
    return next(one["last"] for one in scheduler.as_dicts() if one["name"] == name) or {}


def told(engine: Engine) -> list[str]:
    return [event.text for event in engine.core.events.since(0) if event.kind == "schedule"]


def test_a_day() -> None:
    rig = Rig(CHAIN)

    async def scenario(engine: Engine) -> None:
        await up(engine)
        scheduler = scheduler_on(engine, schedule(), schedule("day", action="on", times=["mon-fri 07:30"]))
        await at(scheduler, "01 21:59")
        await minutes(scheduler, 5)
        assert {name for name, state in rig.states().items() if state == "OFF"} == {"web", "hv"}
        run = engine.runs.get(last(scheduler)["run"])
        assert (run.who, run.via, run.targets) == ("schedule night", "schedule", ["hv", "web"])
        assert [action.result for action in scheduler.audit] == ["ok"]
        assert scheduler.audit[-1].caller.via == "schedule"
        await at(scheduler, "02 07:29")
        await minutes(scheduler, 5)
        assert set(rig.states().values()) == {"OK"}
        assert last(scheduler, "day")["what"] == "ordered"
        await at(scheduler, "02 21:59")
        await minutes(scheduler, 2)
        assert last(scheduler)["run"] > run.id

    rig.play(scenario)
    assert rig.broken() == []


def test_nothing_to_do_is_no_run() -> None:
    async def scenario(engine: Engine) -> None:
        await up(engine)
        scheduler = scheduler_on(engine, schedule("day", action="on", times=["07:30"]))
        await at(scheduler, "01 07:29")
        await minutes(scheduler, 2)
        assert last(scheduler, "day")["what"] == "nothing to do"
        assert [
            event.text for event in engine.core.events.since(0) if event.kind == "run" and "day" in event.text
        ] == []

    Rig(CHAIN).play(scenario)


def test_a_restart_neither_repeats_nor_loses(tmp_path: Path) -> None:
    rig = Rig(CHAIN, store=f"sqlite:///{tmp_path}/state.db")
    yes = schedule("made-up", missed="run", times=["daily 22:30"])

    async def first(engine: Engine) -> None:
        await up(engine)
        scheduler = scheduler_on(engine, schedule(), yes)
        await at(scheduler, "01 21:59")
        await minutes(scheduler, 5)
        assert last(scheduler)["what"] == "ordered"
        await ordered(engine, "on", "web")

    async def second(engine: Engine) -> None:
        scheduler = scheduler_on(engine, schedule(), yes)
        assert node_of(engine, "web").facts.desired is Desired.ON
        await at(scheduler, "01 22:45")
        runs = [text for text in told(engine) if ", run " in text]
        assert len(runs) == 1  # only that of 22:30, which nobody was there for
        assert "made-up" in runs[0]
        await minutes(scheduler, 5)
        assert len([text for text in told(engine) if ", run " in text]) == 1

    rig.play(first)
    again(rig).play(second)


@pytest.mark.parametrize(
    ("options", "back", "says"),
    [
        ({}, "03 22:02", "the daemon did not run"),
        ({"missed": "run", "grace": "30m"}, "03 23:00", "more than 1800 s ago"),
    ],
)
def test_what_was_missed_is_told_once(tmp_path: Path, options: dict[str, str], back: str, says: str) -> None:
    rig = Rig(CHAIN, store=f"sqlite:///{tmp_path}/state.db")

    async def first(engine: Engine) -> None:
        await up(engine)
        await scheduler_on(engine, schedule(**options)).look()

    async def second(engine: Engine) -> None:
        scheduler = scheduler_on(engine, schedule(**options))
        await at(scheduler, back)  # three times went by
        await minutes(scheduler, 5)
        assert len(told(engine)) == 1
        assert says in told(engine)[0]
        assert "2026-01-03 22:00" in told(engine)[0]
        assert last(scheduler)["what"] == "missed"
        assert engine.runs.running() == []

    rig.play(first)
    again(rig).play(second)


def test_a_changed_or_newly_enabled_schedule_has_missed_nothing() -> None:
    async def scenario(engine: Engine) -> None:
        await up(engine)
        scheduler = scheduler_on(engine, schedule(missed="run", grace="7d"))
        await at(scheduler, "01 01:00")
        scheduler.take([schedule(missed="run", grace="7d", enabled="false")])
        await at(scheduler, "01 01:01")
        await at(scheduler, "01 23:00")
        assert told(engine) == []
        scheduler.take([schedule(missed="run", grace="7d")])
        await minutes(scheduler, 2)
        scheduler.take([schedule(missed="run", grace="7d", times=["daily 22:30"])])  # half an hour ago
        await minutes(scheduler, 2)
        assert told(engine) == []
        assert set(rig.states().values()) == {"OK"}

    rig = Rig(CHAIN)
    rig.play(scenario)


def test_a_clock_that_is_set() -> None:
    async def scenario(engine: Engine) -> None:
        await up(engine)
        scheduler = scheduler_on(engine, schedule(missed="run"))
        await at(scheduler, "01 21:59")
        await minutes(scheduler, 2)
        assert len(told(engine)) == 1
        await at(scheduler, "01 21:30")
        await at(scheduler, "01 21:59")
        await minutes(scheduler, 3)  # 22:00 comes once more
        assert len(told(engine)) == 1
        await at(scheduler, "28 12:00")  # wrong by weeks, and back: the days go on
        await at(scheduler, "02 12:00")
        await up(engine)
        before = len(told(engine))
        await at(scheduler, "02 21:59")
        await minutes(scheduler, 2)
        assert len(told(engine)) == before + 1

    Rig(CHAIN).play(scenario)


def test_whom_a_schedule_leaves_alone() -> None:
    async def scenario(engine: Engine) -> None:
        await up(engine)
        await engine.force("web", Desired.ON, "mine", who="op")
        await engine.hold("lone", True, "mine", "op")
        scheduler = scheduler_on(engine, schedule(servers=["all"]))
        await at(scheduler, "01 21:59")
        await minutes(scheduler, 5)
        states = rig.states()
        assert states["web"] == "Forced on"
        assert states["lone"] == "OK"
        assert states["switch"] == "OK"  # web needs it
        assert "forced" in last(scheduler)["text"]
        assert "held" in last(scheduler)["text"]

    rig = Rig(CHAIN)
    rig.play(scenario)
    assert rig.broken() == []


@pytest.mark.parametrize("allowed", [False, True])
def test_protected_servers(allowed: bool) -> None:
    async def scenario(engine: Engine) -> None:
        await up(engine)
        scheduler = scheduler_on(engine, schedule(servers=["all"], protected=str(allowed)))
        await at(scheduler, "01 21:59")
        await minutes(scheduler, 5)
        assert set(rig.states().values()) == ({"OFF"} if allowed else {"OK"})

    rig = Rig(CHAIN, policy={"protected": True})
    rig.play(scenario)


def test_an_emergency_is_not_undone() -> None:
    async def scenario(engine: Engine) -> None:
        await up(engine)
        run = await engine.emergency(["web"], 300, who="op")
        await run.finished.wait()
        scheduler = scheduler_on(engine, schedule("day", action="on", times=["07:30"]))
        await at(scheduler, "01 07:29")
        await minutes(scheduler, 2)
        assert rig.states()["web"] == "OFF"
        assert last(scheduler, "day")["what"] == "refused"
        assert "emergency" in last(scheduler, "day")["text"]
        assert scheduler.audit[-1].result == "refused"

    rig = Rig(CHAIN)
    rig.play(scenario)


def test_safe_mode_and_the_master_switch() -> None:
    async def scenario(engine: Engine) -> None:
        await up(engine)
        await engine.set_auto(False)
        scheduler = scheduler_on(engine, schedule(), auto=True)
        await at(scheduler, "01 21:59")
        await minutes(scheduler, 2)
        assert "master switch" in last(scheduler)["text"]
        await engine.set_auto(True)
        await minutes(scheduler, 2)
        assert set(rig.states().values()) == {"OK"}  # what was refused is not made up for
        engine.core.safe_mode = "too many starts"
        await at(scheduler, "02 21:59")
        await minutes(scheduler, 2)
        assert "safe mode" in last(scheduler)["text"]
        engine.core.safe_mode = ""

    rig = Rig(CHAIN)
    rig.play(scenario)


def test_somebody_who_is_gone() -> None:
    async def scenario(engine: Engine) -> None:
        await up(engine)
        scheduler = scheduler_on(engine, schedule(servers=["web", "gone"]), schedule("nobody", servers=["@tag"]))
        assert scheduler.as_dicts()[0]["problem"] == "there is no server gone"
        await at(scheduler, "01 21:59")
        await minutes(scheduler, 5)
        assert rig.states()["web"] == "OFF"  # the others are not let down
        assert last(scheduler, "nobody")["what"] == "refused"

    rig = Rig(CHAIN)
    rig.play(scenario)


def test_a_store_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(engine: Engine) -> None:
        await up(engine)
        scheduler = scheduler_on(engine, schedule())
        await at(scheduler, "01 21:59")
        commit = engine.store.commit

        async def fails() -> None:
            raise StoreError("the disk is full")

        with monkeypatch.context() as broken:
            broken.setattr(engine.store, "commit", fails)
            await asyncio.sleep(70)
            with pytest.raises(StoreError):
                await scheduler.look()
            assert last(scheduler) == {}
            await asyncio.sleep(10)
            with pytest.raises(StoreError):
                await scheduler.look()
        assert engine.store.commit == commit
        await asyncio.sleep(20)
        assert set(rig.states().values()) == {"OK"}
        await scheduler.look()
        assert last(scheduler)["what"] == "ordered"

    rig = Rig(CHAIN)
    rig.play(scenario)


def test_others_are_taken_while_it_waits_for_the_store() -> None:
    async def scenario(engine: Engine) -> None:
        await up(engine)
        scheduler = scheduler_on(engine, schedule())
        looking = asyncio.create_task(scheduler.look())
        await asyncio.sleep(0)
        scheduler.take([schedule("other")])
        await looking
        await scheduler.look()
        assert [one["name"] for one in scheduler.as_dicts()] == ["other"]

    Rig(CHAIN).play(scenario)
