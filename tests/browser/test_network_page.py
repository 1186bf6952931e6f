"""The network page in a browser: selecting, keys, states that come in, and what the daemon's change of heart does."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from web_browser import Watched
from web_site import TOKENS, WebSite

BOXES = (
    "() => [...document.querySelectorAll('a.node')].map((node) => node.dataset.name + node.getAttribute('transform'))"
)


def test_a_click_shows_the_panel_and_stresses_the_neighbours_without_a_new_page(admin: Watched) -> None:
    page = admin.open("/")
    page.evaluate("() => { window.same = true; }")
    page.locator("a.node[data-name='db']").click()
    page.get_by_role("heading", name="db", exact=True).wait_for()
    assert page.url.endswith("/?select=db")
    near = page.eval_on_selector_all("a.node.near", "(nodes) => nodes.map((node) => node.dataset.name).sort()")
    assert near == ["core", "db", "nas", "web"]
    page.locator("#panel a[data-select='nas']").click()
    page.get_by_role("heading", name="nas", exact=True).wait_for()
    page.go_back()
    page.get_by_role("heading", name="db", exact=True).wait_for()
    assert page.evaluate("() => window.same")
    admin.is_accessible()
    admin.picture("network-selected")


def test_the_keys_walk_along_the_lines(admin: Watched) -> None:
    page = admin.open("/")

    def at() -> Any:
        return page.evaluate("() => document.activeElement.dataset.name")

    page.locator("a.node[tabindex='0']").focus()
    assert page.locator("a.node[tabindex='0']").count() == 1
    seen = []
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown", "Home"):
        page.keyboard.press(key)
        seen.append(at())
    assert seen[0] in ("dns", "nas")
    assert len(set(seen)) >= 4
    page.locator("a.node[data-name='nas']").focus()
    page.keyboard.press("ArrowRight")
    assert at() == "db"
    page.keyboard.press("Space")
    page.get_by_role("heading", name="db", exact=True).wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("heading", name="Select a server").wait_for()
    width = _width(page)
    page.get_by_role("button", name="Larger").click()
    assert _width(page) > width
    page.locator("a.node[data-name='nas']").focus()
    page.keyboard.press("0")
    assert _width(page) == width
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys").wait_for()
    admin.is_accessible()
    page.keyboard.press("Escape")
    page.locator("a.node[data-name='db']").click()
    page.get_by_role("heading", name="db", exact=True).wait_for()
    page.locator("a.node[data-name='nas']").focus()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.keyboard.press("o")  # for the box that has the focus, not for the one that the panel shows
    page.wait_for_url("**/plan/new?action=on&server=nas")
    assert not [url for url in asked if "server=db" in url]


def _width(page: Page) -> float:
    return float(page.locator("svg.graph").first.get_attribute("width") or 0)


def test_states_come_in_and_nothing_moves(admin: Watched, site: WebSite) -> None:
    page = admin.open("/")
    before = page.evaluate(BOXES)
    with site.daemon.connect(token=TOKENS["operator"]) as daemon:
        daemon.call("run", {"action": "on", "servers": ["core", "dns"]})
    page.locator("a.node.state-on[data-name='dns']").wait_for()
    assert page.locator("a.node[data-name='dns'] .glyph").text_content() == "✓"
    assert page.locator("a.node[data-name='dns'] .word").text_content() == "On"
    assert page.locator("[data-row='dns'] .word").text_content() == "On"
    assert page.locator("[data-count='on'] [data-number]").text_content() == "2"
    assert page.evaluate(BOXES) == before
