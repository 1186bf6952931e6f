"""The history's pages on a real daemon: states, power, events, notes, exports; and the panels of a server's page."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from webtest import TestApp

from e2e import PATIENCE_S
from ockle.webserver.application import make_app
from ockle.webserver.ockle_client.connection import Connection
from ockle.webserver.settings import WebSettings
from ockle.webserver.views import history as views
from web_site import TOKENS, WebSite


def daemon_of(site: WebSite, role: str = "operator") -> Connection:
    return Connection("127.0.0.1", site.daemon.port, token=TOKENS[role], via="gui", user="anna")


def until(look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module", autouse=True)
def lived(site: WebSite) -> int:
    """A power-up that was logged, and a note; returns the number of the note."""
    with daemon_of(site) as daemon:
        names = daemon.call("select", {"selector": ["all"]})["servers"]
        confirm = daemon.call("plan", {"action": "on", "servers": names})["confirm"]
        daemon.call("run", {"action": "on", "servers": names, "confirm": confirm, "note": "after the works"})
        site.settled("OK")
        until(lambda: daemon.call("samples", {"server": "nas", "key": "power_w"})["series"])
        until(lambda: daemon.call("samples", {"server": "", "key": "power_w"})["series"])
        return int(daemon.call("annotate", {"text": "=1+1 <b>fans</b> replaced", "server": "nas"})["seq"])


def test_the_page_shows_states_power_and_events(app: TestApp) -> None:
    page = app.get("/history")
    [lanes] = page.html.select("#states .wide svg.timeline")
    assert {text.find(string=True, recursive=False) for text in lanes.select("text.name")} >= {"nas", "web", "pi1"}
    assert any(title.text.startswith("On, ") for title in lanes.select(".band title"))
    assert len(page.html.select("#power .wide svg.plot")) == 2
    rows = [row.get_text(" ", strip=True) for row in page.html.select("table.events tbody tr")]
    assert any("after the works" in row for row in rows)
    assert any("Switching on" in row for row in rows)
    assert not page.html.select("[style]")
    assert not page.html.select("b:-soup-contains('fans')")


def test_a_choice_of_servers_is_kept_by_every_link(app: TestApp) -> None:
    page = app.get("/history", {"servers": "nas web", "range": "1h"})
    names = [one.find(string=True, recursive=False) for one in page.html.select("#states .wide text.name")]
    assert names == ["nas", "web"]
    assert all("servers=nas" in link["href"] for link in page.html.select(".ranges a"))
    assert "nas" in page.html.select_one("#power").text


@pytest.mark.parametrize(
    ("query", "there", "gone"),
    [
        ({"kind": "note"}, "replaced", "Switching on"),
        ({"text": "WORKS"}, "", "replaced"),
        ({"server": "nas"}, "replaced", "web: "),
        ({"kind": "run", "via": "gui"}, "after the works", "replaced"),
        ({"failed": "1"}, "", "after the works"),
        ({"who": "nobody"}, "Nothing of this kind", "replaced"),
    ],
)
def test_filters_leave_only_what_they_say(app: TestApp, query: dict[str, str], there: str, gone: str) -> None:
    text = app.get("/history", query).html.select_one("#events").get_text(" ")
    assert there in text
    assert gone not in text


def test_more_servers_than_a_picture_takes(app: TestApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MOST_LINES", 3)
    monkeypatch.setattr(views, "MOST_LANES", 3)
    page = app.get("/history")
    assert "Name servers above" in page.html.select_one("#power").text
    assert "4 more servers" in page.html.select_one("#states").text
    page = app.get("/history", {"servers": "nas web db dns core"})
    assert "2 are not drawn" in page.html.select_one("#power").text


def test_pages_lead_through_all_events(app: TestApp, site: WebSite) -> None:
    with daemon_of(site) as daemon:
        for number in range(105):
            daemon.call("annotate", {"text": f"page note {number}"})
    page = app.get("/history", {"kind": "note", "text": "page note"})
    assert len(page.html.select("table.events tbody tr")) == 100
    older = app.get(page.html.select_one("a[rel=next]")["href"])
    assert len(older.html.select("table.events tbody tr")) == 5
    assert older.html.select_one("a:-soup-contains('Newest')")


def test_an_event_has_an_address_of_its_own(app: TestApp, lived: int) -> None:
    page = app.get(f"/history/{lived}")
    assert "=1+1 <b>fans</b> replaced" in page.html.select_one(".event-text").text
    assert page.html.select_one(f"#e{lived}[aria-current]")
    app.get("/history/999999999", status=404)


def test_an_operator_adds_a_note_and_a_viewer_cannot(as_role: Callable[[str], TestApp], lived: int) -> None:
    app = as_role("operator")
    form = app.get(f"/history/{lived}").forms["note"]
    form["text"] = "and it is quiet"
    page = form.submit(status=303).follow()
    assert "and it is quiet" in page.text
    assert f"about event {lived}" in page.text
    form["text"] = " "
    assert "text is empty" in form.submit(status=400).text
    assert not as_role("viewer").get(f"/history/{lived}").html.select("#note")
    token = form["csrf_token"].value
    as_role("viewer").post("/history/note", {"text": "x", "csrf_token": token}, status=[400, 403])


def test_an_export_of_events_is_no_formula(app: TestApp) -> None:
    answer = app.get("/history/events.csv", {"server": "nas"})
    assert answer.content_type == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert "'=1+1 <b>fans</b> replaced" in [row["text"] for row in rows]
    assert {row["server"] for row in rows} == {"nas"}
    listed = json.loads(app.get("/history/events.json", {"server": "nas"}).text)
    assert len(listed) == len(rows)
    app.get("/history/events.xml", status=404)


def test_an_export_of_samples_comes_in_pages(app: TestApp) -> None:
    rows = list(csv.DictReader(io.StringIO(app.get("/history/samples.csv", {"key": "power_w"}).text)))
    assert {"nas", "web", "db"} <= {row["server"] for row in rows}
    assert all(float(row["least"]) <= float(row["mean"]) <= float(row["greatest"]) for row in rows)
    one = json.loads(app.get("/history/samples.json", {"server": "nas", "range": "1h"}).text)
    assert {row["server"] for row in one} == {"nas"}
    assert json.loads(app.get("/history/samples.json", {"server": "nas", "since": "0", "until": "9"}).text) == []


def test_a_server_has_timeline_and_plots(app: TestApp) -> None:
    page = app.get("/server/nas/history")
    [line] = page.html.select("#timeline .wide svg.timeline")
    assert line.select("a .flag title:-soup-contains('ordered by')")
    assert line.select(".attempt")
    titles = [one.text for one in page.html.select("#plots figcaption strong")]
    assert "Power" in titles
    data = page.html.select_one("#plots [data-plot]")["data-plot"]
    assert {one["server"] for one in app.get(data).json["series"]} == {"nas"}
    app.get("/server/nobody/history", status=404)


def test_the_server_panels_need_nothing_but_the_address(app: TestApp, site: WebSite) -> None:
    """As the page of a server includes them; their problem does not become the page's."""
    page = app.get("/server/nas/history", {"since": "0", "until": "3600"})
    assert "Nothing was measured" in page.text


