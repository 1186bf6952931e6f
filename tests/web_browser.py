"""A headless Chromium in front of the GUI's own process: what it must never do is watched on every page.

A page that writes an error to the console, breaks the content policy, or asks another host for anything fails its test.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from peers import missing

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",  # CI runs as root in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESK, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
PICTURES = os.environ.get("OCKLE_PICTURES", "")
"""A folder for pictures of the pages, for the docs and for people who look at them; empty: none are taken."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield Debian's Chromium; where there is none the test is skipped."""
    path = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        missing("chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def gui_process(etc: Path, daemon: str, *words: str) -> Iterator[str]:
    """Run ``ockle web`` for the daemon at an address and yield the GUI's URL, without the slash at its end."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    for name in ("OCKLE_HOST", "OCKLE_TOKEN", "OCKLE_ETC"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "ockle", "web", "--etc", str(etc), "--host", daemon, "--port", "0", *words]
    log = (etc.parent / "web.log").open("w+")
    with log, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"http://\S+", line)
            assert found, f"the GUI did not start: {line}{(etc.parent / 'web.log').read_text()}"
            yield found[0].rstrip("/")
        finally:
            process.terminate()


class Watched:
    """A page of a browser, and what it did that it must not do."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.url = url
        self.page: Page = context.new_page()
        self.faults: list[str] = []
        self.forgiven: tuple[str, ...] = ()
        """Parts of messages that the test brings about on purpose."""
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"console, {message.type}: {message.text} ({message.location.get('url', '')})")

    def _asked(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.url).netloc and not request.url.startswith(("data:", "blob:")):
            self.faults.append(f"asked another host: {request.url}")

    def open(self, path: str) -> Page:
        """Go to a page; it has to be one."""
        answer = self.page.goto(self.url + path)
        assert answer is not None
        assert answer.ok, f"{path}: {answer.status}"
        return self.page

    def check(self) -> None:
        """Fail for what it did wrong so far."""
        bad = [fault for fault in self.faults if not any(part in fault for part in self.forgiven)]
        assert not bad, "\n".join(bad)

    def is_accessible(self) -> None:
        """Fail when axe finds something, in light or in dark."""
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            found = Axe().run(self.page).response["violations"]
            assert not found, f"{scheme}, {self.page.url}:\n" + "\n".join(map(_violation, found))
        self.page.emulate_media(color_scheme="light")

    def fits_a_phone(self) -> None:
        """Fail when the page is wider than a phone."""
        self.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        wide = self.page.evaluate(
            """() => [document.documentElement.scrollWidth, [...document.querySelectorAll("body *")]
                .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".scroll"))
                .slice(0, 5).map((one) => one.outerHTML.slice(0, 120))]"""
        )
        self.page.set_viewport_size(DESK)  # type: ignore[arg-type]
        assert wide[0] <= PHONE["width"], f"{self.page.url} is {wide[0]} px wide: {wide[1]}"

    def picture(self, name: str) -> None:
        """Take pictures, light, dark and on a phone, where somebody wants them."""
        if not PICTURES:
            return
        folder = Path(PICTURES)
        folder.mkdir(parents=True, exist_ok=True)
        for kind, scheme, size in (("", "light", DESK), ("-dark", "dark", DESK), ("-phone", "light", PHONE)):
            self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            self.page.set_viewport_size(size)  # type: ignore[arg-type]
            self.page.screenshot(path=folder / f"{name}{kind}.png", full_page=kind == "-phone")
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size(DESK)  # type: ignore[arg-type]


def _violation(found: dict[str, Any]) -> str:
    nodes = "; ".join(f"{node['html'][:160]} {node['failureSummary'][:200]}" for node in found["nodes"][:3])
    return f"{found['id']} ({found['impact']}): {nodes}"
