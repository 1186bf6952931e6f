"""The pages of alerts on a real daemon: a PDU that dies is one alert with what it takes along; people act on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from webtest import TestApp

from alerts_site import LIMIT, AlertsSite, alerts_site
from ockle.webserver.alerts.words import badge, folded
from own_daemon import until
from web_site import TOKENS, WebSite

NASTY = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def telling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlertsSite]:
    with alerts_site(tmp_path_factory.mktemp("alerts")) as found:
        yield found


@pytest.fixture(scope="module")
def site(telling: AlertsSite) -> WebSite:
    return telling.web


@pytest.fixture(scope="module")
def dead_pdu(telling: AlertsSite) -> int:
    """The number of the alert of pdu-a, which does not answer, so that nothing is known of what it feeds."""
    return telling.kill_pdu()


def items(app: TestApp, group: str) -> dict[str, Any]:
    """Return the alerts of a list of the page by their titles."""
    found = app.get("/alerts").html.find("ul", {"data-list": group}).find_all("li", class_="alert")
    return {one.h3.text: one for one in found}


def test_one_cause_is_one_alert_with_all_that_it_takes_along(app: TestApp, dead_pdu: int) -> None:
    title, found = next((title, one) for title, one in items(app, "open").items() if "pdu-a" in title)
    assert found.a["href"] == f"/alerts/{dead_pdu}"
    along = found.find("details", class_="along")
    for server in ("core", "dns", "nas", "web"):
        assert server in along.summary.text
        assert along.find("a", href=f"/server/{server}")
    page = app.get(f"/alerts/{dead_pdu}")
    assert page.html.h1.text == title
    assert len(page.html.find("tbody", {"data-list": "affected"}).find_all("tr")) >= 3
    assert "It was seen" in page.html.find("ol", {"data-list": "history"}).text
    around = page.html.find("a", string="What happened around it")["href"]
    assert app.get(around).status_int == 200
    assert app.get("/server/web").html.find(attrs={"aria-labelledby": "alerts-head"}).a["href"] == f"/alerts/{dead_pdu}"


def test_all_pages_say_how_many_are_open(app: TestApp, site: WebSite, dead_pdu: int) -> None:
    until(lambda: site.router.registry.link.snapshot.status.get("alerts", {}).get("critical"))
    mark = app.get("/about").html.find(attrs={"data-alert-badge": True})
    assert "state-gave-up" in mark["class"]
    assert re.search(r"[1-9]\d* open, the worst: critical", " ".join(mark.text.split()))
    state = app.get("/api/v1/state").json["alerts"]
    assert (state["severity"], str(state["count"])) == ("critical", mark.find(attrs={"data-alert-count": True}).text)


def test_it_is_acknowledged_with_a_note(app: TestApp, telling: AlertsSite, dead_pdu: int) -> None:
    form = next(one for one in app.get(f"/alerts/{dead_pdu}").forms.values() if one.action.endswith("/acknowledge"))
    form["note"] = NASTY
    page = form.submit(status=303).follow()
    assert "has it in hand since" in page.html.find("div", {"data-key": "state"}).text
    assert NASTY in page.text.replace("&lt;", "<").replace("&gt;", ">")
    assert not page.html.find_all("img")
    assert any("pdu-a" in title for title in items(app, "acknowledged"))
    assert "1 acknowledged" in " ".join(app.get("/alerts").html.find("p", {"data-key": "state"}).text.split())
    assert telling.alert("outlets/pdu-a")["acknowledged"]["note"] == NASTY
    audit = app.get("/settings/audit").text
    assert "acknowledgeAlert" in audit or "alert" in audit


def test_it_is_silenced_for_a_time_and_that_is_ended(app: TestApp, telling: AlertsSite) -> None:
    node = telling.has(LIMIT)
    button = items(app, "open")[node["title"]].find("button", attrs={"formaction": re.compile("/silence$")})
    assert button["form"] == "act"
    token = app.get("/alerts").forms["act"]["csrf_token"].value
    app.post(button["formaction"], {"csrf_token": token, button["name"]: button["value"]}, status=303)
    until(lambda: telling.alert(LIMIT)["state"] == "silenced")
    assert node["title"] in items(app, "silenced")
    silences = app.get("/alerts").html.find("ul", {"data-list": "silences"})
    assert LIMIT in silences.text
    act = app.get("/alerts").forms["act"]
    act.action = silences.button["formaction"]
    act.submit(status=303)
    until(lambda: telling.alert(LIMIT)["state"] == "open")
    assert node["title"] in items(app, "open")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"servers": "nobody"}, "nobody"),
        ({"servers": "lone", "until": "soon"}, "soon is no time"),
        ({"servers": "lone", "until": "2001-01-01T00:00"}, "in the future"),
        ({"servers": "lone", "until": "2190-01-01T00:00"}, "a year at most"),
    ],
)
def test_a_silence_that_cannot_be_says_why(app: TestApp, fields: dict[str, str], says: str) -> None:
    form = next(one for one in app.get("/alerts").forms.values() if one.action.endswith("/alerts/silences"))
    for name, value in fields.items():
        form[name] = value
    page = form.submit(status="4*")
    assert says in page.html.main.find(role="alert").text
    again = next(one for one in page.forms.values() if one.action.endswith("/alerts/silences"))
    assert again["servers"].value == fields["servers"]


def test_servers_are_silenced_until_a_time(app: TestApp, site: WebSite) -> None:
    form = next(one for one in app.get("/alerts").forms.values() if one.action.endswith("/alerts/silences"))
    end = datetime.now() + timedelta(days=2)
    form["servers"], form["until"], form["note"] = "lone, db", f"{end:%Y-%m-%dT%H:%M}", "moved"
    form.submit(status=303)
    with site.client() as client:
        made = client.call("getAlerts")["silences"][-1]
    assert (sorted(made["servers"]), made["note"]) == (["db", "lone"], "moved")
    assert abs(made["until"] - end.timestamp()) < 120


def test_channels_stand_beside_and_are_tested(app: TestApp, telling: AlertsSite) -> None:
    hook = telling.hook
    channels = app.get("/alerts").html.find("ul", {"data-list": "channels"})
    rows = {one.a.text: one for one in channels.find_all("li")}
    assert "the night shift" in rows["hook"].text
    assert "disabled" in rows["spare"].text
    assert hook.url not in channels.text
    act = app.get("/alerts").forms["act"]
    act.action = rows["hook"].button["formaction"]
    assert "hook:" in act.submit().html.main.find(class_="banner", role="status").text
    hook.figures = None
    try:
        assert "500" in act.submit().html.main.find(class_="banner", role="alert").text
        settings = app.get("/settings/channels/hook")
        form = next(one for one in settings.forms.values() if one.action.endswith("/test"))
        assert "as it is stored" in settings
        assert "500" in form.submit().html.find(class_="notice", role="status").text
    finally:
        hook.figures = {}


def test_what_is_over_is_listed_and_a_poll_brings_what_changed(app: TestApp, telling: AlertsSite) -> None:
    node = telling.has(LIMIT)
    rev = app.get("/alerts/live").json["rev"]
    assert app.get("/alerts/live", {"since": rev}).json["rev"]
    telling.pi7.figures = {"disk_percent": 5}
    until(lambda: not telling.alert(LIMIT))
    reply = app.get("/alerts/live", {"since": rev}).json
    assert f"open/{node['id']}" not in reply["lists"]["open"]
    assert f"closed/{node['id']}" in reply["html"]
    assert node["title"] in app.get("/alerts").html.find("tbody", {"data-list": "closed"}).text
    page = app.get(f"/alerts/{node['id']}")
    assert "Lasted" in page
    assert "What can be done" not in page
    events = app.get("/history", {"kind": "alert"})
    assert events.html.find("a", href=f"/alerts/{node['id']}")
    app.get(f"/alerts/{node['id']}/live", {"since": "x"})
    app.get("/alerts/999999", status=404)


def test_a_viewer_looks_and_does_nothing(as_role: Callable[[str], TestApp], site: WebSite, dead_pdu: int) -> None:
    viewer = as_role("viewer")
    for path in ("/alerts", f"/alerts/{dead_pdu}"):
        page = viewer.get(path)
        assert not page.html.main.find_all("button")
        assert not page.html.main.find_all("form")
    assert "<button" not in viewer.get("/alerts/live").text
    for path in (f"{dead_pdu}/acknowledge", f"{dead_pdu}/silence", "silences", "channels/hook/test", "silences/1/end"):
        viewer.post(f"/alerts/{path}", status=403)


def test_a_form_of_nobody_is_refused(app: TestApp, dead_pdu: int) -> None:
    app.post(f"/alerts/{dead_pdu}/acknowledge", {"note": "x"}, status=400)


def test_programs_have_the_same(app: TestApp, site: WebSite, dead_pdu: int) -> None:
    api = "/api/v1"
    token = {"Authorization": f"Bearer {TOKENS['operator']}"}
    assert dead_pdu in [one["id"] for one in app.get(f"{api}/alerts").json["alerts"]]
    assert app.get(f"{api}/alerts", {"state": "closed"}).json["alerts"]
    assert app.get(f"{api}/alerts/{dead_pdu}").json["history"]
    app.get(f"{api}/alerts/999999", status=404)
    noted = app.post_json(f"{api}/alerts/{dead_pdu}/acknowledge", {"note": "by a program"}, headers=token)
    assert noted.json["acknowledged"]["note"] == "by a program"
    made = app.post_json(
        f"{api}/silences", {"servers": ["lone"], "for": 60, "note": "x"}, headers=token, status=201
    ).json
    assert made["servers"] == ["lone"]
    assert made["id"] in [one["id"] for one in app.get(f"{api}/silences").json["silences"]]
    app.delete(f"{api}/silences/{made['id']}", headers=token)
    app.delete(f"{api}/silences/{made['id']}", headers=token, status=404)
    app.post_json(f"{api}/silences", {"for": 60}, headers=token, status="4*")
    assert {one["name"] for one in app.get(f"{api}/channels").json["channels"]} == {"hook", "spare"}
    assert app.post_json(f"{api}/channels/hook/test", {}, headers=token).json["ok"] is True
    app.post_json(f"{api}/channels/nobody/test", {}, headers=token, status=404)


def test_many_names_are_folded() -> None:
    affected = [{"server": f"web{number}", "subject": ""} for number in range(1, 30)]
    assert folded(affected) == "web[1-29]"
    many = [{"server": "", "subject": f"{letter}/x"} for letter in "abcdefghijklmno"]
    assert folded(many).endswith("and 3 more")


@pytest.mark.parametrize(
    ("counts", "count", "severity"),
    [
        ({"critical": 0, "warning": 2, "info": 3}, 5, "warning"),
        ({"critical": 1, "warning": 0, "info": 0}, 1, "critical"),
        ({"critical": 0, "warning": 0, "info": 0}, None, None),
        ({}, None, None),
        (None, None, None),
    ],
)
def test_the_badge_has_the_worst(counts: dict[str, int] | None, count: int | None, severity: str | None) -> None:
    found = badge(counts)
    assert (found.get("count"), found.get("severity")) == (count, severity)
