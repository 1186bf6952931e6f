"""The daemon goes and comes back while somebody looks: the pages stay, say how old they are, and catch up."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from e2e import Daemon
from web_browser import Watched
from web_site import WebSite

SEEN_MS = 40_000
pytestmark = pytest.mark.timeout(180)  # two daemons, and a page that asks less and less often while there is none


def test_the_daemon_is_lost_and_regained(admin: Watched, site: WebSite) -> None:
    page = admin.open("/servers")
    banner = page.locator("[data-lost]")
    expect(banner).to_be_hidden()
    config = site.etc / "config.ini"
    config.write_text(config.read_text().replace("port = 0", f"port = {site.daemon.port}"))

    site.daemon.stop()
    expect(banner).to_be_visible(timeout=SEEN_MS)
    expect(banner).to_contain_text("Nothing can be switched")
    for path in ("/", "/servers"):
        page = admin.open(path)  # from the last snapshot
        expect(page.get_by_text("core").first).to_be_visible()
        expect(page.locator("[data-lost]")).to_be_visible()
        admin.picture(f"daemon-down{path.replace('/', '-')}")
    admin.is_accessible()
    admin.forgiven = ("503", "504")
    page.goto(f"{admin.url}/server/nas")  # which asks the daemon: what it cannot say is said
    expect(page.get_by_role("heading", level=1)).to_be_visible()

    page = admin.open("/servers")
    daemon = Daemon(site.etc).ready()
    try:
        expect(page.locator("[data-lost]")).to_be_hidden(timeout=SEEN_MS)
        expect(page.locator('[data-state-of="core"]').first).to_contain_text("Off", timeout=SEEN_MS)
    finally:
        daemon.stop()
