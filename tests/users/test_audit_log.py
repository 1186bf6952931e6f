"""Who did what is written down, secrets are not, and nobody changes it unseen."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import sqlalchemy as sa

from ockle.common.access import Action, Caller
from ockle.common.errors import StoreFull
from ockle.store import audit, tables
from ockle.store.database import Rows
from ockle.users.audit_log import REFUSALS_AT_ONCE, SAME_LOGIN_S
from store_site import connected
from users_site import GOOD, LOCAL, OTHER, UsersSite, settle

WRITTEN = "who role via address reported command object run result"
CANARY = "canary-7f3a: never to be seen"
ANYBODY = Caller("", "", "gui", "192.0.2.7:4000", "198.51.100.4")


def test_orders_changes_and_logins_are_written_down(site: UsersSite) -> None:
    site.ok("userAdd", user="otto", role="operator", password=GOOD)
    otto = site.as_user(site.login("otto"))
    site.ok("look", otto)
    site.ok("switch", otto, server="nas")
    site.refused("switch", otto)
    site.refused("configure", otto)
    site.refused("users", otto)  # which is not written down when it is allowed
    site.refused("userLogin", ANYBODY, user="otto", password=OTHER)
    site.ok("whoAmI", otto)
    found = [tuple(one[name] for name in WRITTEN.split()) for one in site.entries()]
    here = ("root (local)", "admin", "cli", "127.0.0.1:5000", "")
    at_web = ("otto", "operator", "gui", "192.0.2.7:4000", "")
    assert found == [
        (*here, "userAdd", "otto", "", "ok"),
        (*at_web, "userLogin", "otto", "", "ok"),
        (*at_web, "switch", "nas", "7", "ok"),
        (*at_web, "switch", "", "", "bad_request"),
        (*at_web, "configure", "", "", "denied"),
        (*at_web, "users", "", "", "denied"),
        ("otto", "", "gui", "192.0.2.7:4000", "198.51.100.4", "userLogin", "otto", "", "denied"),
    ]
    assert [one["id"] for one in site.entries()] == list(range(1, 8))
    assert site.entries()[3]["text"] == "switch needs server"


@pytest.mark.parametrize(
    ("command", "data"),
    [
        ("userAdd", {"user": "eve", "role": "viewer", "password": CANARY}),
        ("userLogin", {"user": "eve", "password": CANARY}),
        ("setupUser", {"code": CANARY, "user": "eve", "password": CANARY}),
        ("passwordChange", {"old": CANARY, "new": CANARY}),
        ("configure", {"value": CANARY, "text": CANARY, "files": {"outlets/pdu.ini": CANARY}, "community": [CANARY]}),
        ("switch", {"server": "nas", "token": CANARY}),
    ],
)
def test_no_secret_is_written_down(
    site: UsersSite, command: str, data: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    site.ok("setupCode")
    with caplog.at_level(logging.DEBUG, "ockle"):
        site.send(command, LOCAL, **data)
    entry = site.entries()[-1]
    assert entry["command"] == command
    assert json.loads(entry["details"]).keys() == data.keys(), "that it was given may be seen"
    assert CANARY not in str(site.entries())
    assert "canary" not in caplog.text


def test_what_is_asked_for_is_found(site: UsersSite) -> None:
    for name in ("nas", "nas01", "100%", "db"):
        site.ok("switch", server=name)
    site.ok("switch", Caller("Vera", "operator", "api"), server="nas")
    site.clock.time += 100
    site.ok("configure", servers=["web", "nas"])

    def found(**wanted: Any) -> list[int]:
        return [entry["id"] for entry in site.ok("audit", **wanted)["entries"]]

    assert found(limit=2) == [6, 5]
    assert found(limit=2, before_id=5) == [4, 3]
    assert found(server="nas") == [6, 5, 1]
    assert found(server="100%") == [3]
    assert found(server="%") == []
    assert found(who="vera") == [5]
    assert found(command="configure") == [6]
    assert found(since=site.clock.wall() - 50) == [6]
    for wrong in ({"limit": "x"}, {"who": 7}, {"since": True}):
        assert site.refused("audit", **wrong)[0] == "bad_request"


def test_the_chain_goes_on_after_a_restart(site: UsersSite) -> None:
    for _ in range(3):
        site.ok("switch", server="nas")
        site.restart()
    assert [entry["id"] for entry in site.entries()] == [1, 2, 3]
    assert site.ok("audit", check=True)["problem"] == ""


def _change(values: dict[str, Any], number: int) -> sa.Executable:
    return tables.audit.update().where(tables.audit.c.id == number).values(**values)


def _delete(condition: sa.ColumnElement[bool]) -> sa.Executable:
    return tables.audit.delete().where(condition)


ID = tables.audit.c.id
TAMPERING = {
    "who it was": (_change({"who": "somebody else"}, 3), "entry 3 is not as it was written"),
    "what it was": (_change({"command": "look"}, 1), "entry 1 is not as it was written"),
    "when it was": (_change({"time": 1.0}, 5), "entry 5 is not as it was written"),
    "the seal": (_change({"before": "0" * 64}, 4), "entry 3 is not as it was written"),
    "one in the middle": (_delete(ID == 3), "entries 3 to 3 are missing"),
    "the first": (_delete(ID == 1), "entries 1 to 1 are missing"),
    "the newest": (_delete(ID >= 4), "entries 4 to 5 are missing"),
    "all": (_delete(ID > 0), "entries 1 to 5 are missing"),
    "its server": (_change({"object": "c"}, 2), "entry 2 is not as it was written"),
    "one more": (tables.audit.insert().values(id=6, who="x", before="x"), "entry 5 is not as it was written"),
}


@pytest.mark.parametrize("what", TAMPERING)
def test_whatever_is_changed_by_other_hands_is_seen(site: UsersSite, what: str) -> None:
    for name in "abcde":
        site.ok("switch", server=name)
    statement, problem = TAMPERING[what]
    assert site.ok("audit", check=True)["problem"] == ""
    with connected(site._url) as connection:
        connection.execute(statement)
    assert site.ok("audit", check=True)["problem"] == problem


def test_what_retention_leaves_still_verifies(site: UsersSite) -> None:
    site.users.audit.keep = 5
    for number in range(12):
        site.ok("switch", server=f"s{number}")
    site.restart()
    site.users.audit.keep = 5
    site.users.audit._prune()
    settle(site)
    assert [entry["id"] for entry in site.entries()] == [8, 9, 10, 11, 12]
    assert site.ok("audit", check=True)["problem"] == ""
    site.ok("switch", server="more")
    assert site.ok("audit", check=True)["problem"] == ""
    with connected(site._url) as connection:
        connection.execute(_delete(ID == 8))
    assert site.ok("audit", check=True)["problem"] == "entries 8 to 8 are missing"


def test_a_flood_of_refusals_washes_nothing_out_and_is_counted(site: UsersSite) -> None:
    site.ok("switch", server="nas")
    for number in range(int(REFUSALS_AT_ONCE) + 40):
        site.send("userLogin", Caller("", "", "socket", f"192.0.2.{number}:9"), user=f"u{number}", password=OTHER)
    assert len(site.entries(limit=1000)) == 1 + REFUSALS_AT_ONCE
    site.ok("switch", server="nas")
    assert "(40 more refusals were not written down)" in site.entries(limit=1)[0]["text"]


def test_a_page_that_is_left_open_does_not_fill_the_log(site: UsersSite) -> None:
    caller = Caller("", "", "gui", "127.0.0.1:4000")
    for _ in range(20):
        site.handler.record(Action(caller, "login", {}, "denied", "wrong token"))
    assert len(site.entries()) == 1
    site.clock.time += SAME_LOGIN_S
    site.handler.record(Action(caller, "login", {}, "denied", "wrong token"))
    assert len(site.entries()) == 2


def test_hostile_names_are_one_harmless_line(site: UsersSite, caplog: pytest.LogCaptureFixture) -> None:
    hostile = "\x1b[2J\nroot\ud800\0<script>" + "x" * 5000
    with caplog.at_level(logging.INFO):
        site.send("switch", Caller(hostile, "operator", "socket", "192.0.2.1:1"), server=hostile)
        site.send("userLogin", ANYBODY, user=hostile, password=hostile)
    for entry in site.entries():
        assert all(str(value).isprintable() for value in entry.values())
        assert all(len(str(value)) <= 2000 for value in entry.values())
    assert site.ok("audit", check=True)["problem"] == ""


def test_a_store_that_cannot_be_written_stops_nobody(site: UsersSite, caplog: pytest.LogCaptureFixture) -> None:
    """What was done was done; its entry is written once that works again, and the chain is whole."""

    def full(rows: Rows) -> None:
        raise StoreFull(f"cannot write the store: disk full ({len(rows)} rows)")

    write = site.store._write
    site.store._write = full  # type: ignore[method-assign]
    site.ok("switch", server="nas")
    assert "audit: not on disk yet: cannot write the store: disk full" in caplog.text
    site.store._write = write  # type: ignore[method-assign]
    site.ok("switch", server="db")
    assert [entry["object"] for entry in site.entries()] == ["nas", "db"]
    assert site.ok("audit", check=True)["problem"] == ""


def test_a_reply_comes_after_its_entry(site: UsersSite) -> None:
    site.ok("switch", server="nas")
    with connected(site._url) as connection:
        assert [row["object"] for row in audit.newest(connection, 10, audit.Filter())] == ["nas"]
