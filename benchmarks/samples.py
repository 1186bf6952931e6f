#!/usr/bin/env python3
"""What the Logger's samples cost: bytes written to storage in a day, bytes that stay, CPU time, and how fast plots are.

The days are simulated: the recorder gets the samples of each round as from the Logger, writes them once a minute, and
tidies up once an hour. ``write_bytes`` of /proc/self/io counts what the kernel was made to write to storage, so the
file has to be on a disk, not in memory; ``--folder`` names one.

  written   bytes of one day, after the day on which the file grew to its normal size
  peer      the same samples as a row each, indexed by series and time, written with one transaction per minute
  kept      bytes of the file after the days
  cpu       CPU time that a day of samples takes
  plot      time to read a plot of one value over a day
  plots     the same over all days

Exit 1 when one is above its limit.
"""

from __future__ import annotations

import argparse
import math
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from ockle.store.samples.buckets import regroup
from ockle.store.samples.recorder import Recorder
from ockle.store.samples.sample_store import SampleStore, Series
from ockle.store.samples.upkeep import Keep

BEGIN, HOUR_S, DAY_S = 1_767_225_600, 3600, 86_400
KEYS = ("power_w", "current_a", "volt_v", "energy_wh", "cpu_percent")
ROUND_S, COMMIT_S = 30, 60
WRITTEN_LIMIT_MB, CPU_LIMIT_S, PLOT_LIMIT_MS = 60.0, 60.0, 500.0


def values(servers: int, at: int) -> dict[Series, float]:
    """Return what the meters of a site say: daily waves, noise, a counter."""
    wave = math.sin(at / DAY_S * 2 * math.pi)
    found = {}
    for number in range(servers):
        noise = ((at // ROUND_S * 7919 + number * 104_729) % 1009) / 1009
        watts = round(80 + 40 * wave + 6 * noise, 1)
        name = f"server{number:03}"
        figures = (
            watts,
            round(watts / 230, 3),
            round(229 + 2 * noise, 1),
            round((at - BEGIN) / 36 + number * 1e4),
            noise,
        )
        for key, value in zip(KEYS, figures, strict=True):
            found[Series(name, "outlet", "psu", key)] = float(value)
    return found


def written() -> int:
    """Return the bytes that this process had the kernel write to storage."""
    for line in Path("/proc/self/io").read_text("ascii").splitlines():
        if line.startswith("write_bytes"):
            return int(line.split()[1])
    raise RuntimeError("/proc/self/io has no write_bytes")


def live(recorder: Recorder, servers: int, begin: int, seconds: int) -> None:
    every = dict.fromkeys(values(servers, begin), float(ROUND_S))
    for at in range(begin, begin + seconds, ROUND_S):
        recorder.add(float(at), values(servers, at), every)
        if at % COMMIT_S == 0:
            recorder.flush(float(at))
    recorder.flush(float(begin + seconds))
    if recorder.fault:
        raise RuntimeError(recorder.fault)


def rows(file: Path, servers: int, begin: int, seconds: int) -> None:
    """Write the same as a table that anybody would make first."""
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.execute("CREATE TABLE IF NOT EXISTS samples (series INT, time INT, value REAL)")
        database.execute("CREATE INDEX IF NOT EXISTS by_series ON samples (series, time)")
        waiting: list[tuple[int, int, float]] = []
        for at in range(begin, begin + seconds, ROUND_S):
            waiting += [(number, at, value) for number, value in enumerate(values(servers, at).values())]
            if at % COMMIT_S == 0:
                database.execute("BEGIN")
                database.executemany("INSERT INTO samples VALUES (?, ?, ?)", waiting)
                database.execute("COMMIT")
                waiting.clear()


def timed(work: Callable[[], object]) -> float:
    """Return the milliseconds of the fastest of three runs."""
    found = []
    for _ in range(3):
        began = time.perf_counter()
        work()
        found.append((time.perf_counter() - began) * 1000)
    return min(found)


def line(name: str, value: float, unit: str, limit: float | None, text: str, *, judge: bool) -> bool:
    """Print a figure; return whether it is above its limit."""
    verdict = "no limit" if limit is None else f"limit {limit:g}: " + (
        "not judged" if not judge else "ok" if value <= limit else "BROKEN"
    )  # fmt: skip
    print(f"{name:<9} {value:.2f} {unit} ({verdict}); {text}", flush=True)
    return judge and limit is not None and value > limit


def measure(folder: Path, servers: int, days: int, day_s: int, *, judge: bool) -> bool:
    recorder = Recorder(SampleStore(f"sqlite:///{folder / 'samples.db'}", Keep()), print)
    live(recorder, servers, BEGIN, day_s * (days - 1))
    before, cpu = written(), time.process_time()
    live(recorder, servers, BEGIN + day_s * (days - 1), day_s)
    recorder.store.close()  # what the write-ahead log still holds goes to the file
    mb, cpu = (written() - before) / 1e6, time.process_time() - cpu
    what = f"{servers} servers with {len(KEYS)} values each, every {ROUND_S} s"
    broken = line("written", mb, "MB", WRITTEN_LIMIT_MB, f"in a day: {what}", judge=judge)

    rows(folder / "rows.db", servers, BEGIN, day_s)
    before = written()
    rows(folder / "rows.db", servers, BEGIN + day_s, day_s)
    peer = (written() - before) / 1e6
    line("peer", peer / mb if mb else 0.0, "times", None, f"as much ({peer:.0f} MB) with a row per value", judge=judge)
    kept = (folder / "samples.db").stat().st_size / 1e6
    line("kept", kept, "MB", None, f"on the disk after {days} days", judge=judge)
    broken |= line("cpu", cpu, "s", CPU_LIMIT_S, "of CPU time for a day", judge=judge)

    recorder.store.open()
    number, end = recorder.store.known()[0].number, float(BEGIN + day_s * days)
    for name, since in (("plot", end - day_s), ("plots", float(BEGIN))):
        width = (end - since) / 440

        def plot(since: float = since, width: float = width) -> None:
            recorder.store.read([number], since, end, width, lambda ones: regroup(ones, since, end, 440))

        text = f"to read a plot of {'a day' if name == 'plot' else f'{days} days'}"
        broken |= line(name, timed(plot), "ms", PLOT_LIMIT_MS, text, judge=judge)
    recorder.store.close()
    return broken


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure what the Logger's samples cost.")
    parser.add_argument("--quick", action="store_true", help="few servers, an hour for a day; nothing is judged")
    parser.add_argument("--days", type=int, default=3, help="how many days are simulated (default: 3)")
    parser.add_argument("--servers", type=int, default=50, help="(default: 50)")
    parser.add_argument(
        "--folder", type=Path, help="on the disk that is meant (default: the folder for temporary files)"
    )
    options, _others = parser.parse_known_args()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{'machine':<9} {os.cpu_count()} CPUs, Python {sys.version.split()[0]}, load {load}", flush=True)
    servers, days, day_s = (5, 2, HOUR_S) if options.quick else (options.servers, options.days, DAY_S)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        judge = not options.quick and servers == 50
        return 1 if measure(Path(name), servers, days, day_s, judge=judge) else 0


if __name__ == "__main__":
    sys.exit(main())
