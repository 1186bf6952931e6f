"""Storage faults on a real store (failing calls, changed bytes, power cuts): what was promised is there, or is told."""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..common import Report, dice, parser
from . import cuts, faults, flips

KINDS = list(faults.KINDS)


def main(words: list[str] | None = None) -> int:
    options = parser("storage", __doc__)
    options.add_argument(
        "--runs", type=int, default=200, help="with failing calls, and with changed bytes (default: 200)"
    )
    options.add_argument("--cuts", type=int, default=100, help="power cuts (default: 100)")
    options.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at the same time")
    chosen = options.parse_args(words)
    if shutil.which("strace") is None:
        options.error("strace is missing (Debian: strace)")
    if chosen.quick:
        chosen.runs, chosen.cuts = min(chosen.runs, 10), min(chosen.cuts, 20)
    report = Report("storage")
    with tempfile.TemporaryDirectory(prefix="ockle-storage-") as name:
        folder = Path(name)
        with ThreadPoolExecutor(chosen.jobs) as pool, report.phase(f"{chosen.runs} runs with a failing call"):
            failing(report, pool, folder, chosen.runs, chosen.seed)
        with report.phase(f"{chosen.runs} changed bytes"):
            changed(report, folder, chosen.runs, chosen.seed)
        with report.phase(f"{chosen.cuts} power cuts"):
            power_cuts(report, folder, chosen.cuts, chosen.seed)
    return report.end()


def failing(report: Report, pool: ThreadPoolExecutor, folder: Path, runs: int, seed: int) -> None:
    def one(number: int) -> faults.Run:
        place = folder / f"fault-{number}"
        place.mkdir()
        return faults.run(place, KINDS[number % len(KINDS)], dice(seed, "fault", number))

    ends: Counter[str] = Counter()
    for number, run in enumerate(pool.map(one, range(runs))):
        ends[f"{run.kind}: {run.end}"] += 1
        for finding in run.findings:
            report.broken(f"run {number}, {run.kind}: {finding}", run.command)
    for name, count in sorted(ends.items()):
        report.figure(name, count, "runs")


def changed(report: Report, folder: Path, runs: int, seed: int) -> None:
    source = folder / "sound"
    source.mkdir()
    flips.base(source)
    seen: Counter[str] = Counter()
    _each(runs, folder / "flip", seed, lambda place, draw: _flip(report, source, place, draw, seen))
    for name in ("noticed", "harmless", "unseen"):
        report.figure(f"{name} changes", seen[name])


def _flip(report: Report, source: Path, place: Path, draw: random.Random, seen: Counter[str]) -> None:
    result = flips.flip(source, place, draw)
    seen[result.what] += 1
    for finding in result.findings:
        report.broken(f"{result.where}: {finding}")


def power_cuts(report: Report, folder: Path, runs: int, seed: int) -> None:
    recorded = folder / "recorded"
    recorded.mkdir()
    steps = cuts.record(recorded, folder / "calls")
    syncs = sum(step.what == "sync" for step in steps)
    report.figure("recorded writes", sum(step.what == "write" for step in steps), least=50)
    report.figure("recorded syncs", syncs, least=25)
    report.figure("acknowledged orders", sum(step.what == "ack" for step in steps), least=cuts.ROUNDS)

    def one(place: Path, draw: random.Random) -> None:
        moment = draw.randrange(1, len(steps) + 1)
        for finding in cuts.cut(steps, place, moment, draw):
            report.broken(f"cut after call {moment} of {len(steps)}: {finding}")

    _each(runs, folder / "cut", seed, one)


def _each(runs: int, place: Path, seed: int, work: Callable[[Path, random.Random], None]) -> None:
    for number in range(runs):
        work(place.with_name(f"{place.name}-{number}"), dice(seed, place.name, number))
        shutil.rmtree(place.with_name(f"{place.name}-{number}"), ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
