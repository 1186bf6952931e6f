"""Many boards at once, and many that nobody knows."""

from __future__ import annotations

import asyncio
import subprocess
import time
from pathlib import Path
from statistics import median

from ockle.common.clock import SystemClock
from ockle.netboot.boards import Boards
from ockle.netboot.folder import BootFolder

from ..report import Report, Target
from . import boards, servers, usage
from .loads import judged
from .space import SERVER, WIRE
from .transfers import boot_files

FIRST = 100_000
UNKNOWN_FIRST = 200_000
UNKNOWN_PER_S = 1000
SLOWER = 0.05


def storm(report: Report, site: servers.Site, count: int, image_mib: int) -> None:
    """Boot ``count`` boards; the boot server has to have heard of each that it boots."""
    files = boot_files(site.root, [256 * 1024, *[4 * 1024] * 29, *[0] * 7])
    image = site.root / "rootfs.tgz"
    image.write_bytes(Path(files[0].path or "").read_bytes() * (4 * image_mib))
    with servers.ockle(site, services="dhcp, tftp, install", hosts=boards.hosts(FIRST, count)) as server:
        before, began = usage.cpu_s(server.popen.pid), time.perf_counter()
        outcome = asyncio.run(boards.storm(FIRST, count, files, image))
        wall, cpu = time.perf_counter() - began, usage.cpu_s(server.popen.pid) - before
        heard = _booted(site.scratch / "state", count)
        memory = usage.memory_mb(server.popen.pid)
    text = (
        f"{len(outcome.took)} of {count} boards booted in {wall:.1f} s (median {median(outcome.took or [0]):.1f} s); "
        f"the server used {cpu:.1f} s of CPU and {memory:.0f} MiB; each took {len(files)} files and {image_mib} MiB"
    )
    if outcome.failed:
        text += f"; {outcome.failed[0]}"
    booted = Target(f"boards booted, of {count}", len(outcome.took), count)
    report.aimed("storm", text, [booted, Target("of them the server has heard that", heard, count)])
    image.unlink()


def _booted(state: Path, count: int) -> int:
    """Return of how many boards the boot server knows that they have booted; it may take a moment to write the last."""
    known = Boards(BootFolder(state).boards, SystemClock())
    try:
        deadline = time.monotonic() + 5
        while True:
            known.poll()
            found = sum(board.stage.ok for board in known.all())
            if found >= count or time.monotonic() > deadline:
                return found
            time.sleep(0.1)
    finally:
        known.close()


def unknown(report: Report, site: servers.Site, known: int, strangers: int, rounds: int) -> None:
    """Exchanges of known boards, by turns with and without the others asking, in the same server."""
    alone, beside = list[float](), list[float]()
    with servers.ockle(site, services="dhcp", hosts=boards.hosts(FIRST, known)) as server:
        for number in range(rounds):
            alone.append(_exchanges(site, known))
            first = UNKNOWN_FIRST + number * strangers
            words = ("unknown", SERVER, WIRE, first, strangers, UNKNOWN_PER_S)
            with subprocess.Popen(site.loads.command("dhcp_load", *words), stdout=subprocess.PIPE, text=True) as others:
                while others.poll() is None:
                    speed = _exchanges(site, known)
                    if others.poll() is None:  # only what was beside them all the time
                        beside.append(speed)
                said, _none = others.communicate()
                judged(said)  # nobody of them may be answered
            alone.append(_exchanges(site, known))
        memory = usage.memory_mb(server.popen.pid)
    slower = 1 - median(beside) / median(alone) if beside else 0.0
    report.aimed(
        "unknown",
        f"{median(alone):.0f} exchanges/s of {known} known boards alone, {median(beside or [0]):.0f}/s while "
        f"{strangers} unknown machines ask, {UNKNOWN_PER_S} a second; {rounds} times; {memory:.0f} MiB",
        [Target("slower by the share", slower, SLOWER, at_most=True)],
    )


def _exchanges(site: servers.Site, count: int) -> float:
    found = site.loads.dhcp("relay", FIRST, count, 32)
    return float(count / found["seconds"])
