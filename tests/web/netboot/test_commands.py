"""The commands about boards and hosts, and the same for programs, on a real daemon."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from webtest import TestApp

from netboot_face import HOSTS, PI1, STRANGER, NetbootSite
from ockle.webserver.ockle_client.connection import ClientError, Connection
from ockle.webserver.views.api import table
from ockle.webserver.views.api.endpoint import PREFIX, Endpoint
from ockle.webserver.views.api.schema import check
from web_site import TOKENS, WebSite


def refused(connection: Connection, command: str, **data: Any) -> ClientError:
    with pytest.raises(ClientError) as caught:
        connection.call(command, data)
    return caught.value


def test_status_tells_what_runs(admin: Connection, netboot: NetbootSite) -> None:
    status = admin.call("netbootStatus")
    assert (status["running"], status["problem"], status["address"]) == (True, "", "10.7.0.1")
    assert [one["name"] for one in status["services"] if one["running"]] == ["dhcp", "tftp", "install", "ntp"]
    assert status["counts"] == {"up": 1, "loading": 1, "new": 1}
    [transfer] = status["transfers"]
    assert (transfer["board"], transfer["sent"], transfer["size"]) == ("pi2", 3_000_000, 9_400_000)


def test_boards_are_in_the_order_of_the_hosts_and_say_what_they_load(admin: Connection) -> None:
    boards = admin.call("netbootBoards")["boards"]
    assert [(one["label"], one["stage"], one["ip"]) for one in boards] == [
        ("pi1", "up", "10.7.0.11"),
        ("pi2", "loading", "10.7.0.12"),
        ("pi3", "new", ""),
    ]
    assert boards[1]["loading"]["file"] == "kernel8.img"


@pytest.mark.parametrize("word", ["pi1", PI1, PI1.lower().replace(":", "-"), "10.7.0.11"])
def test_a_board_is_found_by_whatever_a_person_calls_it(admin: Connection, word: str) -> None:
    found = admin.call("netbootBoard", {"board": word})
    assert found["board"]["mac"] == PI1
    assert [line["text"] for line in found["lines"]][:2] == ["is up", "MOUNTING"]
    assert admin.call("netbootBoard", {"board": word, "after": found["lines"][0]["id"]})["lines"][0]["text"] != "is up"


def test_a_board_that_is_none(admin: Connection) -> None:
    assert refused(admin, "netbootBoard", board="nobody").code == "not_found"
    assert refused(admin, "netbootBoard", board=STRANGER).code == "not_found"
    assert refused(admin, "netbootRemoveHost", host="nobody").code == "not_found"


def test_who_may_what(site: WebSite) -> None:
    with site.client("viewer") as viewer, site.client("operator") as operator:
        assert viewer.call("netbootUnknown")["unknown"]
        for one in (viewer, operator):
            assert refused(one, "netbootSetHosts", text="").code == "denied"
            assert refused(one, "netbootAdopt", mac=STRANGER, name="x", ip="").code == "denied"
            assert refused(one, "netbootForgetUnknown").code == "denied"


def test_adopting_never_chooses_an_address_by_itself(admin: Connection, hosts: NetbootSite) -> None:
    error = refused(admin, "netbootAdopt", mac=STRANGER, name="newpi")
    assert (error.code, error.data["proposal"]) == ("bad_request", "10.7.0.13")
    host = admin.call("netbootAdopt", {"mac": STRANGER.lower(), "name": "newpi", "ip": "10.7.0.13"})["host"]
    assert host["ip"] == "10.7.0.13"
    assert hosts.hosts.read_text() == f"{HOSTS}{STRANGER};10.7.0.13;newpi;0\n"
    assert admin.call("netbootUnknown")["unknown"] == []
    assert admin.call("netbootRemoveHost", {"host": "newpi"})["host"]["mac"] == STRANGER
    assert hosts.hosts.read_text() == HOSTS
    entries = admin.call("audit", {"command": "netbootAdopt"})["entries"]
    assert entries[0]["object"] == STRANGER.lower()


def test_an_unknown_board_is_forgotten_until_it_asks_again(admin: Connection, netboot: NetbootSite) -> None:
    admin.call("netbootForgetUnknown", {"mac": STRANGER})
    assert admin.call("netbootUnknown")["unknown"] == []
    netboot.stand.services["dhcp"]["unknown"] = [netboot.stand.stranger(time.time() + 1, 5)]
    netboot.stand.write()
    assert admin.call("netbootUnknown")["unknown"][0]["count"] == 5


def test_hosts_are_not_written_over_what_others_wrote(admin: Connection, hosts: NetbootSite) -> None:
    rev = admin.call("netbootHosts")["rev"]
    admin.call("netbootAddHost", {"mac": STRANGER, "name": "newpi", "ip": ""})
    error = refused(admin, "netbootSetHosts", text="", rev=rev)
    assert error.code == "conflict"
    assert STRANGER in hosts.hosts.read_text()


def test_times_of_use_are_nobodys_change(admin: Connection, hosts: NetbootSite) -> None:
    """The boot server writes them all the time; who edits meanwhile neither loses them nor is refused."""
    found = admin.call("netbootHosts")
    hosts.hosts.write_text(HOSTS.replace("pi2;0", "pi2;1767777777"))
    admin.call("netbootSetHosts", {"text": found["text"].replace("pi1;", "one;"), "rev": found["rev"]})
    assert hosts.hosts.read_text() == HOSTS.replace("pi1;", "one;").replace("pi2;0", "pi2;1767777777")


def test_faults_are_told_by_line_and_nothing_is_written(admin: Connection, hosts: NetbootSite) -> None:
    text = f"{HOSTS}nonsense\n{PI1};10.7.0.77;twin;0\n"
    error = refused(admin, "netbootSetHosts", text=text)
    assert [one["line"] for one in error.data["problems"]] == [7, 8]
    assert "line 7" in error.message
    assert hosts.hosts.read_text() == HOSTS
    checked = admin.call("netbootCheckHosts", {"text": text})
    assert [line["kind"] for line in checked["lines"]][-2:] == ["fault", "fault"]


# -- programs


@pytest.mark.parametrize(
    "one", [one for one in table() if one.tag == "netboot" and one.method == "GET"], ids=lambda one: one.name
)
def test_programs_get_what_is_declared(site: WebSite, one: Endpoint) -> None:
    answer = site.browser("viewer").get(PREFIX + one.pattern.replace("{board}", "pi1"), expect_errors=True)
    assert answer.status_int in (200, 404)  # 404: nothing was mapped yet
    if answer.status_int == 200:
        check(one.answer, answer.json)


def test_programs_change_hosts_and_give_orders(app: TestApp, hosts: NetbootSite, site: WebSite) -> None:
    def send(method: str, path: str, body: Any, status: int = 200) -> Any:
        headers = {"Authorization": f"Bearer {TOKENS['admin']}", "Content-Type": "application/json"}
        program = TestApp(site.router, extra_environ={"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "ockle.test:80"})
        return program.request(
            PREFIX + path, method=method, headers=headers, body=json.dumps(body).encode(), status=status
        ).json

    assert send("POST", "/netboot/hosts", {"mac": STRANGER, "name": "new"})["host"]["name"] == "new"
    assert send("DELETE", "/netboot/hosts/new", {})["host"]["mac"] == STRANGER
    assert send("PUT", "/netboot/hosts", {"text": f"{HOSTS}nonsense\n"}, 400)["error"] == "bad_request"
    assert send("PUT", "/netboot/hosts", {"text": HOSTS, "rev": "of yesterday"}, 409)["error"] == "conflict"
    looked = send("POST", f"/netboot/boards/{PI1}/reinstall", {"dry_run": True})
    assert (looked["tier"], looked["confirm"]) == (3, "pi1")
    assert send("POST", f"/netboot/boards/{PI1}/reinstall", {"confirm": "pi2"}, 409)["error"] == "refused"
    assert send("POST", f"/netboot/boards/{PI1}/reinstall", {"confirm": "pi1", "power": False})["mark"]
    assert send("POST", f"/netboot/boards/{PI1}/keep", {})["dropped"]
    assert send("POST", "/netboot/mapping", {"pdu": "sw", "ports": ["2"], "dry_run": True})["rows"]
