#!/usr/bin/env python3
"""Power on many outlets, through Ockle and through powerman, on the same simulated PDUs in the same run.

A simulated PDU has 16 outlets, takes 50 ms for each request and one request at a time. powerman speaks to it by lines
of text, with a device file of ours; Ockle by SNMP. Both are real daemons, started anew for each time and ordered by
their own command line. What they do is not the same:

  powerman  one command per outlet, takes the PDU's word
  Ockle     one SET per outlet and as many GETs as it takes until the outlet shows it; each intent is durable before its
            SET, each outcome after it; dependencies, tests and controls would be seen to as well, here there are none

On a machine that is busy otherwise (load above two per CPU) the wall time is not judged.

Prints, per size, wall time, CPU time and memory of both daemons and their ratios (medians); exit 1 when a limit is
broken. ``whole`` is powerman with one command for all outlets of a PDU, which Ockle never sends: for information.
Without powerman (Debian: apt install powerman) it is left out, and says so.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.pdus import OUTLETS, Pdus, pdus
from bench.processes import Process, find_program, free_port, ockle_daemon, running

from ockle.webserver.ockle_client.connection import Connection

DELAY_S = 0.05
SIZES = (16, 128, 512, 1024)
WALL_LIMIT, CPU_LIMIT, MEMORY_LIMIT = 4.0, 150.0, 50.0


@dataclass(frozen=True)
class Cost:
    wall_s: float
    cpu_s: float
    peak_mb: float


def switched_on(found: Pdus, daemon: Process, command: list[str]) -> Cost:
    """Have ``command`` order everything on; what it took until it ended, when everything has to be on."""
    before = daemon.cpu_s()
    began = time.perf_counter()
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    wall_s = time.perf_counter() - began
    if result.returncode or found.closed() != len(found.nodes):
        raise RuntimeError(f"{found.closed()} of {len(found.nodes)} are on: {result.stdout}{result.stderr}")
    return Cost(wall_s, daemon.cpu_s() - before, daemon.peak_mb())


def by_powerman(found: Pdus, powermand: str, powerman: str, *, whole: bool = False) -> Cost:
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # it gives up root
        with running([powermand, "-f", "-c", str(found.write_powerman(folder, port, whole=whole))]) as daemon:
            for device in range(len(found.nodes) // OUTLETS):
                daemon.wait_for(rf"tcp_finish_connect\(pdu{device:03}\): connected")
            return switched_on(found, daemon, [powerman, "-h", f"127.0.0.1:{port}", "-1", ",".join(found.nodes)])


def by_ockle(found: Pdus) -> Cost:
    with tempfile.TemporaryDirectory() as name:
        found.write_site(Path(name) / "etc", Path(name) / "state")
        with ockle_daemon(Path(name) / "etc") as (daemon, port):
            ockle = [sys.executable, "-m", "ockle", "on", "--host", f"127.0.0.1:{port}", "-y", "all"]
            wait_until_off(port)
            daemon.settled()
            return switched_on(found, daemon, ockle)


def wait_until_off(port: int) -> None:
    """Wait until Ockle has read every outlet."""
    with Connection("127.0.0.1", port, timeout=60) as client:
        while any(server["state"] != "OFF" for server in client.call("status")["servers"].values()):
            time.sleep(0.2)


@contextmanager
def dark(found: Pdus) -> Iterator[Pdus]:
    found.open_all()
    if found.closed():
        raise RuntimeError("a relay does not open")
    yield found


def middle(costs: list[Cost]) -> Cost:
    return Cost(*(median(getattr(one, name) for one in costs) for name in ("wall_s", "cpu_s", "peak_mb")))


def compare(size: int, repetitions: int, powermand: str, powerman: str, *, judge: bool) -> bool:
    """Print the lines of one size; return whether a limit was broken."""
    ours, theirs, wholes = [], [], []
    with pdus(size // OUTLETS, DELAY_S) as found:
        for _ in range(repetitions):
            with dark(found):
                theirs.append(by_powerman(found, powermand, powerman))
            with dark(found):
                ours.append(by_ockle(found))
            with dark(found):
                wholes.append(by_powerman(found, powermand, powerman, whole=True))
    ockle, other, whole = middle(ours), middle(theirs), middle(wholes)
    busy = os.getloadavg()[0] > 2 * (os.cpu_count() or 1)  # the daemon's own work waits then, powerman has none
    broken = False
    for name, limit, unit in (("wall_s", WALL_LIMIT, "s"), ("cpu_s", CPU_LIMIT, "s"), ("peak_mb", MEMORY_LIMIT, "MB")):
        mine, yours = getattr(ockle, name), getattr(other, name)
        within = mine / yours <= limit
        judged = judge and not (busy and name == "wall_s")
        broken |= judged and not within
        verdict = "not judged" if not judged else "ok" if within else "BROKEN"
        label = name.partition("_")[0]
        print(
            f"{label:<9} {mine / yours:.2f} (limit {limit:g}: {verdict}); {size} outlets: Ockle {mine:.3g} {unit}, "
            f"powerman {yours:.3g} {unit}",
            flush=True,
        )
    print(f"{'whole':<9} {size} outlets: powerman with one command per PDU {whole.wall_s:.3g} s", flush=True)
    return broken


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare a power-on with powerman's.")
    parser.add_argument("--quick", action="store_true", help="16 outlets, once; nothing is judged")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="OUTLETS", help="multiples of 16")
    parser.add_argument("--repetitions", type=int, default=3)
    options, _others = parser.parse_known_args()
    powermand, powerman = find_program("powermand"), find_program("powerman")
    if powermand is None or powerman is None:
        print("left out: powerman is not installed (Debian: apt install powerman)")
        return 0
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{'machine':<9} {os.cpu_count()} CPUs, Python {sys.version.split()[0]}, load {load}", flush=True)
    sizes, repetitions = ((16,), 1) if options.quick else (options.sizes, options.repetitions)
    broken = [compare(size, repetitions, powermand, powerman, judge=not options.quick) for size in sizes]
    return 1 if any(broken) else 0


if __name__ == "__main__":
    sys.exit(main())
