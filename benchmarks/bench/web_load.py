"""A hundred browsers that poll each second while states change, and somebody who opens pages and logs in meanwhile."""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from ockle.webserver.ockle_client.connection import Connection

from .browsers import Browser, Polls
from .dummy_site import write_dummy_site
from .processes import Process, ockle_daemon, running
from .report import Report

SERVERS, FEW, MANY, SECONDS = 500, 10, 100, 10.0
STATE = "/api/v1/state"
USER, PASSWORD = "guy", "correct horse battery"
PAGES = ("/", "/servers", STATE)


def measure(report: Report, quick: bool) -> None:
    """Report how polls and pages of many browsers compare with those of few, and what weighs how much."""
    servers, seconds = (20, 2.0) if quick else (SERVERS, SECONDS)
    with tempfile.TemporaryDirectory() as name, gui(Path(name), servers) as (port, web, daemon):
        asyncio.run(_weigh(report, port))
        few, few_pages, few_logins = asyncio.run(_browse(port, daemon, FEW, seconds))
        before = web.cpu_s()
        many, many_pages, many_logins = asyncio.run(_browse(port, daemon, MANY, seconds))
        cpu = (web.cpu_s() - before) / seconds
    text = f"{MANY} browsers {many.p95 * 1e3:.1f} ms, {FEW} browsers {few.p95 * 1e3:.1f} ms (p95), {servers} servers"
    report.limited("polls", many.p95 / few.p95, 25, text)
    report.limited("late", many.late / len(many.seconds), 0.01, f"{many.late} of {len(many.seconds)} polls")
    slow, fast = median(many_pages), median(few_pages)
    text = f"a page that asks the daemon, {slow * 1e3:.1f} ms beside {MANY} browsers, {fast * 1e3:.1f} ms beside {FEW}"
    report.limited("page", slow / fast, 4, text)
    slow, fast = median(many_logins), median(few_logins)
    text = f"a login, {slow * 1e3:.0f} ms beside {MANY} browsers, {fast * 1e3:.0f} ms beside {FEW}"
    report.limited("login", slow / fast, 2, text)
    report.limited("cpu", cpu, 1.0, f"of one CPU for {MANY} browsers; {many.bytes / len(many.seconds):.0f} B a poll")


@contextmanager
def gui(folder: Path, servers: int) -> Iterator[tuple[int, Process, int]]:
    """Yield the GUI's port, its process, and the daemon's port."""
    etc = folder / "etc"
    write_dummy_site(etc, folder / "state", servers)
    with ockle_daemon(etc) as (_daemon, port):
        command = [
            sys.executable,
            "-m",
            "ockle",
            "web",
            "--etc",
            str(etc),
            "--host",
            f"127.0.0.1:{port}",
            "--port",
            "0",
        ]
        with (etc / "config.ini").open("a") as file:
            file.write("[web]\nlocal_role = admin\n")
        with Connection("127.0.0.1", port) as connection:
            code = connection.call("setupCode")["code"]
            connection.call("setupUser", {"code": code, "user": USER, "password": PASSWORD})
        with running(command) as web:
            yield int(web.wait_for(r"the GUI is at http://127\.0\.0\.1:(\d+)")[1]), web, port


async def _weigh(report: Report, port: int) -> None:
    browser = Browser(port)
    sizes = {path: len((await browser.ask(path))[2]) for path in PAGES}
    assets = re.findall(rb'(?:href|src)="(/static/[^"]+)"', (await browser.ask("/"))[2])
    sizes["/static/... of the first page"] = sum([len((await browser.ask(path.decode()))[2]) for path in assets])
    browser.close()
    report.line("bytes", ", ".join(f"{path} {size}" for path, size in sizes.items()))


async def _browse(port: int, daemon: int, browsers: int, seconds: float) -> tuple[Polls, list[float], list[float]]:
    """Return the polls of so many browsers, and how long each opening of a page and each login took meanwhile."""
    polls, pages, logins = Polls(), list[float](), list[float]()
    until = time.monotonic() + seconds
    crowd = [Browser(port) for _ in range(browsers)]
    await asyncio.gather(
        *(browser.poll(STATE, until, 1.0, polls) for browser in crowd),
        _open(port, until, pages),
        _log_in(port, until, logins),
        asyncio.to_thread(_change, daemon, until),
    )
    for browser in crowd:
        browser.close()
    return polls, pages, logins


async def _open(port: int, until: float, pages: list[float]) -> None:
    browser = Browser(port)
    while time.monotonic() < until:
        began = time.perf_counter()
        status, _headers, _body = await browser.ask("/about")
        pages.append(time.perf_counter() - began)
        if status != 200:
            raise RuntimeError(f"/about: {status}")
        await asyncio.sleep(0.2)
    browser.close()


async def _log_in(port: int, until: float, logins: list[float]) -> None:
    browser = Browser(port)
    while time.monotonic() < until:
        _status, headers, page = await browser.ask("/login")
        token = re.findall(rb'name="csrf_token" value="([^"]+)"', page)[0].decode()
        body = urlencode({"csrf_token": token, "user": USER, "password": PASSWORD}).encode()
        more = (
            f"Cookie: {headers['set-cookie'].partition(';')[0]}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        )
        began = time.perf_counter()
        status, _headers, _body = await browser.ask("/login", body, more)
        logins.append(time.perf_counter() - began)
        if status != 303:
            raise RuntimeError(f"/login: {status}")
        await asyncio.sleep(0.5)
    browser.close()


def _change(daemon: int, until: float) -> None:
    """Give the states another revision twice a second."""
    with Connection("127.0.0.1", daemon) as connection:
        name = next(iter(connection.call("status")["servers"]))
        held = False
        while time.monotonic() < until:
            held = not held
            connection.call("hold", {"server": name, "held": held})
            time.sleep(0.5)
        connection.call("hold", {"server": name, "held": False})
