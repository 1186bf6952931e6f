"""What a scrape by Prometheus costs: time beside that of ``status``, bytes, and for how long the device loop waits."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from statistics import median

from ockle.commands.metrics import FRESH_S
from ockle.engine.metrics.collect import collect
from ockle.webserver.ockle_client.connection import Connection

from .browsers import Browser
from .dag import layered
from .report import Report
from .runs import engine_on
from .sites import on_dummies
from .web_load import gui

SERVERS, TIMES = (1000, 5000), 5
PATHS = {"all states": "/metrics", "present ones": "/metrics?states=present"}


def measure(report: Report, quick: bool) -> None:
    """Report the figures for two sizes of networks."""
    for servers in (20,) if quick else SERVERS:
        gap, whole = asyncio.run(_stands_still(servers))
        text = f"ms in which the device loop does nothing else, of {whole * 1e3:.0f} ms for all; {servers} servers"
        report.limited("gap", gap * 1e3, 25, text)
        with tempfile.TemporaryDirectory() as name, gui(Path(name), servers) as (port, _web, daemon):
            status = _status(daemon)
            scrapes = {what: asyncio.run(_scrape(port, path, 1 if quick else TIMES)) for what, path in PATHS.items()}
        seconds = scrapes["all states"][0]
        shown = ", ".join(f"{what} {took * 1e3:.0f} ms and {size} B" for what, (took, size) in scrapes.items())
        text = f"{shown}; status {status * 1e3:.0f} ms; {servers} servers"
        report.limited("scrape", seconds / status, 15, text)


async def _stands_still(servers: int) -> tuple[float, float]:
    """Return the longest time between two turns of the loop while figures are collected, and how long that takes."""
    async with engine_on(on_dummies(layered(servers, 8, 20))) as engine:
        gaps: list[float] = []
        collecting = asyncio.ensure_future(collect(engine))
        began = last = time.perf_counter()
        while not collecting.done():
            await asyncio.sleep(0)
            now = time.perf_counter()
            gaps.append(now - last)
            last = now
        return max(gaps), last - began


def _status(port: int) -> float:
    """Return how long ``status`` takes, for a client of the daemon."""
    took = []
    with Connection("127.0.0.1", port) as daemon:
        for _ in range(TIMES):
            began = time.perf_counter()
            daemon.call("status")
            took.append(time.perf_counter() - began)
    return median(took)


async def _scrape(port: int, path: str, times: int) -> tuple[float, int]:
    """Return how long a scrape takes that finds nothing ready made, and how many bytes come."""
    browser, took, size = Browser(port), [], 0
    for _ in range(times):
        await asyncio.sleep(FRESH_S + 0.1)
        began = time.perf_counter()
        status, _headers, body = await browser.ask(path)
        took.append(time.perf_counter() - began)
        size = len(body)
        if status != 200:
            raise RuntimeError(f"{path}: {status}")
    browser.close()
    return median(took), size
