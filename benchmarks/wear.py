#!/usr/bin/env python3
"""How much the daemon writes to its storage: an SD card of a Raspberry Pi has to last.

A real daemon, default options, a site of dummies. ``write_bytes`` of /proc/PID/io counts what it had the kernel write
to storage, so the state folder has to be on a disk, not in memory; ``--folder`` names one.

  idle    bytes per day while nothing happens, from what is written in ``--seconds`` (after the start has settled)
  cycle   bytes for one power-down and power-up of everything

Exit 1 when one is above its limit.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from bench.dummy_site import write_dummy_site
from bench.processes import Process, ockle_daemon

from ockle.webserver.ockle_client.connection import Connection

SERVERS = 500
DAY_S = 86_400
IDLE_LIMIT_MB, CYCLE_LIMIT_MB = 200.0, 61.0


def carried_out(client: Connection, action: str) -> None:
    """Have everything switched and wait for the end. Raises RuntimeError when it does not end well."""
    request = {"action": action, "servers": ["all"]}
    plan = client.call("plan", request)
    run = client.call("run", {**request, "confirm": plan["confirm"]})["run"]
    while (found := client.call("getRun", {"run": run}))["state"] == "running":
        time.sleep(0.5)
    if found["state"] != "done":
        raise RuntimeError(f"the run ended as {found['state']}")


def line(name: str, value_mb: float, limit_mb: float, text: str, *, judge: bool) -> bool:
    """Print a figure; return whether it is above its limit."""
    verdict = "not judged" if not judge else "ok" if value_mb <= limit_mb else "BROKEN"
    print(f"{name:<9} {value_mb:.2f} MB (limit {limit_mb:g}: {verdict}); {text}", flush=True)
    return judge and value_mb > limit_mb


def measure(folder: Path, servers: int, seconds: float, *, judge: bool) -> bool:
    still_s = min(15.0, seconds)
    write_dummy_site(folder / "etc", folder / "state", servers)
    with ockle_daemon(folder / "etc") as (daemon, port), Connection("127.0.0.1", port, timeout=60) as client:
        carried_out(client, "on")
        flushed(daemon, still_s)
        before = daemon.written()
        began = time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - began
        idle = daemon.written() - before
        broken = line(
            "idle", idle / took * DAY_S / 1e6, IDLE_LIMIT_MB * servers / SERVERS,
            f"a day with {servers} servers; {idle / 1e3:.0f} kB in {took:.0f} s", judge=judge,
        )  # fmt: skip
        before = daemon.written()
        carried_out(client, "off")
        carried_out(client, "on")
        flushed(daemon, still_s)
        cycle = daemon.written() - before
        return broken | line(
            "cycle", cycle / 1e6, CYCLE_LIMIT_MB * servers / SERVERS,
            f"off and on of {servers} servers, {cycle / servers / 1e3:.1f} kB per server", judge=judge,
        )  # fmt: skip


def flushed(daemon: Process, still_s: float) -> None:
    """Wait until it has written nothing for so long: the log's batches come a while after what they tell."""
    before, since = daemon.written(), time.monotonic()
    while time.monotonic() - since < still_s:
        time.sleep(0.5)
        now = daemon.written()
        if now != before:
            before, since = now, time.monotonic()


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure what the daemon writes.")
    parser.add_argument("--quick", action="store_true", help="few servers, seconds; nothing is judged")
    parser.add_argument("--seconds", type=float, default=120.0, help="how long idleness is watched (default: 120)")
    parser.add_argument(
        "--folder", type=Path, help="on the disk that is meant (default: the folder for temporary files)"
    )
    options, _others = parser.parse_known_args()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{'machine':<9} {os.cpu_count()} CPUs, Python {sys.version.split()[0]}, load {load}", flush=True)
    servers, seconds = (20, 2.0) if options.quick else (SERVERS, options.seconds)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        return 1 if measure(Path(name), servers, seconds, judge=not options.quick) else 0


if __name__ == "__main__":
    sys.exit(main())
