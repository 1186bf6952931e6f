"""The first page, on a real daemon: what it shows, what the panel tells, the master switch, and odd addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
from webtest import TestApp

from web_site import WebSite

NEEDS = {("core", "nas"), ("core", "dns"), ("nas", "db"), ("db", "web"), ("dns", "web"), ("dns", "pi1")}
NAMES = {"core", "dns", "nas", "db", "web", "pi1", "lone"}
SVG = "{http://www.w3.org/2000/svg}"


def _nodes(page: Any) -> dict[str, Any]:
    return {node["data-name"]: node for node in page.html.select("svg.graph a.node")}


def test_every_server_is_a_link_in_the_picture_and_a_row_of_the_table(app: TestApp) -> None:
    page = app.get("/")
    nodes = _nodes(page)
    assert set(nodes) == NAMES
    assert {row.th.text for row in page.html.select("#table tbody tr")} == NAMES
    assert {(line["data-from"], line["data-to"]) for line in page.html.select(".picture .edge")} == NEEDS
    assert all(line["class"] == ["edge", "need"] for line in page.html.select(".picture .edge"))
    for name, node in nodes.items():
        assert " ".join(node.text.split()) == f"– {name} Off"
        assert {"node", "state-off"} <= set(node["class"])
        assert app.get(node["href"]).html.select_one("#panel h2").text == name


def test_the_counts_filter_and_the_others_are_dimmed(app: TestApp) -> None:
    page = app.get("/")
    (off,) = (item for item in page.html.select(".counts li") if not item.has_attr("hidden"))
    assert " ".join(off.text.split()) == "– 7 off"

    assert not app.get(off.a["href"]).html.select(".node.dim")
    other = app.get("/?state=on")
    assert len(other.html.select(".node.dim")) == len(NAMES)
    assert "No server is in this state now" in other.html.select_one("#table").text
    assert other.html.select_one(".counts [aria-current]")["href"] == "/"


def test_a_selection_stresses_what_it_needs_and_what_needs_it(app: TestApp) -> None:
    page = app.get("/?select=db")
    assert {name for name, node in _nodes(page).items() if "near" in node["class"]} == {"core", "nas", "db", "web"}
    assert {name for name, node in _nodes(page).items() if "chosen" in node["class"]} == {"db"}
    lines = {(line["data-from"], line["data-to"]) for line in page.html.select(".edge.near")}
    assert lines == {("core", "nas"), ("nas", "db"), ("db", "web")}


def test_the_panel_tells_the_parts_and_the_neighbours(app: TestApp) -> None:
    panel = app.get("/network/panel?select=nas")
    assert panel.html.select_one("html") is None
    titles = [title.text for title in panel.html.select("h3")]
    assert titles == ["Outlets", "Controls", "Tests", "Needs", "Needed by"]
    assert [link.text for link in panel.html.select("a[data-select]")] == ["core", "db"]
    order, test = panel.html.select("[data-key]")
    assert (order["data-key"], test["data-key"]) == ("o", "t")
    assert order["href"] == "/plan/new?action=on&server=nas"
    assert panel.html.select_one("[data-open]")["href"] == "/server/nas"


def test_a_neighbourhood_is_drawn_alone_but_the_table_has_all(app: TestApp) -> None:
    page = app.get("/?focus=pi1&steps=1")
    assert set(_nodes(page)) == {"pi1", "dns"}
    assert len(page.html.select("#table tbody tr")) == len(NAMES)
    more = page.html.find("a", string="More")["href"]
    assert set(_nodes(app.get(more))) == {"pi1", "dns", "core"}
    assert set(_nodes(app.get(page.html.find("a", string="The whole network")["href"]))) == NAMES


def test_who_may_only_look_is_offered_no_orders(as_role: Callable[[str], TestApp]) -> None:
    page = as_role("viewer").get("/?select=nas")
    assert not page.html.select('a[href*="/plan/new"], form[action*="/network/auto"]')
    assert page.html.select_one(".auto")
    links = as_role("operator").get("/").html.select('.heading a[href*="/plan/new"]')
    assert [link["href"] for link in links] == ["/plan/new?action=off&server=all", "/plan/new?action=on&server=all"]


def test_the_master_switch(site: WebSite, as_role: Callable[[str], TestApp]) -> None:
    operator = as_role("operator")
    for wanted in ("on", "off"):
        forms = operator.get("/?select=db").forms.values()
        (form,) = (form for form in forms if "/network/auto" in form.action)
        assert form["status"].value == wanted
        tag = site.router.registry.link.snapshot.tag
        assert form.submit(status=303).location == "http://ockle.test/?select=db"
        assert site.router.registry.link.wait_changed(tag, 10.0).status["master"] == wanted
        assert operator.get("/").html.select_one("[data-master]").text == wanted
    assert as_role("viewer").post("/network/auto", {"status": "on"}, status="4*").status_int in (400, 403)


def test_the_picture_can_be_taken_away(app: TestApp) -> None:
    file = app.get("/network.svg?select=db")
    assert file.content_type == "image/svg+xml"
    assert "attachment" in file.headers["Content-Disposition"]
    picture = ElementTree.fromstring(file.body)
    assert {node.get("data-name") for node in picture.iter(f"{SVG}a")} == NAMES
    style = picture.findtext(f"{SVG}style") or ""
    assert "var(" not in style
    assert ".state-off { color: #" in style


@pytest.mark.parametrize(
    "query",
    [
        "state=nothing", "state=%00", "select=nobody", "select=%3Cscript%3Ealert(1)%3C/script%3E", "focus=nobody",
        "steps=99999999999999999999", "steps=-1", "steps=%C2%B2", "focus=db&steps=%D9%A3", "unfold=",
        "unfold=" + "x" * 5000,
        "select=%F0%9F%94%8C%20%22'%3E", "select=a&select=b", "&".join(f"unfold={number}" for number in range(300)),
    ],
)  # fmt: skip
def test_odd_addresses_show_the_network(app: TestApp, query: str) -> None:
    for path in ("/", "/network/panel", "/network.svg"):
        page = app.get(f"{path}?{query}")
        assert "<script>alert" not in page.text
    assert set(_nodes(app.get(f"/?{query}"))) >= {"core", "db"}
    if query == "select=nobody":
        assert "There is no server nobody" in app.get(f"/?{query}").html.select_one("#panel").text


def test_bytes_that_are_no_text_are_refused(app: TestApp) -> None:
    assert "no text in UTF-8" in app.get("/?select=%FF%FE", status=400).text


def test_polls_say_whether_the_picture_is_still_that_of_the_network(app: TestApp) -> None:
    sheet = app.get("/").html.select_one("[data-sheet]")
    assert app.get("/api/v1/state").json["topology"] == sheet["data-topology"]


def test_the_panel_tells_a_test_that_has_not_run_from_one_that_has(app: TestApp, site: WebSite) -> None:
    def shown() -> str:
        heading = next(one for one in app.get("/?select=core").html.find_all("h3") if one.text == "Tests")
        return str(heading.find_next("ul").text)

    assert "not run" in shown()
    with site.client() as client:
        client.call("setServer", {"server": "core", "state": "on"})
        site.settled("OK", "core")
        assert "passed" in shown()
        client.call("setServer", {"server": "core", "state": "off"})
    site.settled("OFF", "core")
