"""Fixtures of the tests with a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from ockle.webserver.security import SESSION_COOKIE
from web_browser import DESK, Watched, chromium, gui_process
from web_site import TOKENS, WebSite, web_site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Not for the whole session: while it is there, Playwright has an event loop running in the main thread."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebSite]:
    with web_site(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture(scope="module")
def url(site: WebSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    token = tmp_path_factory.mktemp("token") / "token"
    token.write_text(TOKENS["viewer"])
    with gui_process(site.etc, f"127.0.0.1:{site.daemon.port}", "--token-file", str(token)) as found:
        yield found


@pytest.fixture
def stranger(browser: Browser, url: str) -> Iterator[Watched]:
    """Somebody who has not logged in."""
    context = browser.new_context(viewport=DESK, reduced_motion="reduce")  # type: ignore[arg-type]
    context.set_default_timeout(15_000)
    watched = Watched(context, url)
    yield watched
    context.close()
    watched.check()


@pytest.fixture
def admin(stranger: Watched) -> Watched:
    """Somebody who has the role admin, and is logged in already."""
    stranger.page.context.add_cookies([{"name": SESSION_COOKIE, "value": TOKENS["admin"], "url": stranger.url}])
    return stranger
