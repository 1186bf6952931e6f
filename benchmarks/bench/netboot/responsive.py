"""What a person at the daemon notices of transfers: how long ``status`` takes beside 128 of them."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from statistics import median, quantiles

from ockle.webserver.ockle_client.connection import Connection

from ..dummy_site import write_dummy_site
from ..report import Report, Target
from . import servers
from .loads import MIB, judged
from .space import FIRST_BOARD, SERVER, WIRE
from .transfers import boot_files

SERVERS = 100
WAYS = ("thread", "process")
SLOWER = 3.0
"""How many times as long an answer may take beside the transfers, by the default way of serving."""
CONFIG = """[main]
state_dir = {state}
[plugins]
plugins = CoreCommunicationCommands, SocketListener, NetBoot
[plugins.SocketListener]
port = 0
unix_socket = {socket}
[plugins.NetBoot]
serve = {way}
services = tftp,
interface = {wire}
address = {address}
root = {root}
"""


def status(report: Report, site: servers.Site, clients: int, seconds: float) -> None:
    files = boot_files(site.root, [2 * MIB])
    for way in WAYS:
        scratch = site.scratch / way
        scratch.mkdir()
        idle, busy, speed = _one(replace(site, scratch=scratch), way, clients, seconds, list(map(str, files)))
        ratio, late = median(busy) / median(idle), _most(busy) / _most(idle)
        goals = [Target("as long, median", ratio, SLOWER, at_most=True)] if way == WAYS[-1] else []
        report.aimed(
            "status",
            f"serve = {way}: {median(idle) * 1e3:.1f} ms idle, {median(busy) * 1e3:.1f} ms beside {clients} transfers "
            f"({ratio:.1f} times); 95 % within {_most(busy) * 1e3:.1f} ms ({late:.1f} times); {speed:.0f} MiB/s",
            goals,
        )


def _most(values: list[float]) -> float:
    return quantiles(values, n=20)[-1]


def _one(
    site: servers.Site, way: str, clients: int, seconds: float, files: list[str]
) -> tuple[list[float], list[float], float]:
    etc, reached = site.scratch / "etc", site.scratch / "socket"
    write_dummy_site(etc, site.scratch / "state", SERVERS)
    (etc / "hosts.csv").write_text("")
    (etc / "config.ini").write_text(
        CONFIG.format(state=site.scratch / "state", socket=reached, way=way, wire=WIRE, address=SERVER, root=site.root)
    )
    with site.run(sys.executable, "-m", "ockle", "daemon", "--etc", etc) as daemon:
        daemon.wait_for("is ready")
        servers.serves_tftp(site, daemon)
        daemon.settled()
        caller = Connection(unix=str(reached))
        try:
            idle = _ask(caller, seconds)
            words = (SERVER, 69, FIRST_BOARD, clients, 1428, 16, seconds + 2, *files)
            with subprocess.Popen(site.loads.command("tftp_load", *words), stdout=subprocess.PIPE, text=True) as load:
                time.sleep(1)  # until all of them are at work
                busy = _ask(caller, seconds)
                said, _none = load.communicate(timeout=60)
        finally:
            caller.close()
    found = judged(said)
    return idle, busy, found["bytes"] / MIB / found["seconds"]


def _ask(caller: Connection, seconds: float) -> list[float]:
    """Ask some fifty times a second, as a few open pages do; return what each answer took."""
    took, end = list[float](), time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.perf_counter()
        caller.call("status")
        took.append(time.perf_counter() - began)
        time.sleep(0.02)
    return took
