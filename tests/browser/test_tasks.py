"""What people come for, done in a browser, and what the lab's machines saw of it."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from web_browser import Watched
from web_site import WebSite

DONE_MS = 40_000
MOST_CLICKS = 5


def steps_of(page: Page) -> list[str]:
    """Return the servers of the plan or run that is shown, in its order."""
    return page.locator("table.steps tbody th").all_inner_texts()


def start(page: Page) -> None:
    """Agree to the plan that is shown, typing what it asks for."""
    field = page.locator("#confirm")
    if field.count():
        label = page.locator("label[for=confirm]").inner_text()
        field.fill(label.removeprefix("Type ").removesuffix(" to go on"))
    page.locator("form.agree button").click()
    page.wait_for_url("**/runs/*")


def until_done(page: Page) -> None:
    """Wait until the run that is shown has ended well, without loading the page again."""
    expect(page.locator("main")).to_contain_text("Done", timeout=DONE_MS)


def test_the_network_comes_up_in_a_few_clicks(admin: Watched, site: WebSite) -> None:
    page = admin.open("/")
    clicks: list[str] = []
    page.expose_function("clicked", lambda text: clicks.append(text))  # noqa: PLW0108 - no built-in is taken
    page.add_init_script(
        "addEventListener('click', (event) => event.isTrusted && clicked(event.target.innerText), true)"
    )
    page.reload()
    page.get_by_role("link", name="Power up all").click()
    planned = steps_of(page)
    start(page)
    until_done(page)
    assert len(clicks) <= MOST_CLICKS
    site.settled("OK")
    assert sorted(planned) == sorted(site.lab.ledger.order("up"))
    assert not site.lab.ledger.entries("violation")
    page = admin.open("/")
    expect(page.get_by_text("7 on")).to_be_visible()
    page = admin.open("/?select=nas")
    admin.picture("network-on")


def test_what_the_preview_says_of_turning_off_is_what_the_machines_see(admin: Watched, site: WebSite) -> None:
    page = admin.open("/server/dns")
    page.get_by_role("link", name="Turn off").or_(page.get_by_role("button", name="Turn off")).first.click()
    page.wait_for_url("**/plan**")
    planned = steps_of(page)
    assert set(planned) == {"dns", "web", "pi1"}
    begun = len(site.lab.ledger.entries("shutdown"))
    admin.picture("plan-off")
    start(page)
    until_done(page)
    seen = [entry.device for entry in site.lab.ledger.entries("shutdown")[begun:]]
    assert sorted(seen) == sorted(planned)
    assert seen[-1] == planned[-1] == "dns"
    assert not site.lab.ledger.entries("violation")


def test_a_page_follows_what_happens_elsewhere(admin: Watched, site: WebSite) -> None:
    page = admin.open("/servers")
    chip = page.locator('[data-state-of="dns"]').first
    expect(chip).to_contain_text("Off")
    with site.client() as client:
        client.call("setServer", {"server": "dns", "state": "on"})
    expect(chip).to_contain_text("On", timeout=DONE_MS)


def test_without_a_mouse_a_server_is_turned_off(admin: Watched, site: WebSite) -> None:
    with site.client() as client:
        client.call("setServer", {"server": "lone", "state": "on"})
    site.settled("OK", "lone")
    page = admin.open("/servers")
    page.keyboard.press("/")
    page.keyboard.type("lone")
    page.keyboard.press("Enter")
    page.wait_for_url("**/servers?q=lone")
    tab_to(page, page.get_by_role("link", name="lone", exact=True))
    page.keyboard.press("Enter")
    page.wait_for_url("**/server/lone")
    tab_to(page, page.get_by_role("link", name="Turn off").or_(page.get_by_role("button", name="Turn off")).first)
    page.keyboard.press("Enter")
    page.wait_for_url("**/plan**")
    tab_to(page, page.locator("form.agree button"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/*")
    until_done(page)
    site.settled("OFF", "lone")


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until ``wanted`` has the focus."""
    for _ in range(60):
        if wanted.evaluate("(one) => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {wanted}")
