"""The REST interface on a real daemon: what it declares is what it does, and bad input gets an answer that helps."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from webtest import TestApp

from ockle.webserver.orders import Looked, Wish
from ockle.webserver.views.api import table
from ockle.webserver.views.api.endpoint import PREFIX, Endpoint
from ockle.webserver.views.api.openapi import PROBLEM, build
from ockle.webserver.views.api.schema import check
from web_site import TOKENS, WebSite

NASTY = [
    "we b",
    "a\"b'c",
    "ümläut",
    "🔌",
    "<script>alert(1)</script>",
    "x" * 200,
    "../../etc",
    "%2e%2e",
    "a&b=c",
    "\u202e",
]


class Program:
    """A client with a token, which holds every answer against what the description of the interface says."""

    def __init__(self, site: WebSite, role: str) -> None:
        self._app = TestApp(site.router, extra_environ={"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "ockle.test:80"})
        self._headers = {"Authorization": f"Bearer {TOKENS[role]}"}

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        return self._checked(
            "GET", path, self._app.get(PREFIX + path, query, self._headers, expect_errors=True), status
        )

    def post(self, path: str, body: Any = None, status: int = 200) -> Any:
        raw = b"" if body is None else json.dumps(body).encode()
        headers = {**self._headers, "Content-Type": "application/json"}
        return self._checked("POST", path, self._app.post(PREFIX + path, raw, headers, expect_errors=True), status)

    @staticmethod
    def _checked(method: str, path: str, response: Any, status: int) -> Any:
        assert response.status_int == status, response.text[:500]
        found = declared(method, path)
        check(found.answer if status == found.status else PROBLEM, response.json)
        if status != found.status:
            assert response.json["message"]
        return response.json


def declared(method: str, path: str) -> Endpoint:
    """Return the endpoint that an address belongs to; what has no parameters comes first."""
    parts = path.split("/")
    for one in sorted(table(), key=lambda one: one.pattern.count("{")):
        pattern = one.pattern.split("/")
        same = [mine == theirs or theirs.startswith("{") for mine, theirs in zip(parts, pattern, strict=False)]
        if one.method == method and len(parts) == len(pattern) and all(same):
            return one
    raise AssertionError(f"nothing is declared for {method} {path}")


@pytest.fixture
def viewer(site: WebSite) -> Program:
    return Program(site, "viewer")


@pytest.fixture
def operator(site: WebSite) -> Program:
    return Program(site, "operator")


@pytest.fixture
def admin(site: WebSite) -> Program:
    return Program(site, "admin")


def wait_for_end(program: Program, run: int) -> dict[str, Any]:
    for _look in range(600):
        found: dict[str, Any] = program.get(f"/runs/{run}", log="true")
        if found["state"] != "running":
            return found
        program.get("/runs", limit=5)
    raise AssertionError(f"run {run} does not end")


# -- orders


def test_a_plan_is_looked_at_started_and_done(site: WebSite, operator: Program, viewer: Program) -> None:
    plan = viewer.post("/plans", {"action": "on", "servers": ["nas"]})
    assert [step["server"] for step in plan["steps"]] == ["core", "nas"]
    assert plan["tier"] == 1
    assert viewer.get(f"/plans/{plan['id']}")["changes"] == []
    viewer.post(f"/plans/{plan['id']}/run", {}, status=403)
    started = operator.post(f"/plans/{plan['id']}/run", {"note": "a test"}, status=202)
    run = wait_for_end(viewer, started["run"])
    assert (run["state"], run["note"], run["via"]) == ("done", "a test", "api")
    assert [(step["server"], step["state"]) for step in run["steps"]] == [("core", "done"), ("nas", "done")]
    assert {(sent["server"], sent["verb"], sent["outcome"]) for sent in run["log"]} == {
        ("core", "on", "verified"),
        ("nas", "on", "verified"),
    }
    site.settled("OK", "core", "nas")
    assert viewer.get("/servers", state="on")["servers"].keys() == {"core", "nas"}

    # what was looked at is no longer what would happen
    stale = operator.post(f"/plans/{plan['id']}/run", {}, status=409)
    assert stale["error"] == "conflict"
    assert stale["changes"] == ["- core on", "- nas on"]
    assert stale["plan"]["already"] == ["nas"]

    down = operator.post("/plans", {"action": "cut", "servers": ["core"], "exclude": ["nas"]})
    assert down["untouched"] == {"nas": "excluded", "core": "needed by nas (excluded)"}
    down = operator.post("/plans", {"action": "cut", "servers": ["core"]})
    assert (down["tier"], down["confirm"]) == (3, "core")
    refused = operator.post(f"/plans/{down['id']}/run", {"confirm": "nas"}, status=409)
    assert refused["error"] == "refused"
    off = operator.post("/plans", {"action": "off", "servers": ["core"]})
    run = wait_for_end(viewer, operator.post(f"/plans/{off['id']}/run", {}, status=202)["run"])
    assert [(step["server"], step["state"]) for step in run["steps"]] == [("nas", "done"), ("core", "done")]
    site.settled("OFF")
    assert site.lab.ledger.cuts_while_mounted() == []


def test_a_run_can_be_cancelled_within_its_grace(site: WebSite, operator: Program) -> None:
    plan = operator.post("/plans", {"action": "on", "servers": ["all"]})
    started = operator.post(f"/plans/{plan['id']}/run", {"grace_s": 60}, status=202)["run"]
    run = operator.get(f"/runs/{started}")
    assert (run["state"], run["begun"]) == ("running", False)
    assert operator.post(f"/runs/{started}/cancel")["state"] == "cancelled"
    operator.post(f"/runs/{started}/cancel", status=409)
    operator.post("/runs/99999/cancel", status=404)
    site.settled("OFF")


def test_parts_are_switched_by_hand_with_the_name_confirmed(site: WebSite, operator: Program, viewer: Program) -> None:
    [outlet] = viewer.get("/servers/lone")["outlets"]
    viewer.post(f"/servers/lone/outlets/{outlet}", {"state": "on", "confirm": "lone"}, status=403)
    assert operator.post(f"/servers/lone/outlets/{outlet}", {"state": "on"}, status=422)["field"] == "confirm"
    wrong = operator.post(f"/servers/lone/outlets/{outlet}", {"state": "on", "confirm": "core"}, status=422)
    assert wrong["field"] == "confirm"
    assert operator.post(f"/servers/lone/outlets/{outlet}", {"state": "on", "confirm": "lone"})["opState"] == "OK"
    operator.post("/servers/lone/outlets/nothing", {"state": "on", "confirm": "lone"}, status=404)
    site.settled("OK", "lone")
    assert operator.post("/servers/lone/test", {})["results"]
    forced = operator.post("/servers/lone/force", {"state": "off", "confirm": "lone", "note": "a test"})
    assert forced["state"] == "Forced off"
    assert viewer.get("/servers/lone/why")["word"] == "forced off"
    operator.post("/servers/lone/force", {"state": "clear", "confirm": "lone"})
    assert operator.post("/servers/lone/hold", {"held": True})["held"] is True
    assert operator.post("/servers/lone/hold", {"held": False})["held"] is False
    assert operator.post("/servers/lone/reset")["state"] == "OFF"
    operator.post("/servers/lone/reset")
    site.settled("OFF")


def test_the_network_as_a_whole(operator: Program, viewer: Program) -> None:
    assert viewer.get("/auto")["status"] == "off"
    assert operator.post("/auto", {"status": "off"})["status"] == "off"
    assert viewer.get("/metrics")["servers"] == {"off": 7}
    assert viewer.get("/emergency")["emergency"] is None
    operator.post("/emergency", {"servers": ["lone"], "within_s": 60, "confirm": "yes"}, status=422)
    declared = operator.post("/emergency", {"servers": ["lone"], "within_s": 60, "confirm": "emergency"}, status=202)
    assert declared["emergency"]["servers"] == ["lone"]
    wait_for_end(viewer, declared["run"])
    assert operator.post("/emergency/clear", {})["emergency"] is None
    operator.post("/emergency/clear", {}, status=409)
    assert operator.post("/resume")["reason"] == ""
    events = viewer.get("/events", limit=5, server="lone")["events"]
    assert events and {event["server"] for event in events} == {"lone"}


def test_the_configuration_is_tried_applied_and_taken_back(admin: Program, operator: Program) -> None:
    text = admin.get("/config/files", file="servers/lone.ini")["value"]
    changed = text.replace("[server]", "[server]\n    comment=by a program", 1)
    assert "by a program" in admin.post("/config/diff", {"files": {"servers/lone.ini": changed}})["diff"]
    operator.post("/config/apply", {"files": {"servers/lone.ini": changed}}, status=403)
    written = admin.post("/config/apply", {"files": {"servers/lone.ini": changed}, "message": "a test"})
    assert written["files"] == ["servers/lone.ini"]
    assert admin.get("/config/revisions", limit=1)["revisions"][0]["message"] == "a test"
    assert admin.post("/config/undo", {})["rev"] != written["rev"]
    assert admin.get("/config/check")["faults"] == []
    assert admin.get("/config/files", status=422)["field"] == "file"
    assert "nothing" in admin.get("/config/files", status=404, file="servers/nothing.ini")["message"]
    refused = admin.post("/config/apply", {"files": {"servers/lone.ini": "no INI ["}}, status=422)
    assert refused["error"] == "bad_config"


# -- hostile input


@pytest.mark.parametrize("name", NASTY)
def test_a_server_that_is_not_there_is_said(operator: Program, name: str) -> None:
    address = quote(name, safe="")
    operator.get(f"/servers/{address}".replace("%2F", "%20"), status=404)
    operator.get(f"/servers/{address}/why".replace("%2F", "%20"), status=404)
    assert operator.post("/plans", {"action": "off", "servers": [f"{name}x"]}, status=404)["error"] == "not_found"
    operator.post("/plans", {"action": name, "servers": ["all"]}, status=422)
    operator.get(f"/plans/{address}".replace("%2F", "%20"), status=404)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "action"),
        ([], 422, ""),
        (7, 422, ""),
        ({"action": "off", "servers": []}, 422, "servers"),
        ({"action": "off", "servers": "all"}, 422, "servers"),
        ({"action": "off", "servers": [1]}, 422, "servers.0"),
        ({"action": "off", "servers": ["\ud800"]}, 422, "servers.0"),
        ({"action": "off", "servers": ["a\0b"]}, 422, "servers.0"),
        ({"action": "off", "servers": ["all"], "extra": 1}, 422, "extra"),
        ({"action": True, "servers": ["all"]}, 422, "action"),
        ({"action": "off", "servers": ["web[1-"]}, 400, ""),
    ],
)
def test_a_body_that_does_not_fit_names_the_field(operator: Program, body: Any, status: int, field: str) -> None:
    assert operator.post("/plans", body, status=status)["field"] == field


@pytest.mark.parametrize("raw", [b"{", b"\xff", b"[" * 9_000, b'{"a": NaN}', b"9" * 5000])
def test_what_is_no_json_is_said(site: WebSite, raw: bytes) -> None:
    app = TestApp(site.router, extra_environ={"HTTP_HOST": "ockle.test:80"})
    headers = {"Authorization": f"Bearer {TOKENS['admin']}", "Content-Type": "application/json"}
    refused = app.post(f"{PREFIX}/plans", raw, headers, status=400).json
    assert refused["error"] == "bad_request"
    headers["Content-Type"] = "text/plain"
    assert app.post(f"{PREFIX}/plans", b"{}", headers, status=415).json["error"] == "unsupported_media_type"


def test_more_than_the_daemon_takes_at_once_is_said(site: WebSite, operator: Program) -> None:
    many = [f"server-with-a-long-name-{number}" for number in range(4000)]
    body = json.dumps({"action": "off", "servers": many}).encode()
    headers = {"Authorization": f"Bearer {TOKENS['operator']}", "Content-Type": "application/json"}
    # a large body that cannot be read twice is copied by WebOb to a file, which is left to the garbage collection
    app = TestApp(site.router, {"HTTP_HOST": "ockle.test:80", "webob.is_body_seekable": True}, lint=False)
    assert app.post(f"{PREFIX}/plans", body, headers, status=413).json["error"] == "too_long"
    operator.post("/plans", {"action": "off", "servers": ["core"]})


def test_wrong_methods_and_parameters_are_said(site: WebSite, viewer: Program) -> None:
    app = TestApp(site.router, extra_environ={"HTTP_HOST": "ockle.test:80"})
    headers = {"Authorization": f"Bearer {TOKENS['admin']}"}
    refused = app.delete(f"{PREFIX}/servers", headers=headers, status=405)
    assert refused.headers["Allow"] == "GET, HEAD"
    assert viewer.get("/runs", status=422, limit="many")["field"] == "limit"
    assert viewer.get("/runs", status=422, limit=0)["field"] == "limit"
    assert viewer.get("/runs", status=422, limits=1)["field"] == "limits"
    assert viewer.get("/runs/1e3", status=422)["field"] == "run"
    assert viewer.get(f"/runs/{10**30}", status=422)["field"] == "run"


@pytest.mark.parametrize(
    "wish",
    [Wish("burn", ("all",)), Wish("off", ("a\nb",)), Wish("off", ("nobody",)), Wish("off", ("core",), ("nobody",))],
)
def test_an_invented_plan_is_refused(operator: Program, wish: Wish) -> None:
    invented = Looked(wish, {"rev": "0", "steps": []}).id
    operator.post(f"/plans/{invented}/run", {}, status=404)


def test_a_page_cannot_make_a_browser_order(site: WebSite) -> None:
    """A session without the header against forged requests gets nothing done, whatever the type of the body."""
    app = site.browser("admin")
    for path in ("/plans", "/resume", "/servers/core/reset", "/runs/1/cancel"):
        for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
            assert app.post(PREFIX + path, "{}", {"Content-Type": kind}, status=400).json["error"] == "bad_csrf"


def test_the_description_has_every_endpoint_once() -> None:
    document = build(table(), "1")
    operations = [one["operationId"] for path in document["paths"].values() for one in path.values()]
    assert len(operations) == len(set(operations)) == len(table())
    for path, methods in document["paths"].items():
        for one in methods.values():
            inside = {parameter["name"] for parameter in one.get("parameters", ()) if parameter["in"] == "path"}
            assert inside == {part[1:-1] for part in path.split("/") if part.startswith("{")}


def test_the_description_limits_what_is_sent_and_not_what_is_answered() -> None:
    document = build(table(), "1")
    plan = document["paths"]["/api/v1/plans"]["post"]
    assert "maxItems" in json.dumps(plan["requestBody"])
    assert "maxLength" not in json.dumps(plan["responses"])
    assert "maxLength" not in json.dumps(document["components"]["schemas"])


def test_nothing_that_is_read_can_switch() -> None:
    """A GET asks for no operator: it looks, and what only an admin may see is no order either."""
    assert {one.permission for one in table() if one.method == "GET"} == {"view", "admin"}
