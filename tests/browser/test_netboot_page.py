"""The netboot pages in a browser: what the boot server writes appears, without a jump, also for keys and on a phone."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from netboot_face import HOSTS, PI2, STRANGER, NetbootSite, netboot_site
from ockle.netboot.stages import Stage
from web_browser import Watched
from web_site import WebSite

PAGES = {
    "netboot": "/netboot",
    "netboot-board": "/netboot/pi1",
    "netboot-ports": "/netboot/ports",
    "netboot-install": "/netboot/pi1/reinstall",
    "netboot-hosts": "/settings/netboot/hosts",
    "netboot-import": "/settings/netboot/hosts/import",
}


@pytest.fixture(scope="module")
def netboot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NetbootSite]:
    with netboot_site(tmp_path_factory.mktemp("netboot")) as found:
        yield found


@pytest.fixture(scope="module")
def site(netboot: NetbootSite) -> WebSite:
    return netboot.web


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_sound(admin: Watched, name: str) -> None:
    page = admin.open(PAGES[name])
    page.evaluate("() => document.querySelectorAll('main details').forEach((one) => { one.open = true; })")
    admin.is_accessible()
    admin.fits_a_phone()
    admin.open(PAGES[name])
    admin.picture(name)


def test_the_page_follows_the_boards_without_a_jump(netboot: NetbootSite, admin: Watched) -> None:
    page, stand = admin.open("/netboot"), netboot.stand
    row = page.locator(f'[data-key="boards/{PI2}"]')
    link = row.locator("th a")
    link.focus()
    before = page.locator("#leases").bounding_box()
    stand.boards.note(PI2, Stage.INSTALLING, "rootfs.tgz", kind="Raspberry Pi 5")
    stand.services["tftp"]["transfers"] = [stand.transfer(6_000_000)]
    stand.write()
    row.get_by_text("loads its root file system").wait_for()
    page.wait_for_function("(row) => row.querySelector('progress').value === 6000000", arg=row.element_handle())
    assert link.evaluate("(one) => one === document.activeElement")
    assert row.get_by_text("Raspberry Pi 4").is_visible()  # beside the link: it waits until the focus has gone
    assert page.locator("#leases").bounding_box() == before
    assert "pi2 loads its root file system" in (page.locator("#announcer").text_content() or "")
    stand.services["tftp"]["transfers"] = []
    stand.write()
    page.locator("[data-empty=transfers]").wait_for()
    assert page.locator("#leases").bounding_box() == before  # a table that was longer keeps its room
    link.blur()
    row.get_by_text("Raspberry Pi 5").wait_for()
    stand.services["dhcp"]["unknown"] = []
    stand.write()
    page.locator("[data-empty=unknown]").wait_for()
    assert page.get_by_role("button", name="Empty this list").is_hidden()
    stand.begin()
    page.get_by_role("link", name=f"Add… {STRANGER}").wait_for()


def test_the_log_of_a_board_grows_at_its_end(netboot: NetbootSite, admin: Watched) -> None:
    page = admin.open("/netboot/pi1")
    for number in range(60):
        netboot.stand.boards.log("DC:A6:32:00:00:01", f"line {number}")
    page.get_by_text(re.compile("line 59$")).wait_for()
    at_end = "(one) => one.scrollTop + one.clientHeight >= one.scrollHeight - 8"
    page.wait_for_function(at_end, arg=page.locator(".console").element_handle())


def test_a_stranger_becomes_a_host_by_keys_alone(netboot: NetbootSite, admin: Watched) -> None:
    page = admin.open("/netboot")
    page.get_by_role("link", name=f"Add… {STRANGER}").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Name").wait_for()
    assert page.get_by_label("Name").input_value() == "newpi"
    assert re.fullmatch(r"10\.7\.0\.\d+", page.get_by_label("Address", exact=True).input_value())
    page.get_by_label("Name").press("Enter")
    page.get_by_role("heading", name="newpi").wait_for()
    assert f"{STRANGER};10.7.0.13;newpi;0" in netboot.hosts.read_text()
    netboot.hosts.write_text(HOSTS)


def test_the_table_of_hosts_says_what_is_wrong_while_one_types(netboot: NetbootSite, admin: Watched) -> None:
    page = admin.open("/settings/netboot/hosts")
    rows = page.locator("[data-new]").count()
    page.get_by_role("button", name="More rows").click()
    assert page.locator("[data-new]").count() == rows + 1
    last = page.locator("[data-new]").last
    last.locator("input").nth(2).fill("DC:A6:32:00:00:01")
    last.get_by_text("stands in line").wait_for()
    last.locator("input").nth(2).fill("DC:A6:32:00:00:09")
    last.locator("input").nth(4).fill("pi9")
    last.locator("input").nth(3).fill("10.7.0.999")
    last.get_by_text("is not an IPv4 address").wait_for()
    last.locator("input").nth(3).fill("10.7.0.19")
    page.wait_for_function("(one) => !one.textContent", arg=last.locator(".wrong").element_handle())
    page.get_by_role("button", name="Save the hosts").click()
    page.get_by_text("The hosts are stored.").wait_for()
    assert netboot.hosts.read_text() == f"{HOSTS}DC:A6:32:00:00:09;10.7.0.19;pi9;0\n"
    netboot.hosts.write_text(HOSTS)


def test_without_the_daemon_the_last_look_stays(netboot: NetbootSite, admin: Watched) -> None:
    """Last of the module: the daemon is not started again."""
    page = admin.open("/netboot")
    admin.forgiven = ("status of 503", "status of 504")
    netboot.web.daemon.stop()
    page.locator("[data-lost]:not([hidden])").wait_for()
    assert page.locator(f'[data-key="boards/{PI2}"]').is_visible()
    deadline = time.monotonic() + 15
    while True:
        answer = page.goto(f"{admin.url}/netboot")
        assert answer is not None
        if answer.status == 200 or time.monotonic() > deadline:
            break
    assert answer.status == 200
    assert page.locator(f'[data-key="boards/{PI2}"]').is_visible()
