"""The first user, their account, and the pages for admins, in a real browser."""

from __future__ import annotations

from ockle.webserver.ockle_client.connection import Connection
from web_browser import Watched
from web_site import TOKENS, WebSite

GOOD = "correct horse battery"


def test_the_first_user_is_made_by_keyboard(stranger: Watched, site: WebSite) -> None:
    page = stranger.open("/login")
    assert page.url.endswith("/setup")
    _is_sound(stranger, "setup")
    with Connection(**site.settings.daemon, token=TOKENS["admin"]) as daemon:
        code = daemon.call("setupCode")["code"]
    page.get_by_label("Code", exact=True).focus()
    for text in (code, "guy", GOOD, GOOD):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{stranger.url}/")
    stranger.open("/").locator("header details.menu summary").click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url(f"{stranger.url}/login")


def test_a_wrong_password_is_said_and_the_account_makes_a_token(stranger: Watched) -> None:
    stranger.forgiven = ("403",)
    page = stranger.open("/login")
    page.get_by_label("User").fill("guy")
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Log in", exact=True).click()
    page.get_by_text("Wrong name or password.").wait_for()
    _is_sound(stranger, "login-wrong")
    page.get_by_label("Password").fill(GOOD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(f"{stranger.url}/")
    page = stranger.open("/account")
    page.get_by_label("What it is for").fill("backup")
    page.get_by_role("button", name="Make the token").click()
    page.get_by_text("Copy it now").wait_for()
    _is_sound(stranger, "account")


def test_users_and_the_audit_log(admin: Watched) -> None:
    page = admin.open("/settings/users")
    add = page.locator("#add-user")
    add.get_by_label("Name").fill("vera")
    add.get_by_label("New password").fill(GOOD)
    add.get_by_label("The same again").fill(GOOD)
    add.get_by_role("button", name="Add the user").click()
    page.get_by_text("vera", exact=True).click()
    page.get_by_role("button", name="Disable vera").wait_for()
    _is_sound(admin, "users")
    admin.open("/settings/audit?check=1").get_by_text("as it was written").wait_for()
    _is_sound(admin, "audit")


def _is_sound(browser: Watched, name: str) -> None:
    browser.is_accessible()
    browser.fits_a_phone()
    browser.picture(name)
