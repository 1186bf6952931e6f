"""Drives the laws of tests/properties, and plays with everything at once, over very many random networks."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from itertools import count, islice

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from properties import test_engine_crashes as crashes
from properties import test_engine_properties as engine
from properties import test_shared_outlets as shared
from properties.happenings import EVENTS, POLICIES, networks

from . import common
from .play import Scenario, play, scenarios

CHUNK = 25
"""Networks that have one seed together."""


def _plays(scenario: Scenario) -> None:
    wrongs = play(scenario)
    assert wrongs == [], f"{wrongs}\n{scenario}"


@dataclass(frozen=True)
class Suite:
    """A law and the networks it is tried on. ``weight``: chunks of it among all."""

    law: Callable[..., None]
    networks: tuple[st.SearchStrategy[object], ...]
    weight: int = 1


def _of(test: object) -> Callable[..., None]:
    return test.hypothesis.inner_test  # type: ignore[attr-defined, no-any-return]


SUITES = {
    "invariants": Suite(
        _of(engine.test_no_order_and_no_fault_breaks_an_invariant),
        (networks(), EVENTS, POLICIES),
        8,
    ),
    "mended": Suite(_of(engine.test_once_all_is_mended_an_order_reaches_its_goal), (networks(), EVENTS), 2),
    "plans": Suite(_of(engine.test_the_steps_of_a_plan_are_the_steps_that_happen), (networks(), st.data()), 4),
    "kills": Suite(
        _of(crashes.test_kills_break_no_invariant_and_strand_nobody),
        (networks(most=6), crashes.EVENTS, POLICIES),
    ),
    "shared outlets": Suite(
        _of(shared.test_no_order_and_no_fault_breaks_an_invariant),
        (shared.sites(), EVENTS, POLICIES),
        2,
    ),
    "plays": Suite(_plays, (scenarios(),), 2),
}


@dataclass(frozen=True)
class Chunk:
    """What one worker does at a time. ``shrink``: look for the smallest case as well."""

    suite: str
    seed: int
    shrink: bool = False


@dataclass
class Result:
    """What came of a chunk; ``broken`` is the case that failed, "" = none."""

    chunk: Chunk
    networks: int = 0
    cpu_s: float = 0.0
    broken: str = ""


def work(chunk: Chunk) -> Result:
    """Try the networks of one chunk."""
    log = logging.getLogger("ockle")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        return _work(chunk)
    finally:
        log.setLevel(level)


def _work(chunk: Chunk) -> Result:
    result = Result(chunk)
    suite = SUITES[chunk.suite]

    def law(drawn: tuple[object, ...]) -> None:
        result.networks += 1
        suite.law(*drawn)

    phases = [Phase.generate, Phase.shrink] if chunk.shrink else [Phase.generate]
    test = settings(
        max_examples=CHUNK,
        database=None,
        deadline=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
    )(seed(chunk.seed)(given(st.tuples(*suite.networks))(law)))
    began = time.process_time()
    try:
        test()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        result.broken = "\n".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", [])])
    result.cpu_s = time.process_time() - began
    return result


def chunks(first_seed: int, networks: int, box: common.TimeBox, only: str | None) -> Iterator[Chunk]:
    """Yield work until so many networks were handed out, or the time is over."""
    turns = [only] if only else [name for name, suite in SUITES.items() for _ in range(suite.weight)]
    for number in count():
        if number * CHUNK >= networks or box.over:
            return
        yield Chunk(turns[number % len(turns)], first_seed * 1_000_000 + number)


def _begin() -> None:
    """Begin a worker: to look for garbage among what was imported, again and again, takes a seventh of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _worked(todo: Iterator[Chunk], jobs: int) -> Iterator[Result]:
    """Yield the results of ``todo``, of which no more is taken than can be worked on: it ends with the time."""
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork"), _begin) as pool:
        running = {pool.submit(work, chunk) for chunk in islice(todo, jobs)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            running |= {pool.submit(work, chunk) for chunk in islice(todo, len(done))}
            yield from (future.result() for future in done)


def main(arguments: list[str]) -> int:
    parser = common.parser("properties", __doc__)
    parser.add_argument("--networks", type=int, default=20_000, help="(default: 20000)")
    parser.add_argument("--minutes", type=float, default=30.0, help="stop after that many (default: 30)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--suite", choices=SUITES)
    parser.add_argument("--chunk", type=int, metavar="SEED", help="only this chunk of --suite, with its smallest case")
    options = parser.parse_args(arguments)
    report = common.Report("properties")
    if options.chunk is not None:
        if options.suite is None:
            parser.error("--chunk needs --suite")
        result = work(Chunk(options.suite, options.chunk, shrink=True))
        report.figure("networks", result.networks)
        if result.broken:
            report.broken(options.suite, result.broken)
        return report.end()
    tried = dict.fromkeys(SUITES, 0)
    cpu_s = 0.0
    work_to_do = chunks(options.seed, options.networks, common.TimeBox(60 * options.minutes), options.suite)
    for result in _worked(work_to_do, options.jobs):
        tried[result.chunk.suite] += result.networks
        cpu_s += result.cpu_s
        if result.broken:
            again = f"python -m campaigns.properties --suite '{result.chunk.suite}' --chunk {result.chunk.seed}"
            report.broken(result.chunk.suite, f"{again}\n{result.broken}")
    for name, played in tried.items():
        report.figure(name, played, "networks")
    report.figure("all", sum(tried.values()), "networks", least=0 if options.suite else options.networks)
    report.figure("time of a processor", cpu_s, "s")
    return report.end()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
