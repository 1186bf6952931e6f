"""The pages of boards, transfers, leases and ports on a real daemon, whatever boot server and boards say."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import Any

import pytest
from webtest import TestApp

from netboot_face import HOSTS, PI1, PI2, PI3, STRANGER, NetbootSite
from ockle.common.clock import SystemClock
from ockle.netboot.dhcp.lease_store import LeaseStore
from ockle.netboot.dhcp.leases import Lease, State
from ockle.netboot.mac import mac_bytes
from ockle.netboot.stages import Stage
from ockle.webserver.live.looks import Looks
from ockle.webserver.netboot.looks import Look, ask
from ockle.webserver.ockle_client.connection import Connection, ConnectionFailed
from web_site import WebSite


def looked_again(site: WebSite) -> None:
    site.router.registry.netboot_page.forget()


def test_the_page_has_all_of_it(app: TestApp) -> None:
    page = app.get("/netboot")
    for text in ("pi1", "loads boot files", "kernel8.img", STRANGER, "2.1 MiB/s", "1 up, 1 booting"):
        assert text in page, text


def test_a_viewer_cannot_add(site: WebSite) -> None:
    viewer = site.browser("viewer")
    assert "Add…" not in viewer.get("/netboot")
    assert viewer.get(f"/netboot/adopt?mac={STRANGER}", status=403)
    assert "Restart it" not in viewer.get("/netboot/pi1")
    assert viewer.get("/settings/netboot/hosts").forms["hosts"]["mac,l2"].attrs.get("disabled") is None
    assert "Save the hosts" not in viewer.get("/settings/netboot/hosts")


def test_a_poll_brings_only_what_changed(app: TestApp, netboot: NetbootSite) -> None:
    looked_again(netboot.web)
    rev = app.get("/netboot/live").json["rev"]
    assert app.get(f"/netboot/live?since={rev}").json == {"rev": rev, "same": True}
    netboot.stand.boards.note(PI3, Stage.ASKING)
    for _look in range(100):
        looked_again(netboot.web)
        reply = app.get(f"/netboot/live?since={rev}").json
        if not reply.get("same"):
            break
        time.sleep(0.05)
    assert f"boards/{PI3}" in reply["html"]
    assert f"boards/{PI1}" not in reply["html"]
    assert reply["lists"] == {}


class Counted:
    """Passes commands on, and counts them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.calls = 0

    def __call__(self, command: str) -> dict[str, Any]:
        self.calls += 1
        return self._connection.call(command)


