#!/usr/bin/env python3
"""How much it costs to read 10,000 outlets on 200 switches: against net-snmp's own tools, on the same simulated agents.

Prints one line per figure; exit 1 when a limit is broken. ``docs/performance.md`` explains the figures.

What is measured
  pysnmp    CPU time of one poll of all outlets through Ockle's driver and pysnmp, divided by that of net-snmp's
            ``snmpget`` reading the same objects, a process for each datagram
  gufo      the same with gufo-snmp
  resident  both, divided by the CPU time of one long-lived process of net-snmp's Perl module that reads the same
            objects in the same batches. For information; left out without the module (Debian: libsnmp-perl)
Every poller runs in a process of its own, the agents in another; the sides alternate, and medians are compared. CPU
time is that of the poller alone, agents not included; the time on the wall includes them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.report import Report

BENCH = Path(__file__).parent / "bench"
LIMITS = {"pysnmp": 2.0, "gufo": 0.2}
BATCH = 48
TICK_S = 0.01
"""What Perl and the kernel count CPU time in: less is not told from nothing."""
COLUMNS = (3, 6)
POE = "1.3.6.1.2.1.105.1.1.1"
UPTIME = "1.3.6.1.2.1.1.3.0"
PERL = r"""
use strict; use SNMP; $SNMP::use_numeric = 1;
my ($batch, $ports, @agents) = @ARGV;
my @oids = (".1.3.6.1.2.1.1.3.0", map { my $p = $_; map { ".1.3.6.1.2.1.105.1.1.1.$_.1.$p" } (3, 6) } 1 .. $ports);
my @sessions = map { SNMP::Session->new(DestHost => "127.0.0.1:$_", Community => "public", Version => 2,
                                        Timeout => 5000000, Retries => 2, UseNumeric => 1) } @agents;
while (<STDIN>) {
  my ($user, $system) = times;
  for my $session (@sessions) {
    for (my $i = 0; $i < @oids; $i += $batch) {
      my $last = $i + $batch - 1; $last = $#oids if $last > $#oids;
      my $vars = SNMP::VarList->new(map { [$_] } @oids[$i .. $last]);
      my @values = $session->get($vars);
      die "$session->{ErrorStr}" if $session->{ErrorNum} || grep { !defined } @values;
    }
  }
  my ($u, $s) = times;
  $| = 1; print $u + $s - $user - $system, "\n";
}
"""


@dataclass(frozen=True)
class Size:
    switches: int
    ports: int
    rounds: int
    repetitions: int


FULL = Size(200, 50, rounds=3, repetitions=3)
QUICK = Size(3, 8, rounds=1, repetitions=1)


@dataclass(frozen=True)
class Took:
    wall_s: float
    cpu_s: float


@contextmanager
def agents(size: Size) -> Iterator[list[int]]:
    """Run the switches; gives their UDP ports."""
    command = [sys.executable, str(BENCH / "snmp_agents.py"), str(size.switches), str(size.ports)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdin
        yield json.loads(process.stdout.readline())
        process.stdin.close()
        process.wait(30)


def ockle(library: str, size: Size, udp_ports: Sequence[int]) -> dict[str, Any]:
    arguments = [library, str(size.ports), str(size.rounds), *map(str, udp_ports)]
    done = subprocess.run(
        [sys.executable, str(BENCH / "snmp_poll.py"), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        timeout=600,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def batches(size: Size) -> list[list[str]]:
    """The objects that Ockle reads of one switch, in its batches."""
    oids = [UPTIME, *(f"{POE}.{column}.1.{port}" for port in range(1, size.ports + 1) for column in COLUMNS)]
    return [oids[place : place + BATCH] for place in range(0, len(oids), BATCH)]


def snmpget(size: Size, udp_ports: Sequence[int]) -> Took:
    """Read everything with one process for each datagram, two at a time."""
    program = shutil.which("snmpget")
    assert program, "snmpget is not installed (Debian: snmp)"
    environment = {**os.environ, "SNMP_PERSISTENT_DIR": tempfile.gettempdir(), "MIBS": ""}
    options = [program, "-v2c", "-cpublic", "-Oqvn", "-t5", "-r2"]

    def read(job: tuple[int, list[str]]) -> None:
        port, oids = job
        command = [*options, f"127.0.0.1:{port}", *oids]
        done = subprocess.run(command, capture_output=True, timeout=60, check=True, env=environment)
        assert done.stdout.count(b"\n") == len(oids)

    jobs = [(port, oids) for port in udp_ports for oids in batches(size)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(read, jobs))
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Took(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


class Resident:
    """net-snmp's Perl module in one process, which polls once for each line that it is sent."""

    def __init__(self, size: Size, udp_ports: Sequence[int]) -> None:
        command = ["perl", "-e", PERL, str(BATCH), str(size.ports), *map(str, udp_ports)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    @staticmethod
    def is_installed() -> bool:
        if not shutil.which("perl"):
            return False
        return subprocess.run(["perl", "-MSNMP", "-e", "1"], capture_output=True, check=False).returncode == 0

    def poll(self) -> Took:
        assert self._process.stdin and self._process.stdout
        began = time.perf_counter()
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        cpu = float(self._process.stdout.readline())
        return Took(time.perf_counter() - began, cpu)

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(30)


def measure(report: Report, size: Size) -> None:
    with agents(size) as udp_ports:
        resident = Resident(size, udp_ports) if Resident.is_installed() else None
        if resident:
            resident.poll()
        of_ours: dict[str, list[dict[str, Any]]] = {library: [] for library in LIMITS}
        of_tools, of_resident = [], []
        for _ in range(size.repetitions):
            for library, found in of_ours.items():
                found.append(ockle(library, size, udp_ports))
            of_tools.append(snmpget(size, udp_ports))
            if resident:
                of_resident.append(resident.poll())
        if resident:
            resident.close()
    tools_cpu = median(took.cpu_s for took in of_tools)
    tools_wall = median(took.wall_s for took in of_tools)
    what = f"{size.switches * size.ports} outlets on {size.switches} switches"
    resident_cpu = median(took.cpu_s for took in of_resident) if of_resident else 0.0
    for library, found in of_ours.items():
        cpu, wall = (median(median(one[key]) for one in found) for key in ("cpu_s", "wall_s"))
        report.limited(
            library,
            cpu / max(tools_cpu, TICK_S),
            LIMITS[library],
            f"{what}: {cpu:.2f} s of CPU, {wall:.2f} s on the wall; snmpget {tools_cpu:.2f} s, {tools_wall:.2f} s; "
            f"loop late by {max(one['lag_s'] for one in found) * 1e3:.0f} ms (99 %), "
            f"{median(one['mb'] for one in found):.0f} MB, for SNMP {median(one['added_mb'] for one in found):.0f}",
        )
    if not of_resident:
        report.line("resident", "left out: net-snmp's Perl module is not installed (Debian: libsnmp-perl)")
        return
    for library, found in of_ours.items():
        cpu = median(median(one["cpu_s"]) for one in found)
        report.line(
            "resident",
            f"{library} {cpu / max(resident_cpu, TICK_S):.2f}; {cpu:.2f} s of CPU, the Perl module {resident_cpu:.2f} s"
            f", {median(took.wall_s for took in of_resident):.2f} s on the wall",
        )


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure how much it costs to read many outlets by SNMP.")
    parser.add_argument("--quick", action="store_true", help="a few outlets, to see that it runs; nothing is judged")
    options, _others = parser.parse_known_args()  # `make bench` hands its ARGS to every script
    report = Report(judge=not options.quick)
    report.machine()
    measure(report, QUICK if options.quick else FULL)
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main())
