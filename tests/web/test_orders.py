"""Servers, plans and runs as pages: what is shown before is what happens, and nothing happens by accident."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from webtest import TestApp

from ockle.cli.confirm import _button as cli_button
from ockle.simulator.ledger import Entry
from ockle.webserver.application import make_app
from ockle.webserver.confirm import button
from web_site import WebSite

NASTY = ["we b", "a\"b'c", "ümläut", "🔌", "<script>alert(1)", "x" * 200, "a&b=c", "\u202e"]


def agree(page: Any, **fields: str) -> Any:
    """Fill the form that starts a plan, and send it."""
    form = next(form for form in page.forms.values() if form.action == "/plan/start")
    for name, value in fields.items():
        form[name] = value
    return form.submit(expect_errors=True)


def ended(app: TestApp, run: str) -> Any:
    """Return the page of a run once it has ended."""
    for _look in range(600):
        page = app.get(f"{run}/live")
        if page.html.section["data-run-state"] != "running":
            return app.get(run)
        app.get("/api/v1/state")
    raise AssertionError(f"{run} does not end")


def rows(page: Any) -> list[tuple[str, str]]:
    """Return (server, step) of each row of the list of steps."""
    found = page.html.find("table", class_="steps").tbody.find_all("tr")
    return [(row.th.get_text(strip=True), row.td.get_text(" ", strip=True).split()[0]) for row in found]


def sent(site: WebSite, after: int) -> list[Entry]:
    return site.lab.ledger.entries("power")[after:]


def test_what_is_previewed_is_what_the_devices_see(site: WebSite, app: TestApp) -> None:
    """Up with what is needed; off with what needs it, in the order that the page showed."""
    page = app.get("/plan/new", {"action": "on", "server": "web"})
    assert page.html.h1.text == "Turn on web?"
    expected = [name for name, _action in rows(page)]
    before = len(site.lab.ledger.entries("power"))
    started = agree(page, note="a test")
    assert started.status_int == 303
    done = ended(app, started.location)
    assert "5 on, 0 failed, 0 skipped" in done.text
    assert "a test" in done.text
    assert [entry.device for entry in sent(site, before)][-1] == "web"
    assert {entry.device for entry in sent(site, before)} == set(expected)
    site.settled("OK", *expected)

    page = app.get("/plan/new", {"action": "off", "server": "nas"})
    assert rows(page) == [("web", "off"), ("db", "off"), ("nas", "off")]
    assert button_of(page) == "Turn off 3 servers"
    focus = page.html.find(autofocus=True)
    assert focus.get_text() == "Keep them on"
    before = len(site.lab.ledger.entries("power"))
    done = ended(app, agree(page).location)
    assert [entry.device for entry in sent(site, before)] == ["web", "db", "nas"]
    assert "Switch back" in done.text
    assert site.lab.ledger.cuts_while_mounted() == []
    answers = [row.find_all("td")[-2].text for row in done.html.find_all("table")[-1].tbody.find_all("tr")]
    assert set(answers) == {"accepted", "verified"}


def button_of(page: Any) -> str:
    text: str = page.html.find("form", class_="agree").button.get_text(strip=True)
    return text


def test_a_run_is_taken_back_within_its_grace(site: WebSite) -> None:
    router = make_app(replace(site.settings, grace=60.0), site.router.registry.link)
    app = replace(site, router=router).browser("operator")
    page = app.get("/plan/new", {"action": "on", "server": "lone"})
    assert page.html.find(autofocus=True).get_text() == "Turn on 1 server"
    assert "Nothing is sent for the first 1 min" in page.text
    run = agree(page).follow()
    assert "nothing has been sent yet" in run.text
    assert "Cancelled" in take_back(run).text
    site.settled("OFF", "lone")


def take_back(page: Any) -> Any:
    form = next(form for form in page.forms.values() if form.action.endswith("/cancel"))
    return form.submit().follow()


def test_a_plan_that_changed_is_shown_anew_and_not_started(site: WebSite, app: TestApp) -> None:
    page = app.get("/plan/new", {"action": "on", "server": "lone"})
    app.post("/server/lone/hold", {"held": "yes", "csrf_token": token(page)}, status=303)
    again = agree(page)
    assert again.status_int == 409
    assert "the plan changed since you looked" in again.text
    assert "- lone on" in again.text
    app.post("/server/lone/hold", {"held": "no", "csrf_token": token(page)}, status=303)


def token(page: Any) -> str:
    value: str = page.html.find("input", {"name": "csrf_token"})["value"]
    return value


def test_much_at_stake_has_to_be_typed(site: WebSite, app: TestApp) -> None:
    before = len(app.get("/api/v1/runs").json["runs"])
    page = app.get("/plan/new", {"action": "cut", "server": "core"})
    assert "Type core to go on" in page.text
    for typed in ("", "nas", "CORE"):
        refused = agree(page, confirm=typed)
        assert refused.status_int == 422
        assert "what has to be typed" in refused.text
    assert len(app.get("/api/v1/runs").json["runs"]) == before


def test_servers_are_left_out_of_a_plan(app: TestApp) -> None:
    page = app.get("/plan/new", {"action": "off", "server": "core"})
    form = next(form for form in page.forms.values() if form.action == "/plan/new")
    boxes = [box for box in form.fields["exclude"] if box._value == "core"]
    boxes[0].checked = True
    changed = form.submit()
    assert "core (excluded)" in changed.text


def test_the_list_is_filtered_and_what_is_chosen_goes_into_one_plan(app: TestApp) -> None:
    page = app.get("/servers", {"q": "DN"})
    assert [box["value"] for box in page.html.find_all("input", {"name": "server"})] == ["dns"]
    assert app.get("/servers", {"q": "nothing like it"}).text.count("No server fits") == 1
    form = app.get("/servers").forms["bulk"]
    for box in form.fields["server"]:
        box.checked = box._value in ("lone", "core")
    assert form.submit("action", value="restart").html.h1.text == "Restart 2 servers?"
    csv = app.get("/servers.csv", {"q": "lone"}).text.splitlines()
    assert csv[0].startswith("server,state,why")
    assert [line.split(",")[0] for line in csv[1:]] == ["lone"]
    assert list(app.get("/servers.json", {"q": "lone"}).json["servers"]) == ["lone"]


def test_tests_of_several_servers_run_at_once(app: TestApp) -> None:
    page = app.get("/servers")
    told = app.post("/servers/test", [("server", "lone"), ("server", "dns"), ("csrf_token", token(page))])
    assert {row.th.text for row in told.html.tbody.find_all("tr")} == {"lone", "dns"}


def test_the_page_of_a_server_has_all_that_is_known(site: WebSite, app: TestApp) -> None:
    page = app.get("/server/dns")
    assert page.html.h1.text == "dns"
    assert {"core"} <= {chip.get_text(" ", strip=True).split()[1] for chip in page.html.find_all("a", class_="chip")}
    assert "psu1" in page.text
    assert "not known yet" in page.text or "at most" in page.text
    tested = app.post("/server/dns/test", {"csrf_token": token(page)})
    assert "What the tests said" in tested.text
    outlet = app.post("/server/dns/check", {"part": "psu1", "csrf_token": token(page)})
    assert "it takes commands" in outlet.text


def test_what_is_switched_by_hand_needs_the_name(site: WebSite, app: TestApp) -> None:
    page = app.get("/server/lone")
    fields = {"kind": "outlet", "part": "psu1", "state": "on", "csrf_token": token(page)}
    assert "Nothing was switched" in app.post("/server/lone/switch", {**fields, "confirm": "core"}, status=422).text
    app.post("/server/lone/switch", {**fields, "confirm": "lone"}, status=303)
    site.settled("OK", "lone")
    refused = app.post("/server/lone/switch", {**fields, "state": "off", "confirm": "lone"}, status=409)
    assert "is the last supply of lone" in refused.text
    force = {"state": "off", "confirm": "lone", "minutes": "soon", "csrf_token": token(page)}
    assert "number of minutes" in app.post("/server/lone/force", force, status=422).text
    app.post("/server/lone/force", {**force, "minutes": "30", "note": "why not"}, status=303)
    site.settled("Forced off", "lone")
    forced = app.get("/server/lone")
    assert "why not" in forced.text
    assert "Clear the force" in forced.text
    app.post("/server/lone/force", {"state": "clear", "csrf_token": token(page)}, status=303)
    site.settled("OFF", "lone")


def test_an_emergency_is_declared_and_cleared(site: WebSite, app: TestApp) -> None:
    page = app.get("/emergency", {"server": "lone", "within": "2"})
    fields = {"server": "lone", "within": "2", "csrf_token": token(page)}
    assert "type the word" in app.post("/emergency", {**fields, "confirm": "yes"}, status=422).text
    assert "number of minutes" in app.post("/emergency", {**fields, "within": "-1"}, status=422).text
    run = app.post("/emergency", {**fields, "confirm": "emergency"}, status=303)
    ended(app, run.location)
    assert "Declared by" in app.get("/emergency").text
    refused = agree(app.get("/plan/new", {"action": "on", "server": "lone"}))
    assert "emergency" in refused.text
    app.post("/emergency/clear", {"csrf_token": token(page)}, status=303)
    assert "Declared by" not in app.get("/emergency").text
    assert "no emergency is declared" in app.post("/emergency/clear", {"csrf_token": token(page)}, status=409).text


def test_a_viewer_looks_and_switches_nothing(site: WebSite, as_role: Callable[[str], TestApp]) -> None:
    viewer = as_role("viewer")
    page = viewer.get("/plan/new", {"action": "on", "server": "lone"})
    assert "you need the role operator" in page.text
    assert agree(page).status_int == 403
    for path in (
        "/server/lone/switch",
        "/server/lone/force",
        "/server/lone/hold",
        "/emergency",
        "/resume",
        "/runs/1/cancel",
    ):
        viewer.post(path, {"csrf_token": token(page)}, status=403)
    viewer.post("/server/lone/test", {"csrf_token": token(viewer.get("/server/lone"))})


# -- hostile input


@pytest.mark.parametrize("name", NASTY)
def test_names_that_nobody_has_get_a_page(app: TestApp, name: str) -> None:
    for path in (f"/server/{quote(name, safe='')}", "/plan/new?" + f"action=off&server={quote(name, safe='')}"):
        page = app.get(path, status=404)
        assert "<script>alert" not in page.text
        assert "there is no server" in page.text
    assert "<script>alert" not in app.get("/servers", {"q": name, "state": name, "tag": name}).text


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/plan/start", {"plan": "nonsense"}, 400),
        ("/plan/start", {}, 400),
        ("/plan/new", {"action": "burn", "server": "lone"}, 400),
        ("/server/lone/switch", {"kind": "door", "state": "on"}, 400),
        ("/server/lone/force", {"state": "sideways"}, 400),
        ("/server/nobody/hold", {"held": "yes"}, 404),
        ("/server/lone/test", {"part": "nothing"}, 404),
        ("/runs/99999999999999/cancel", {}, 404),
        ("/servers/test", {"server": "nobody"}, 404),
    ],
)
def test_forms_that_nobody_sent_get_a_page(app: TestApp, path: str, fields: dict[str, str], status: int) -> None:
    page = app.post(path, {**fields, "csrf_token": token(app.get("/server/lone"))}, status=status)
    assert page.html.h1.text


@pytest.mark.parametrize("action", ["on", "off", "restart", "cut"])
@pytest.mark.parametrize("count", [1, 3])
def test_the_button_says_what_the_command_line_says(action: str, count: int) -> None:
    plan = {"action": action, "steps": [{"server": f"s{number}"} for number in range(count)]}
    assert button(plan) == cli_button(plan)


def test_runs_are_listed(app: TestApp) -> None:
    page = app.get("/runs")
    assert "Power-up of web" in page.text or "No runs yet" in page.text
    app.get("/runs/999999", status=404)


def test_without_the_daemon_pages_show_what_was_known_and_nothing_is_switched(site: WebSite) -> None:
    """The GUI of a daemon that has gone: the list and the server's page from the last snapshot, orders refused."""
    gone = replace(site.settings, daemon={"host": "127.0.0.1", "port": 9}, local_role="operator")
    router = make_app(gone, site.router.registry.link)
    app = TestApp(router, extra_environ={"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost"})
    assert len(app.get("/servers").html.tbody.find_all("tr")) == 7
    page = app.get("/server/nas")
    assert "What was known last" in page.text
    assert not page.html.main.find_all(["button", "form"])
    assert "cannot reach the daemon" in app.get("/plan/new", {"action": "on", "server": "nas"}, status=503).text
    assert app.get("/server/nobody", status=503)