def test_many_browsers_cost_the_daemon_one_look(admin: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ockle.webserver.live.looks.FRESH_S", 60.0)
    looks, call = Looks(ask), Counted(admin)
    first = looks.look(call)
    once = call.calls
    assert looks.look(call) is first
    assert call.calls == once
    looks.forget()
    assert looks.look(call) is first  # asked anew: nothing is another than before, and nothing is drawn anew
    assert call.calls == 2 * once


def test_who_does_not_answer_leaves_the_last_look(admin: Connection) -> None:
    def silent(_command: str) -> dict[str, Any]:
        raise ConnectionFailed("no answer")

    looks: Looks[Look] = Looks(ask, lambda look: replace(look, old=True))
    with pytest.raises(ConnectionFailed):
        looks.look(silent)
    first = looks.look(Counted(admin))
    looks.forget()
    assert looks.look(silent) == replace(first, old=True)


def test_a_boards_page_and_its_poll(app: TestApp) -> None:
    page = app.get("/netboot/pi1")
    assert "MOUNTING" in page
    assert "1b2c3d4e" in page
    rev = app.get(f"/netboot/{PI1}/live").json["rev"]
    assert app.get(f"/netboot/{PI1}/live?since={rev}").json["same"]
    app.get("/netboot/nobody", status=404)


def test_a_server_shows_its_board(app: TestApp, admin: Connection) -> None:
    board = admin.call("netbootBoard", {"board": "pi1"})["board"]
    assert (board["server"], board["port"]) == ("pi1", "sw group 1 port 1")
    page = app.get("/server/pi1")
    assert "is up" in page.html.find(attrs={"aria-labelledby": "board-head"}).text
    assert "board-head" not in app.get("/server/web")


@pytest.mark.parametrize(("word", "server"), [(PI1.lower(), True), ("10.7.0.12", False), ("pi2", False)])
def test_a_board_is_found_where_servers_are_looked_for(app: TestApp, word: str, server: bool) -> None:
    page = app.get("/servers", {"q": word})
    assert "That is the board" in page
    assert ("the server" in page.html.find(id="found-board").text) is server
    assert "That is the board" not in app.get("/servers", {"q": "nobody"})


@pytest.mark.parametrize(("action", "title"), [("restart", "Restart pi2?"), ("reinstall", "Install pi2 anew?")])
def test_an_order_that_cannot_be_given_says_why(app: TestApp, action: str, title: str) -> None:
    page = app.get(f"/netboot/pi2/{action}")
    assert title in page
    assert "it is not known at which port it hangs" in page
    assert 'name="confirm"' not in page


def test_an_install_is_looked_at_and_its_name_typed(app: TestApp, admin: Connection) -> None:
    page = app.get("/netboot/pi2/reinstall?power=no")
    assert "Nothing is switched now" in page
    form = next(one for one in page.forms.values() if "confirm" in one.fields)
    form["confirm"] = "pi1"
    assert "this formats the disk of pi2" in form.submit(status=409)
    form["confirm"] = "pi2"
    marked = form.submit().follow()
    assert "It is installed anew the next time it says hello." in marked
    assert "to be installed anew" in marked
    assert admin.call("netbootBoard", {"board": "pi2"})["board"]["reinstall"] == "wanted"
    keep = next(one for one in marked.forms.values() if one.action.endswith("/keep"))
    assert "It is not installed anew." in keep.submit().follow()
    assert admin.call("netbootBoard", {"board": "pi2"})["board"]["reinstall"] == ""


def test_a_server_that_is_a_board_is_installed_by_a_run(app: TestApp) -> None:
    page = app.get("/netboot/pi1/reinstall")
    form = next(one for one in page.forms.values() if "confirm" in one.fields)
    assert form["rev"].value
    assert "What happens, in this order" in page
    assert "/plan/new?action=restart&amp;server=pi1" in app.get("/netboot/pi1").text


def test_a_port_is_looked_for(app: TestApp) -> None:
    form = next(one for one in app.get("/netboot/pi2").forms.values() if one.action.endswith("/find-port"))
    found = form.submit(status=404)
    assert PI2 in found  # no switch of the lab has seen it
    assert "What is known" in found


def test_a_port_is_found_and_remembered(app: TestApp, netboot: NetbootSite, admin: Connection) -> None:
    netboot.web.lab.learn("sw", 3, PI3)
    form = next(one for one in app.get("/netboot/pi3").forms.values() if one.action.endswith("/find-port"))
    found = form.submit()
    assert "Switch sw, port gi1/0/3" in found
    assert "PoE port 1.3" in found
    assert admin.call("netbootBoard", {"board": "pi3"})["board"]["port"] == "sw 1.3"
    restart = app.get("/netboot/pi3/restart")
    assert "loses its power, unasked, and gets it back" in restart
    assert "Type pi3 to go on" in restart


def test_ports_are_looked_at_before_they_are_switched(app: TestApp) -> None:
    page = app.get("/netboot/ports")
    form = next(one for one in page.forms.values() if "pdu" in one.fields)
    assert [value for value, _chosen, _text in form["pdu"].options] == ["sw"]
    assert "No ports were mapped yet." in page
    form["ports"] = "1-2, 77"
    preview = form.submit()
    assert "Switch these ports of sw off and on?" in preview
    assert "feeds pi1" in preview
    assert "the switch has no such PoE port" in preview
    confirm = next(one for one in preview.forms.values() if "confirm" in one.fields)
    confirm["confirm"] = "nonsense"
    assert "one by one" in confirm.submit(status=409)


def test_ports_are_mapped_and_what_came_is_shown(app: TestApp, site: WebSite) -> None:
    form = next(one for one in app.get("/netboot/ports").forms.values() if "pdu" in one.fields)
    form["ports"] = "4"
    confirm = next(one for one in form.submit().forms.values() if "confirm" in one.fields)
    confirm["confirm"] = "sw"
    page = confirm.submit().follow()
    assert "is under way" in page
    stop = next(one for one in page.forms.values() if one.action.endswith("/cancel"))
    assert "broken off" in stop.submit().follow()
    assert app.get("/netboot/ports/live").json["html"]["ports/1.4"]


def test_a_stranger_is_added_on_a_page(app: TestApp, hosts: NetbootSite) -> None:
    form = app.get(f"/netboot/adopt?mac={STRANGER}").forms["adopt"]
    assert (form["name"].value, form["ip"].value) == ("newpi", "10.7.0.13")
    form["ip"] = "10.7.0.11"
    again = form.submit(status=422)
    assert "has 10.7.0.11 already" in again
    again.forms["adopt"]["ip"] = ""
    assert "It is known from now on" in again.forms["adopt"].submit().follow()
    assert f"{STRANGER};0.0.0.0;newpi;0" in hosts.hosts.read_text()


# -- states of the boot server


def test_a_boot_server_that_does_not_run_is_said_first(app: TestApp, netboot: NetbootSite, site: WebSite) -> None:
    netboot.stand.problem = "port 67 of 10.7.0.1 is taken by another program"
    netboot.stand.write()
    with netboot.stand.away():
        looked_again(site)
        page = app.get("/netboot")
        assert "The boot server does not run." in page
        assert "port 67 of 10.7.0.1" in page
        assert "ockle netboot serve" in page
        assert "pi1" in page
        netboot.stand.problem = ""
    looked_again(site)


def test_wrong_lines_of_the_hosts_are_said(app: TestApp, hosts: NetbootSite, site: WebSite) -> None:
    hosts.hosts.write_text(HOSTS + "nonsense\n")
    looked_again(site)
    page = app.get("/netboot")
    assert "1 line of the hosts is wrong" in page
    assert "line 7" in page


def test_leases_are_told_as_the_dhcp_service_keeps_them(admin: Connection, netboot: NetbootSite, app: TestApp) -> None:
    connection = netboot.stand.boards.connect(durable=False)
    store = LeaseStore(connection, SystemClock())
    now = SystemClock().now()
    leases = [
        Lease(bytes([10, 7, 0, last]), b"key" + bytes([last]), mac_bytes(mac), state, now + left, "name")
        for last, mac, state, left in (
            (11, PI1, State.BOUND, 600.0),
            (99, STRANGER, State.BOUND, -5.0),
            (98, STRANGER, State.FREE, 600.0),
        )
    ]
    store.write(store.rows(leases))
    store.close()
    found = admin.call("netbootLeases")["leases"]
    assert [(one["ip"], one["name"], one["state"]) for one in found] == [
        ("10.7.0.11", "pi1", "bound"),
        ("10.7.0.99", "", "ended"),
    ]
    looked_again(netboot.web)
    assert "10.7.0.99" in app.get("/netboot")


# -- hostile


NASTY = "<img src=x onerror=alert(1)>\"'&{{7*7}}"


def test_what_boards_say_is_text_everywhere(app: TestApp, netboot: NetbootSite, admin: Connection) -> None:
    stand = netboot.stand
    stand.boards.note(PI2, Stage.FAILED, NASTY, kind=NASTY, hostname=NASTY, serial=NASTY)
    stand.boards.log(PI2, NASTY)
    stand.services["tftp"]["transfers"] = [{**stand.transfer(5), "file": NASTY, "state": NASTY}]
    stand.services["dhcp"]["unknown"] = [{**stand.stranger(time.time() + 5), "kind": NASTY, "hostname": NASTY}]
    stand.write()
    while admin.call("netbootBoard", {"board": PI2})["board"]["note"] != NASTY:
        time.sleep(0.05)
    looked_again(netboot.web)
    for path in ("/netboot", "/netboot/pi2", f"/netboot/adopt?mac={STRANGER}", "/settings/netboot/hosts"):
        page = app.get(path)
        assert not page.html.find_all("img")
        assert page.html.find_all(string=re.compile("onerror")) or page.html.find(value=NASTY), path
    for path in ("/netboot/live", f"/netboot/{PI2}/live"):
        assert "<img" not in app.get(path).text
    stand.begin()
