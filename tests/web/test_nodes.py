"""The pages of nodes, and their part of the REST interface, on a real daemon that asks a real web server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from webtest import TestApp

from node_server import NodeServer, node_server
from ockle.webserver.nodes.words import figure_name, figure_text, figures, worst_limit
from own_daemon import until
from web_site import WebSite, web_site

PLUGINS = ["CoreCommunicationCommands", "EditingCommunicationCommands", "SocketListener", "Logger", "Monitoring"]
NASTY = "<img src=x onerror=alert(1)>"
MONITOR = """\
[monitor]
servers = lone
more = pi7=%s
interval = 500ms
timeout = 400ms
missing_after = 1s
limits = disk_percent > 85 until 80, critical: temp > 80 for 1d
"""


@pytest.fixture(scope="module")
def pi7() -> Iterator[NodeServer]:
    with node_server() as found:
        yield found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, pi7: NodeServer) -> Iterator[WebSite]:
    def prepare(etc: Path) -> None:
        (etc / "monitors").mkdir()
        (etc / "monitors/pis.ini").write_text(MONITOR % pi7.url)

    with web_site(tmp_path_factory.mktemp("nodes"), {"plugins": {"plugins": PLUGINS}}, prepare) as found:
        yield found


@pytest.fixture(autouse=True)
def well(pi7: NodeServer, site: WebSite) -> None:
    says(site, pi7, {"cpu_percent": 12.5, "disk_percent": 40, "temp": 61.5, "num_pids": 143, "uptime_s": 400_000})


def says(site: WebSite, pi7: NodeServer, figures: dict[str, float] | None) -> None:
    """Have pi7 answer this, None: 500; and wait until the daemon knows it, and that the disk is beyond its limit."""
    pi7.figures = figures
    limit = "over" if figures and figures.get("disk_percent", 0) > 85 else "ok"

    def known() -> bool:
        found = asked(site)
        if figures is None:
            return bool(found["state"] == "missing")
        return (found["state"], found["limits"][0]["state"], found["figures"]) == ("up", limit, figures)

    until(known)
    site.router.registry.nodes_page.forget()


def asked(site: WebSite) -> dict[str, Any]:
    with site.client() as client:
        return next(one for one in client.call("getNodes")["nodes"] if one["name"] == "pi7")


def row(app: TestApp, node: str) -> Any:
    return app.get("/nodes").html.find("tr", {"data-key": f"nodes/{node}"})


def test_the_page_has_figures_bars_and_states(app: TestApp) -> None:
    found = row(app, "pi7")
    for text in ("answers", "12.5 %", "61.5 °C", "143", "4 days 15 h", "within its 2 limits", "Ask now"):
        assert text in found.text, text
    assert [bar["value"] for bar in found.find_all("meter")] == ["12.5", "40.0"]
    until(lambda: "off" in row(app, "lone").text)
    lone = row(app, "lone")
    assert lone.find("a", href="/server/lone")
    assert "Ask now" not in lone.text
    card = app.get("/server/lone").html.find(class_="figures")
    assert (card.a["href"], "off" in card.text) == ("/nodes/lone", True)


def test_what_is_beyond_its_limit_comes_first_and_is_named(app: TestApp, site: WebSite, pi7: NodeServer) -> None:
    says(site, pi7, {"disk_percent": 91, "temp": 85})
    rows = app.get("/nodes").html.tbody.find_all("tr")
    assert [one["data-key"] for one in rows] == ["nodes/pi7", "nodes/lone"]
    text = rows[0].text
    assert "disk_percent > 85 until 80" in text
    assert "beyond, not for long enough yet" in text  # the temperature
    page = app.get("/nodes/pi7")
    assert "beyond" in page.html.find("div", {"data-key": "figures"}).text
    assert "1 beyond a limit" in app.get("/nodes")


def test_who_is_missing_is_told_why(app: TestApp, site: WebSite, pi7: NodeServer) -> None:
    says(site, pi7, None)
    assert "500" in row(app, "pi7").text
    assert "missing" in app.get("/nodes/pi7").html.find("div", {"data-key": "state"}).text


def test_a_poll_brings_only_what_changed(app: TestApp, site: WebSite, pi7: NodeServer) -> None:
    rev = app.get("/nodes/live").json["rev"]
    pi7.figures = {"cpu_percent": 13.5}

    def changed() -> dict[str, Any] | None:
        reply: dict[str, Any] = app.get("/nodes/live", {"since": rev}).json
        return reply if "13.5 %" in reply.get("html", {}).get("nodes/pi7", "") else None

    assert "nodes/lone" not in (until(changed) or {})["html"]
    rev = app.get("/nodes/pi7/live").json["rev"]
    assert rev
    app.get("/nodes/nobody", status=404)


def test_it_is_asked_now_by_who_may(app: TestApp, as_role: Callable[[str], TestApp], site: WebSite) -> None:
    page = app.get("/nodes/pi7")
    form = next(form for form in page.forms.values() if form.action.endswith("/nodes/pi7/ask"))
    before = time.time()
    assert form.submit(status=303).location.endswith("/nodes/pi7")
    assert asked(site)["at"] >= before
    button = row(app, "pi7").find("button")
    assert (button["form"], button["formaction"]) == ("act", "/nodes/pi7/ask")
    assert app.get("/nodes").forms["act"]["csrf_token"].value  # the rows are the same for all, the form is not
    viewer = as_role("viewer")
    assert "Ask now" not in viewer.get("/nodes")
    assert "Ask now" not in viewer.get("/nodes/pi7")
    viewer.post("/nodes/pi7/ask", status=403)


def test_what_was_measured_is_plotted(app: TestApp) -> None:
    assert "CPU" in until(lambda: app.get("/nodes/pi7").html.find(id="plots").find("figure").text)


def test_what_a_node_sends_is_text(app: TestApp, site: WebSite, pi7: NodeServer) -> None:
    pi7.figures = {NASTY: 5, "cpu_percent": 1}
    until(lambda: NASTY in app.get("/nodes/pi7").html.find("div", {"data-key": "figures"}).text)
    for path in ("/nodes", "/nodes/pi7"):
        assert not app.get(path).html.find_all("img")


def test_settings_and_nodes_lead_to_each_other(app: TestApp) -> None:
    assert app.get("/settings/monitors").html.find("a", href="/nodes")
    assert app.get("/nodes").html.find("a", href="/settings/monitors")
    assert app.get("/servers").html.find("a", href="/nodes")


def test_without_their_plugin_the_alerts_say_so(app: TestApp) -> None:
    assert "The plugin Alerts is not enabled" in app.get("/alerts")
    assert app.get("/alerts/live").json["html"] == {}
    assert app.get("/alerts/1", status=501)
    assert app.get("/api/v1/alerts", status=501).json["error"] == "unknown_command"


def test_figures_in_the_order_in_which_people_look() -> None:
    node = {"figures": {"zeta": 1.0, "temp": 2.0, "alpha": 3.0, "cpu_percent": 4.0}}
    assert [key for key, _value in figures(node)] == ["cpu_percent", "temp", "alpha", "zeta"]


@pytest.mark.parametrize(
    ("key", "value", "name", "text"),
    [
        ("cpu_percent", 93.5, "CPU", "93.5 %"),
        ("temp", 61.25, "Temperature", "61.2 °C"),
        ("uptime_s", 59.0, "Uptime", "59 s"),
        ("uptime_s", 7200.0, "Uptime", "2 h 0 min"),
        ("power_w", 2500.0, "Power", "2.5 kW"),
        ("a.b", 1.0, "A.b", "1"),
    ],
)
def test_a_figure_reads_well(key: str, value: float, name: str, text: str) -> None:
    assert (figure_name(key), figure_text(key, value)) == (name, text)


def test_of_several_limits_the_worst_counts() -> None:
    limits = [{"key": "x", "state": "ok"}, {"key": "x", "state": "over"}, {"key": "y", "state": "pending"}]
    assert [worst_limit({"limits": limits}, key) for key in "xyz"] == ["over", "pending", ""]
