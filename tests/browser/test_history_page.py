"""Plots and timelines in a browser: pictures for a desk and for a phone, and a crosshair by pointer and by keys."""

from __future__ import annotations

import time

import pytest

from e2e import PATIENCE_S
from ockle.webserver.ockle_client.connection import Connection
from web_browser import PHONE, Watched
from web_site import TOKENS, WebSite

PAGES = {"history": "/history?range=1h", "history-server": "/server/nas/history?range=1h"}


@pytest.fixture(scope="module", autouse=True)
def measured(site: WebSite) -> None:
    """The network is on and nas has been measured a few times."""
    with Connection("127.0.0.1", site.daemon.port, token=TOKENS["operator"]) as daemon:
        order = {"action": "on", "servers": ["all"]}
        daemon.call("run", {**order, "confirm": daemon.call("plan", order)["confirm"]})
        site.settled("OK")
        deadline = time.monotonic() + PATIENCE_S
        while not daemon.call("samples", {"server": "nas", "key": "power_w"})["series"]:
            assert time.monotonic() < deadline
            time.sleep(0.1)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_past_is_sound(admin: Watched, name: str) -> None:
    page = admin.open(PAGES[name])
    admin.is_accessible()
    page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    admin.fits_a_phone()
    admin.picture(name)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    for picture in page.locator(".picture svg:visible").all():
        box = picture.bounding_box()
        assert box is not None
        assert box["width"] > 0.8 * float(picture.get_attribute("width") or 0)  # texts are not made too small to read


def test_the_crosshair_says_what_was_measured(admin: Watched) -> None:
    page = admin.open("/server/nas/history?range=1h")
    chart = page.locator("#plots .chart", has_text="Power").first
    picture, reading = chart.locator(".wide svg"), chart.locator("[data-reading]")
    picture.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("(one) => one.textContent.includes('A ')", arg=reading.element_handle())
    box = picture.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.95, box["y"] + box["height"] / 2)
    page.wait_for_function("(one) => /A .*: ([0-9.]+ W|–)/.test(one.textContent)", arg=reading.element_handle())
    assert chart.locator(".wide .crosshair").get_attribute("visibility") == "visible"
