"""The settings in a browser: sound pages, a dependency edited and applied, orders by keys and by dragging."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from web_browser import Watched
from web_site import WebSite

PAGES = {
    "settings": "/settings",
    "settings-general": "/settings/general",
    "settings-plugins": "/settings/plugins",
    "settings-servers": "/settings/servers",
    "settings-new": "/settings/new/outlets?type=PoE",
    "settings-pdu": "/settings/outlets/pdu-a",
    "settings-needs": "/settings/servers/core/needs",
    "settings-outlets": "/settings/servers/nas/outlets",
    "settings-part": "/settings/servers/nas/outlets/new/pdu-b",
    "settings-history": "/settings/history",
    "settings-text": "/settings/outlets/pdu-a/as/text",
    "settings-files": "/settings/files",
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_sound(admin: Watched, name: str) -> None:
    page = admin.open(PAGES[name])
    for folded in page.locator("details.more-options, details.plugin").all():
        folded.evaluate("one => { one.open = true; }")
    admin.is_accessible()
    admin.fits_a_phone()
    admin.picture(name)


def names(listed: Locator) -> list[str]:
    return [text.strip() for text in listed.all_inner_texts()]


def drag_below(page: Page, what: Locator, where: Locator) -> None:
    """Drag with the mouse, into the lower half of another row."""
    box = where.bounding_box()
    assert box is not None
    what.drag_to(where, target_position={"x": 20, "y": box["height"] * 0.8})


def test_a_dependency_is_edited_reviewed_and_applied(admin: Watched, site: WebSite) -> None:
    page = admin.open("/settings/servers/lone/needs")
    page.get_by_role("checkbox", name="core").check()
    page.get_by_role("button", name="Save to the draft").click()
    page.get_by_role("link", name="Review and apply").click()
    expect(page.get_by_text("lone now also waits for core")).to_be_visible()
    admin.is_accessible()
    admin.fits_a_phone()
    admin.picture("settings-review")
    page.get_by_label("Why, for the history").fill("lone moved to rack 2")
    page.get_by_role("button", name="Apply 1 file").click()
    expect(page.get_by_text("The daemon works with it now")).to_be_visible()
    assert "dependencies = core" in (site.etc / "servers/lone.ini").read_text("utf-8")
    page = admin.open("/settings/servers/core/needs")
    choice = page.get_by_role("checkbox", name="lone")
    expect(choice).to_be_disabled()
    expect(choice).to_have_accessible_description("would make a cycle: core → lone → core")
    page = admin.open("/settings/history")
    page.get_by_role("link", name="1", exact=True).click()
    expect(page.locator(".diff .more").last).to_have_text("+dependencies = core")
    admin.is_accessible()


def test_an_order_is_made_by_keys_and_by_dragging(admin: Watched) -> None:
    page = admin.open("/settings/plugins")
    rows = page.locator("[data-ordered] li")
    before = names(rows.locator("label"))
    page.get_by_role("button", name=f"Move {before[0]} down").focus()
    page.keyboard.press("Enter")
    assert names(rows.locator("label"))[:2] == [before[1], before[0]]
    drag_below(page, rows.nth(0), rows.nth(2))
    assert names(rows.locator("label"))[:3] == [before[0], before[2], before[1]]
    page.get_by_role("button", name="Save to the draft").click()
    expect(page.get_by_text("It is in your draft")).to_be_visible()
    assert names(rows.locator("label"))[:3] == [before[0], before[2], before[1]]
    page = admin.open("/settings/servers/nas/outlets")
    parts = page.locator(".part-list li")
    first, second = names(parts.locator("strong"))
    with page.expect_navigation():
        drag_below(page, parts.nth(0), parts.nth(1))
    expect(parts.locator("strong")).to_have_text([second, first])
    page = admin.open("/settings/review")
    page.get_by_role("button", name="Throw the draft away").click()
    expect(page.get_by_text("The draft is gone")).to_be_visible()


def test_a_name_that_is_taken_is_told_while_it_is_typed(admin: Watched) -> None:
    page = admin.open("/settings/new/servers")
    field = page.get_by_label("Name")
    field.press_sequentially("NAS")
    expect(page.locator("#name-error")).to_have_text("There is nas already.")
    field.press_sequentially("2")
    expect(page.locator("#name-error")).to_have_text("")


def test_a_large_file_is_imported(admin: Watched) -> None:
    page = admin.open("/settings/files")
    content = "# a comment\n" * 2000 + "[pdu]\ntype = Dummy\n"
    page.get_by_label("File").set_input_files(
        {"name": "spare.ini", "mimeType": "text/plain", "buffer": content.encode()}
    )
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("The files are in your draft")).to_be_visible()
    page = admin.open("/settings/outlets/spare")
    page.get_by_role("button", name="Delete spare").click()
    expect(page.get_by_text("It goes when the draft is applied")).to_be_visible()
