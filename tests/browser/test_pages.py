"""Every page: accessible in light and dark, no wider than a phone, silent console, nothing asked elsewhere."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from web_browser import Watched

PAGES = {"network": "/", "about": "/about"}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_sound(admin: Watched, name: str) -> None:
    admin.open(PAGES[name])
    admin.is_accessible()
    admin.fits_a_phone()
    admin.picture(name)


def test_the_login_is_sound(stranger: Watched) -> None:
    stranger.open("/login")
    stranger.is_accessible()
    stranger.fits_a_phone()
    stranger.picture("login")


def test_the_wall_is_sound_without_a_login(stranger: Watched) -> None:
    page = stranger.open("/status")
    expect(page.locator("main")).to_contain_text("core")
    stranger.is_accessible()
    stranger.fits_a_phone()
    stranger.picture("wall")
