"""Stock PCs boot over the network: installed, booted again, installed anew when wanted, several at once, UEFI."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from netboot_stock import SYSTEM_RUNS, Stock, stock_site

from ..common import Report, parser
from .kernel import fetch

FORMATTING, BOOTED = "formatting", "booted"
"""Stages of a board."""
MANY = 3
BOOT_S = 150.0
HOSTILE = Path(__file__).resolve().parents[2] / "tests" / "netboot_hostile.py"
Work = Callable[[Report, Stock], None]


def times(stock: Stock, name: str, stage: str) -> int:
    """Return how often a board has come to a stage."""
    mac = stock.machines[name].mac
    return sum((one["data"]["mac"], one["data"]["stage"]) == (mac, stage) for one in stock.events("netboot"))


def boots(report: Report, stock: Stock, what: str, *, formats: int) -> None:
    """Switch everything on; each board has to boot, after being told to format so many times. Then switch it off."""
    names = list(stock.machines)
    before = {name: (times(stock, name, FORMATTING), times(stock, name, BOOTED)) for name in names}
    began = time.monotonic()
    stock.ended(stock.order("on", "after"))
    report.figure(f"{what}: until all is OK", time.monotonic() - began, "s", most=BOOT_S)
    for name in names:
        formatted = times(stock, name, FORMATTING) - before[name][0]
        booted = times(stock, name, BOOTED) - before[name][1]
        if (formatted, booted >= 1) != (formats, True):
            report.broken(f"{what}: {name} was told to format {formatted} times, and booted {booted} times")
        stock.until("in its own system", partial(_runs, stock, name))
    stock.ended(stock.order("off", *names))
    if any(state != "OFF" for state in stock.states().values()):
        report.broken(f"{what}: {stock.states()} after everything was switched off")


def life(report: Report, stock: Stock) -> None:
    """Install a bare machine, boot it again, install it anew once, and boot it again."""
    boots(report, stock, "bare", formats=1)
    boots(report, stock, "installed", formats=0)
    wanted = stock.call("netbootReinstall", board="board", power=False, dry_run=True)["confirm"]
    stock.call("netbootReinstall", board="board", power=False, confirm=wanted)
    boots(report, stock, "to be installed anew", formats=1)
    boots(report, stock, "installed anew", formats=0)


def _runs(stock: Stock, name: str) -> bool:
    return SYSTEM_RUNS in stock.machines[name].said()


def several(report: Report, stock: Stock) -> None:
    boots(report, stock, f"{len(stock.machines)} bare ones", formats=1)


def amid_nonsense(report: Report, stock: Stock) -> None:
    """Install a machine while a neighbour sends nonsense to every port, in its name, too."""
    neighbour = stock.wire.host("10.214.0.99")
    words = (sys.executable, HOSTILE, stock.wire.ADDRESS, stock.machines["board"].mac, BOOT_S, 3)
    with stock.wire.popen(*words, host=neighbour, stdout=subprocess.DEVNULL) as attack:
        try:
            boots(report, stock, "bare, amid nonsense", formats=1)
        finally:
            attack.kill()


def killed(report: Report, stock: Stock) -> None:
    """Kill the daemon while a machine formats its disk: the next one finishes what was begun."""
    run = stock.order("on", "after")
    stock.until("formatting", lambda: times(stock, "board", FORMATTING))
    stock.daemon.stop(signal.SIGKILL)
    began = time.monotonic()
    stock.start()
    stock.ended(run)
    report.figure("daemon killed in an installation: until all is OK", time.monotonic() - began, "s", most=BOOT_S)
    stock.until("in its own system", partial(_runs, stock, "board"))
    if stock.states() != {"board": "OK", "after": "OK"}:
        report.broken(f"the daemon was killed in an installation, and then: {stock.states()}")


def main(words: list[str] | None = None) -> int:
    options = parser("netboot", __doc__)
    options.add_argument("--only", default="", metavar="TEXT", help="the parts with that in their names")
    chosen = options.parse_args(words)
    report = Report("netboot")
    parts: list[tuple[str, Work, Callable[[Path], AbstractContextManager[Stock]]]] = [
        ("one PC with BIOS", life, lambda folder: stock_site(folder, "board")),
        ("one PC with iPXE below UEFI", several, lambda folder: stock_site(folder, "board", firmware="uefi")),
        ("one PC whose UEFI loads iPXE", several, lambda folder: stock_site(folder, "board", firmware="edk2")),
        ("one PC amid nonsense", amid_nonsense, lambda folder: stock_site(folder, "board")),
        ("one PC whose daemon dies", killed, lambda folder: stock_site(folder, "board")),
        (f"{MANY} PCs at once", several, lambda folder: stock_site(folder, *(f"b{n}" for n in range(MANY)))),
    ]
    try:
        fetch()
        for what, work, site in parts[: 1 if chosen.quick else None]:
            if chosen.only not in what:
                continue
            with report.phase(what), TemporaryDirectory(prefix="ockle-netboot-") as name, site(Path(name)) as stock:
                work(report, stock)
    except (RuntimeError, pytest.skip.Exception, pytest.fail.Exception) as error:
        print(f"left out: {error}")  # no virtual machines or no namespaces here
        return 0
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