ODD = (
    "range=2h<script>",
    "since=yesterday",
    "since=9&until=3",
    "since=nan",
    "since=1e400",
    "before=x",
    "before=99999999999999",
)


@pytest.mark.parametrize("query", ODD)
@pytest.mark.parametrize("path", ["/history", "/history/events.csv", "/server/nas/history"])
def test_nonsense_in_the_address_is_said(app: TestApp, path: str, query: str) -> None:
    page = app.get(f"{path}?{query}", status="*")
    assert page.status_int in ((200, 400) if "before" in query else (400,))
    assert "<script>" not in re.sub(r"<script type=\"module\"[^>]*></script>", "", page.text)


@pytest.mark.parametrize("name", ["a b", "ä<b>&'\"", "x" * 200, "🙂", "..", "%2e"])
def test_odd_names_find_nothing_and_break_nothing(app: TestApp, name: str) -> None:
    from urllib.parse import quote

    assert app.get(f"/server/{quote(name, safe='')}/history", status="*").status_int in (404, 200)
    page = app.get("/history", {"servers": name, "server": name, "who": name})
    assert page.status_int == 200


def test_the_interface_for_programs(app: TestApp, lived: int) -> None:
    assert app.get("/api/v1/history", {"kind": "note", "limit": 1}).json["next"]
    assert app.get("/api/v1/series", {"server": "nas"}).json["series"]
    line = app.get("/api/v1/servers/nas/timeline").json
    assert line["bands"][-1]["state"] == "OK"
    assert app.get("/api/v1/durations").json["servers"]["nas"]["on"]["median"] > 0
    assert app.get("/api/v1/samples", {"servers": "nas web", "key": "power_w", "points": 3}).json["series"]
    token = {"Authorization": f"Bearer {TOKENS['operator']}"}
    app.reset()
    assert app.post_json("/api/v1/notes", {"text": "by a program"}, headers=token).json["seq"] > lived
    app.post_json("/api/v1/notes", {"text": ""}, headers=token, status=422)


def test_without_the_daemon_the_page_says_so() -> None:
    router = make_app(WebSettings(daemon={"host": "127.0.0.1", "port": 9}, local_role="admin"))
    try:
        app = TestApp(router, extra_environ={"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost"})
        page = app.get("/history")
        assert page.html.select_one("#events").text.count("cannot reach the daemon") == 1
        assert "cannot reach the daemon" in page.html.select_one("#states").text
        assert app.get("/history/3", status=503)
        assert app.get("/history/events.csv", status=503)
    finally:
        router.registry.link.stop()
