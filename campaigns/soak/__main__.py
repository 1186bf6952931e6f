"""Two hundred servers switched for twenty minutes; exits with 1 when memory, files, threads or lags grow."""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from statistics import mean, quantiles
from tempfile import TemporaryDirectory

from ..common import Report, TimeBox, dice, parser
from ..life import forkserver
from ..networks import network
from ..site import ClientError, Died, Site, Stuck
from .process import Usage, usage

SERVERS, DEVICES, MINUTES = 200, 16, 20.0
WARM_PART = 0.25
"""Of the time, until everything has been used once: five of twenty minutes."""
IDLE_PART = 0.1
"""Of the time, at the end, when nobody orders anything."""
POLL_S, TEST_S = 2.0, 5.0
DAILY_POLLS = 86400 / 30.0
"""With the default poll_interval."""
SAMPLE_S, ORDER_S = 1.0, 5.0
GROWTH, LAG_S, WAL_BYTES = 2.0, 0.1, 64e6
DAY_BYTES, CYCLE_BYTES = 0.2e9, 61e6 / 500
"""Idle, for 500 servers; and for one server's off and on."""
LAGS_LEAST = 100
FLUSH_S = 7.0
"""Until what was noted last is written."""


class Soak:
    """One campaign; ``samples`` since the end of the warm-up, ``lags`` likewise."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.samples: list[Usage] = []
        self.lags: list[float] = []
        self.idle: tuple[float, int] = (0.0, 0)  # seconds, bytes
        self.busy: tuple[int, int] = (0, 0)  # cycles, bytes
        self._sampled = 0.0

    def run(self, seconds: float, seed: int) -> None:
        site, throw = self.site, dice(seed, "soak")
        site.serve()
        site.life.watch_lag()
        site.order("on", site.names)
        site.watch()
        self._work(TimeBox(seconds * WARM_PART), throw)
        self.samples.clear()
        self.lags.clear()
        before, cycles = self._look(), site.judge.cycles
        self._work(TimeBox(seconds * (1 - WARM_PART - IDLE_PART)), throw)
        site.order("on", site.names)
        site.watch()
        after = self._look()
        self.busy = site.judge.cycles - cycles, after.written - before.written
        self._pass(TimeBox(FLUSH_S))
        began, written = time.monotonic(), self._look().written
        self._pass(TimeBox(seconds * IDLE_PART))
        self.idle = time.monotonic() - began, self._look().written - written
        site.settle_deeds()

    def _work(self, box: TimeBox, throw: random.Random) -> None:
        while not box.over:
            try:
                self.site.order("restart", throw.sample(self.site.names, 8))
            except ClientError:
                self.site.refused += 1
            self._pass(TimeBox(min(ORDER_S, box.left_s)))

    def _pass(self, box: TimeBox) -> None:
        while not box.over:
            self._look()
            time.sleep(min(SAMPLE_S, box.left_s))

    def _look(self) -> Usage:
        site = self.site
        if not site.life.alive:
            raise Died("in the soak")
        site.sync()
        self.lags += site.life.lags()
        self.samples.append(usage(site.life.process.pid or 0, site.wal))
        return self.samples[-1]


def main(arguments: list[str]) -> int:
    made = parser("soak", __doc__)
    made.add_argument("--minutes", type=float, default=MINUTES, help=f"how long (default: {MINUTES:g})")
    made.add_argument("--servers", type=int, default=SERVERS, help=f"how many (default: {SERVERS})")
    options = made.parse_args(arguments)
    report = Report("soak")
    run(
        report, 20 if options.quick else options.servers, (0.5 if options.quick else options.minutes) * 60, options.seed
    )
    return report.end()


def run(report: Report, servers: int, seconds: float, seed: int) -> None:
    """Carry the campaign out and put its figures and findings into ``report``."""
    context = forkserver()
    spec = network(servers, max(1, servers * DEVICES // SERVERS), seed)
    with TemporaryDirectory(prefix="ockle-soak-") as folder:
        site = Site(spec, Path(folder), context, main={"poll_interval": f"{POLL_S}s", "test_interval": f"{TEST_S}s"})
        soak = Soak(site)
        with site:
            try:
                soak.run(seconds, seed)
            except Died as death:
                report.broken(f"the daemon died by itself: {death}", site.log_tail())
            except Stuck as stuck:
                report.broken(str(stuck.args[0]), f"{stuck.args[1]}\n{site.log_tail()}")
            else:
                if site.life.stop() != 0:
                    report.broken("C3: the daemon did not stop when it was asked to", site.log_tail())
        for finding in site.findings:
            report.broken(finding.what, finding.how)
    tell(report, soak, servers)


def tell(report: Report, soak: Soak, servers: int) -> None:
    """Judge what was measured: the last tenth of the samples against the first."""
    report.figure("off/on cycles", soak.site.judge.cycles)
    samples = soak.samples
    tenth = max(1, len(samples) // 10)
    first, last = samples[:tenth], samples[-tenth:]
    rss = mean(one.rss for one in first)
    report.figure("resident memory", rss / 1e6, "MB")
    report.figure("its growth after the warm-up", (mean(one.rss for one in last) / rss - 1) * 100, "%", most=GROWTH)
    for name in ("files", "threads"):
        begin, end = (max(getattr(one, name) for one in part) for part in (first, last))
        report.figure(f"open {name}, at the most: begin", begin)
        report.figure(f"open {name}, at the most: end", end, most=begin)
    report.figure("write-ahead log, at the most", max(one.wal for one in samples) / 1e6, "MB", most=WAL_BYTES / 1e6)
    if len(soak.lags) >= LAGS_LEAST:
        report.figure(
            "device loop late, 99 of 100 calls", quantiles(soak.lags, n=100)[98] * 1e3, "ms", most=LAG_S * 1e3
        )
        report.figure("device loop late, longest", max(soak.lags) * 1e3, "ms")
    cycles, written = soak.busy
    if cycles:
        report.figure("written for one server's off and on", written / cycles / 1e3, "kB", most=CYCLE_BYTES / 1e3)
    seconds, written = soak.idle
    if seconds:
        polls = seconds / POLL_S
        report.figure(
            "written a day, idle, per server",
            written / polls * DAILY_POLLS / servers / 1e3,
            "kB",
            most=DAY_BYTES / 500 / 1e3,
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
