#!/usr/bin/env python3
"""How fast a whole network comes up: against its critical path, and against asyncio that only walks the dependencies.

Prints one line per figure; exit 1 when a limit is broken. ``docs/performance.md`` explains the figures.

What is measured
  boots    machines that boot in real time, default policy, durable store: time from the order to the last OK, divided
           by the longest path over the true boot times
  bare     Dummy outlets and tests without delay, store in memory: CPU time of the engine, divided by that of a bare
           asyncio run of the same dependencies with as many awaits, each an ``asyncio.sleep(0)``. The awaits are
           counted on the engine in the same run
  turns    the same against a harder peer: most awaits of the engine end without waiting, so the bare run makes only as
           many as there are turns of the event loop in the engine's run. For information
  growth   CPU time per server of the large network, divided by that of the small one
The sides of a ratio alternate, and medians are compared. CPU time (of all threads) is taken where other programs of
the machine would otherwise be measured, too; the time on the wall stands beside it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import measure
from bench.dag import layered
from bench.report import Report

from ockle.common.device_loop import DeviceLoop

BOOT_LIMIT, BARE_LIMIT, GROWTH_LIMIT = 1.05, 15.0, 1.3


@dataclass(frozen=True)
class Size:
    """How much is measured; ``boot_s``: least and greatest boot time, in seconds."""

    boot_servers: int
    boot_layers: int
    boot_s: tuple[float, float]
    boot_repetitions: int
    small: int
    large: int
    layers: int
    repetitions: int


FULL = Size(1000, 8, (1.0, 8.0), 3, small=1000, large=10_000, layers=12, repetitions=5)
QUICK = Size(40, 4, (0.2, 0.6), 1, small=60, large=240, layers=12, repetitions=1)


def boots(report: Report, loop: DeviceLoop, size: Size, folder: Path) -> None:
    for seed in range(size.boot_repetitions):
        found = measure.boots(
            loop, size.boot_servers, size.boot_layers, size.boot_s, folder / f"boots{seed}.sqlite", seed
        )
        report.limited(
            "boots",
            found.ratio,
            BOOT_LIMIT,
            f"{size.boot_servers} servers in {size.boot_layers} layers up in {found.took.wall_s:.2f} s, critical path "
            f"{found.critical_s:.2f} s; {found.probes / size.boot_servers:.0f} probes and "
            f"{found.took.cpu_s / size.boot_servers * 1e3:.1f} ms of CPU per server",
        )


def dummies(report: Report, loop: DeviceLoop, size: Size) -> None:
    counted = measure.awaits_per_server(min(size.small, 500), size.layers)
    small, large = (layered(servers, size.layers, measure.SEED) for servers in (size.small, size.large))
    of_small, of_large, of_bare, of_turns = [], [], [], []
    for _ in range(size.repetitions):
        of_large.append(measure.dummies(loop, large)[0])
        of_bare.append(measure.bare(loop, large, counted.awaits))
        of_small.append(measure.dummies(loop, small)[0])
        of_turns.append(measure.bare(loop, large, counted.turns))
    engine_s, bare_s, turns_s = (median(one.cpu_s for one in took) for took in (of_large, of_bare, of_turns))
    report.limited(
        "bare",
        engine_s / bare_s,
        BARE_LIMIT,
        f"{size.large} servers in {size.layers} layers: engine {_per_server(engine_s, size.large)}, bare asyncio with "
        f"{counted.awaits} awaits each {_per_server(bare_s, size.large)}; on the wall "
        f"{median(one.wall_s for one in of_large):.2f} s and {median(one.wall_s for one in of_bare):.2f} s",
    )
    report.line(
        "turns",
        f"{engine_s / turns_s:.1f}; bare asyncio with {counted.turns} turns each {_per_server(turns_s, size.large)}",
    )
    small_s = median(one.cpu_s for one in of_small)
    report.limited(
        "growth",
        (engine_s / size.large) / (small_s / size.small),
        GROWTH_LIMIT,
        f"{_per_server(small_s, size.small)} with {size.small} servers, {_per_server(engine_s, size.large)} with "
        f"{size.large}",
    )


def durable(report: Report, loop: DeviceLoop, size: Size, folder: Path) -> None:
    needs = layered(size.large, size.layers, measure.SEED)
    found = [measure.dummies(loop, needs, folder / f"durable{n}.sqlite") for n in range(min(3, size.repetitions))]
    report.line(
        "durable",
        f"{size.large} servers, store in a file: {median(took.wall_s for took, _ in found):.2f} s on the wall, "
        f"{_per_server(median(took.cpu_s for took, _ in found), size.large)} of CPU; "
        f"{median(commits for _, commits in found):.0f} commits",
    )


def information(report: Report, loop: DeviceLoop, size: Size) -> None:
    kept = measure.bytes_per_server(loop, size.small, size.layers)
    report.line("memory", f"{kept / 1024:.1f} KiB per server, by tracemalloc, with {size.small} servers on")
    for servers in (size.small, size.large):
        found = measure.looks(loop, servers, size.layers, size.repetitions)
        report.line(
            "looks",
            f"{servers} servers: plan {found.plan_s * 1e3:.0f} ms ({_per_server(found.plan_s, servers)}), "
            f"status {found.status_s * 1e3:.0f} ms ({_per_server(found.status_s, servers)})",
        )


def _per_server(seconds: float, servers: int) -> str:
    return f"{seconds / servers * 1e6:.0f} µs/server"


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure how fast a whole network comes up.")
    parser.add_argument("--quick", action="store_true", help="a few servers, to see that it runs; nothing is judged")
    parser.add_argument("--only", choices=["boots", "dummies"], help="a part of it")
    options = parser.parse_args()
    size = QUICK if options.quick else FULL
    report = Report(judge=not options.quick)
    report.machine()
    loop = DeviceLoop()
    with tempfile.TemporaryDirectory() as folder:
        if options.only != "boots":
            dummies(report, loop, size)
            durable(report, loop, size, Path(folder))
            information(report, loop, size)
        if options.only != "dummies":
            boots(report, loop, size, Path(folder))
    loop.stop()
    report.line("machine", f"load at the end {os.getloadavg()[0]:.1f}")
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main())
