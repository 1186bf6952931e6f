"""The main tasks in a browser: choose servers, see the plan, start it, watch it, take it back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from web_browser import Watched
from web_site import TOKENS, WebSite

PAGES = {
    "servers": "/servers",
    "server": "/server/nas",
    "plan-new": "/plan/new",
    "plan-on": "/plan/new?action=on&server=all",
    "plan-cut": "/plan/new?action=cut&server=core",
    "runs": "/runs",
    "emergency": "/emergency",
}


def sound(admin: Watched, name: str) -> None:
    admin.is_accessible()
    admin.fits_a_phone()
    admin.picture(name)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_sound(admin: Watched, name: str) -> None:
    admin.open(PAGES[name])
    sound(admin, name)


def test_a_power_up_is_followed_to_its_end(site: WebSite, admin: Watched) -> None:
    page = admin.open("/")
    for text in ("Runs", "Power up all…", "Turn on 7 servers"):
        page.get_by_role("link", name=text, exact=True).or_(page.get_by_role("button", name=text, exact=True)).click()
    expect(page.locator(".runs-now a")).to_contain_text("Power-up")
    expect(page.locator("[data-run-state=running] svg.gantt")).to_be_visible()
    admin.picture("run-begun")
    expect(page.locator("[data-run-state=done]")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("7 on, 0 failed, 0 skipped")).to_be_visible()
    expect(page.locator(".runs-now")).to_be_hidden()
    sound(admin, "run-done")
    site.settled("OK")


def power_up(site: WebSite) -> None:
    """Have all servers on, whatever ran before."""
    with site.daemon.connect(token=TOKENS["operator"]) as daemon:
        daemon.call("run", {"action": "on", "servers": ["all"]})
    site.settled("OK")


def test_off_shows_who_goes_down_and_the_way_out_has_the_focus(site: WebSite, admin: Watched) -> None:
    power_up(site)
    page = admin.open("/servers")
    page.get_by_role("checkbox", name="Choose nas").check()
    page.get_by_role("button", name="Turn off…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Turn off nas?")
    expect(page.get_by_role("link", name="Keep them on")).to_be_focused()
    steps = [cell.inner_text() for cell in page.locator("table.steps tbody th").all()]
    assert steps == ["web", "db", "nas"]
    sound(admin, "plan-off")
    page.get_by_role("button", name="Turn off 3 servers").click()
    expect(page.locator("[data-run-state=done]")).to_be_visible(timeout=30_000)
    site.settled("OFF", *steps)
    assert site.lab.ledger.cuts_while_mounted() == []


def test_a_run_is_taken_back_by_a_button(site: WebSite, admin: Watched) -> None:
    power_up(site)
    page = admin.open("/plan/new?action=off&server=lone")
    page.get_by_role("button", name="Turn off 1 server").click()
    page.get_by_role("button", name="Take it back").click()
    expect(page.locator("[data-run-state=cancelled]")).to_be_visible()
    site.settled("OK", "lone")


def test_a_choice_does_not_outlive_the_filter(admin: Watched) -> None:
    page = admin.open("/servers")
    choose_all(page)
    expect(page.locator("tbody tr.picked")).to_have_count(7)
    page.get_by_label("Text").fill("db")
    expect(page.locator("tbody tr:visible")).to_have_count(1)
    expect(page.locator("tbody tr.picked")).to_have_count(0)
    expect(page.get_by_role("button", name="Turn off…")).to_be_disabled()
    choose_all(page)
    page.get_by_role("button", name="Restart…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Restart db?")


def choose_all(page: Page) -> None:
    page.get_by_role("checkbox", name="Choose all that are shown").check()
