"""Ended runs: they take little memory, all of them have an end, and they read as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from ockle.common.errors import CommandError
from ockle.engine.ended_runs import EndedRuns
from ockle.engine.engine import Engine
from ockle.engine.runs import Run, RunState, RunStep, StepState
from rig import Rig
from rig_calls import CHAIN, ordered


def run(number: int, servers: int = 3) -> Run:
    steps = {
        f"server{one}": RunStep(
            f"server{one}", "on", 1.5, needs=["switch"], because="büro", state=StepState.DONE, started=2.0, ended=3.25
        )
        for one in range(servers)
    }
    made = Run(number, "on", ["server0"], "ops", "cli", "nächtlich", 1.0, 9.5, 900.0, [steps], grace=2.0)
    made.before, made.orders = {"server0": "off", "server1": None}, {"server0": 7}
    made.state, made.ended = RunState.DONE, 12.5
    return made


def test_a_run_reads_as_it_was() -> None:
    kept, whole = EndedRuns(), run(1)
    kept.add(whole)
    assert kept.get(1).row() == whole.row()
    assert kept.get(1).as_dict(99.0) == whole.as_dict(99.0)
    assert kept.get(1).finished.is_set()
    assert kept.summary(1) == whole.summary(99.0)


def test_those_that_ended_first_go() -> None:
    kept = EndedRuns(most=3)
    for number in (9, 1, 2, 3):
        kept.add(run(number))
    assert list(kept) == [1, 2, 3]
    with pytest.raises(KeyError):
        kept.get(9)


def test_bytes_are_bounded() -> None:
    one = EndedRuns()
    one.add(run(1))
    kept = EndedRuns(most_bytes=3 * one.size + one.size // 2)
    for number in range(1, 9):
        kept.add(run(number))
    assert list(kept) == [6, 7, 8]
    assert kept.size == pytest.approx(3 * one.size, abs=30)
    kept.add(run(9, servers=5000))
    assert list(kept) == [9]  # too large, but somebody may wait for its end
    kept.add(run(10))
    assert list(kept) == [10]


def test_a_run_of_a_hundred_servers_takes_little() -> None:
    kept = EndedRuns()
    kept.add(run(1, servers=100))
    assert kept.size < 5000


def test_ended_runs_are_known_after_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/state.db"

    async def first(engine: Engine) -> list[object]:
        for action in ("on", "off"):
            await ordered(engine, action, *CHAIN)
        return [engine.runs.newest(9), engine.runs.get(1).row()]

    async def second(engine: Engine) -> list[object]:
        with pytest.raises(CommandError, match="there is no run 3"):
            engine.runs.get(3)
        return [engine.runs.newest(9), engine.runs.get(1).row()]

    assert Rig(CHAIN, store=url).play(first) == Rig(CHAIN, store=url).play(second)


def test_runs_are_listed_the_newest_first() -> None:
    async def work(engine: Engine) -> None:
        for action in ("on", "off"):
            await ordered(engine, action, *CHAIN)
        running = await engine.order("on", CHAIN, who="test")
        assert [one["id"] for one in engine.runs.newest(9)] == [3, 2, 1]
        assert [one["state"] for one in engine.runs.newest(2)] == ["running", "done"]
        assert engine.runs.newest(9)[1:] == [engine.runs.get(number).summary(0.0) for number in (2, 1)]
        assert engine.runs.get(3) is running

    Rig(CHAIN).play(work)
