"""The pages of alerts and nodes in a browser: alerts come and go by themselves, and are handled by keys alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from alerts_site import LIMIT, AlertsSite, alerts_site
from web_browser import Watched
from web_site import WebSite

PAGES = {"alerts": "/alerts", "nodes": "/nodes", "node": "/nodes/pi7"}

HEAR = """() => {
    window.said = [];
    const place = document.getElementById("announcer");
    new MutationObserver(() => said.push(place.textContent)).observe(place, { childList: true });
}"""


@pytest.fixture(scope="module")
def telling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlertsSite]:
    with alerts_site(tmp_path_factory.mktemp("alerts")) as found:
        yield found


@pytest.fixture(scope="module")
def site(telling: AlertsSite) -> WebSite:
    return telling.web


def test_alerts_come_by_themselves_and_what_is_folded_out_stays(telling: AlertsSite, admin: Watched) -> None:
    limit = telling.has(LIMIT)
    page = admin.open("/alerts")
    badge = page.locator("[data-alert-badge]")
    expect(badge.locator("[data-alert-count]")).to_have_text("1")
    page.evaluate(HEAR)
    acknowledge = page.get_by_role("button", name=f"Acknowledge {limit['title']}")
    acknowledge.focus()
    number = telling.kill_pdu()
    new = page.locator(f'[data-key="open/{number}"]')
    along = new.locator("summary")
    expect(along).to_contain_text("core")
    assert acknowledge.evaluate("(one) => one === document.activeElement")
    expect(badge.locator("[data-alert-count]")).not_to_have_text("1")
    expect(badge).to_contain_text("the worst: critical")
    page.wait_for_function("() => said.some((text) => /critical: .*pdu-a/.test(text))")
    along.click()
    expect(new.get_by_role("link", name="web", exact=True)).to_be_visible()
    with telling.web.client() as client:
        client.call("acknowledgeAlert", {"alert": limit["id"]})
    expect(page.locator(f'[data-key="acknowledged/{limit["id"]}"]')).to_be_visible()
    expect(new.get_by_role("link", name="web", exact=True)).to_be_visible()
    expect(badge.locator("[data-alert-count]")).to_have_text("1")  # what somebody has in hand does not count


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_sound(telling: AlertsSite, admin: Watched, name: str) -> None:
    page = admin.open(PAGES[name])
    page.evaluate("() => document.querySelectorAll('main details').forEach((one) => { one.open = true; })")
    admin.is_accessible()
    admin.fits_a_phone()
    admin.open(PAGES[name])
    admin.picture(name)


def test_an_alert_is_handled_by_keys_alone(telling: AlertsSite, admin: Watched) -> None:
    number = telling.kill_pdu()
    page = admin.open("/about")
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url("**/alerts")
    page.locator(f'[data-key="open/{number}"] h3 a').focus()
    page.keyboard.press("Enter")
    note = page.get_by_label("Why, for the records").first
    note.focus()
    page.keyboard.type("the management card is replaced tomorrow")
    page.keyboard.press("Enter")
    expect(page.locator("[data-key=state]")).to_contain_text("is replaced tomorrow")
    admin.is_accessible()
    admin.fits_a_phone()
    admin.picture("alert")


def test_a_channel_is_tested_on_the_page(telling: AlertsSite, admin: Watched) -> None:
    page = admin.open("/alerts")
    page.get_by_role("button", name="Test hook").click()
    expect(page.get_by_role("status").filter(has_text="hook:")).to_be_visible()
    page = admin.open("/nodes")
    page.get_by_role("button", name="Ask now pi7").click()
    expect(page.locator('[data-key="nodes/pi7"]')).to_contain_text("answers")


def test_the_bar_has_room_for_a_run_and_the_number_of_alerts(telling: AlertsSite, admin: Watched) -> None:
    telling.kill_pdu()
    page = admin.open("/about")
    page.evaluate(
        """() => {
            const runs = document.querySelector("[data-runs-now]");
            runs.hidden = false;
            runs.innerHTML = '<li><a href="#">Power-up 7/12, 1:40 left</a></li>';
            document.querySelector("[data-alert-badge]").hidden = false;
        }"""
    )
    for width in (1440, 1280, 1200, 1100, 1000, 700):
        page.set_viewport_size({"width": width, "height": 600})
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
