"""/grafana on a real daemon, asked as Grafana's JSON data sources ask."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from webtest import TestApp

from e2e import PATIENCE_S
from ockle.webserver.application import make_app
from ockle.webserver.settings import WebSettings
from own_daemon import running, written
from web_site import TOKENS, WebSite

BEARER = {"Authorization": f"Bearer {TOKENS['viewer']}"}


def span(back: float = 3600.0) -> dict[str, str]:
    now = time.time()
    return {
        name: datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for name, at in (("from", now - back), ("to", now + 1))
    }


def until(look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module", autouse=True)
def lived(site: WebSite) -> None:
    """A power-up that was logged, and a note."""
    with site.client() as daemon:
        daemon.call(
            "run", {"action": "on", "servers": ["all"], "confirm": confirmed(daemon), "note": "after the works"}
        )
        site.settled("OK")
        until(lambda: daemon.call("samples", {"server": "nas", "key": "power_w"})["series"])
        until(lambda: greatest(daemon.call("samples", {"server": "", "key": "power_w"})) > 100)
        until(lambda: daemon.call("samples", {"servers": ["all"], "key": "passed"})["series"])
        until(lambda: not daemon.call("status")["runs"])
        daemon.call("annotate", {"text": "fans replaced", "server": "nas"})


def greatest(samples: Any) -> float:
    buckets = [bucket for one in samples["series"] for segment in one["segments"] for bucket in segment]
    return max((float(bucket[3]) for bucket in buckets), default=0.0)


def confirmed(daemon: Any) -> str:
    return str(daemon.call("plan", {"action": "on", "servers": ["all"]})["confirm"])


@pytest.fixture
def ask(nobody: TestApp) -> Callable[..., Any]:
    def post(path: str, status: int = 200, **body: Any) -> Any:
        return nobody.post_json(f"/grafana/{path}", body, headers=BEARER, status=status).json

    return post


@pytest.mark.parametrize("path", ["/grafana", "/grafana/"])
def test_the_connection_is_tested_with_the_token(nobody: TestApp, path: str) -> None:
    assert nobody.get(path, headers=BEARER).json == {"status": "ok"}
    assert nobody.get(path, status=401).json["error"] == "unauthenticated"


def test_without_a_token_there_is_nothing(site: WebSite, nobody: TestApp) -> None:
    assert nobody.post_json("/grafana/query", {"range": span()}, status=401).json["error"] == "unauthenticated"
    logged_in = site.browser("viewer")  # another site's page may have this browser ask
    assert logged_in.post_json("/grafana/query", {"range": span()}, status=400).json["error"] == "bad_csrf"


def test_what_can_be_asked_for_is_found_by_a_part_of_its_name(ask: Callable[..., Any]) -> None:
    names = ask("search")
    assert {"runs", "alerts", "network/power_w", "network/servers_on"} <= set(names)
    assert set(ask("search", target="nas")) == {name for name in names if "nas" in name}
    assert {one["value"] for one in ask("metrics")} == set(names)
    assert ask("metric-payload-options", metric="runs") == []
    assert {"__text": "nas", "__value": "nas"} in ask("variable", payload={"target": "servers"})
    assert [one["__value"] for one in ask("variable", payload={"target": "network/p*"})] == ["network/power_w"]
    assert [one["text"] for one in ask("tag-keys")] == ["server", "kind", "object", "key"]
    assert {"text": "nas"} in ask("tag-values", key="server")
    assert "one of server" in ask("tag-values", 400, key="password")["message"]


def test_series_come_with_their_samples(ask: Callable[..., Any]) -> None:
    targets = [{"target": "network/power_w", "refId": "A"}, {"target": "*/test/*/passed", "refId": "B"}]
    found = ask("query", range=span(), intervalMs=1000, maxDataPoints=300, targets=targets)
    assert [one["refId"] for one in found if one["target"] == "network/power_w"] == ["A"]
    assert {one["refId"] for one in found} == {"A", "B"}
    values = [value for one in found if one["refId"] == "A" for value, _at in one["datapoints"] if value is not None]
    assert values
    assert max(values) > 0
    for one in found:
        times = [at for _value, at in one["datapoints"]]
        assert times == sorted(times)
        assert len(times) <= 2 * 300


def test_a_table_and_filters(ask: Callable[..., Any]) -> None:
    rules = [{"key": "server", "operator": "=", "value": "nas"}]
    target = {"target": "*/power_w", "refId": "A", "type": "table"}
    (table,) = ask("query", range=span(), targets=[target], adhocFilters=rules)
    assert [one["text"] for one in table["columns"]] == ["Time", "series", "value"]
    assert table["rows"]
    assert all(row[1].startswith("nas/") for row in table["rows"])


def test_what_is_not_known_is_empty_and_no_zero(ask: Callable[..., Any]) -> None:
    year = {"from": "2001-01-01T00:00:00Z", "to": "2002-01-01T00:00:00Z"}
    (one,) = ask("query", range=year, targets=[{"target": "network/power_w"}])
    assert one["datapoints"] == []
    assert ask("query", range=span(), targets=[{"target": "no/such/thing"}]) == []
    assert ask("query", range=span(), targets=[]) == []


def test_runs_and_notes_are_annotations(ask: Callable[..., Any]) -> None:
    mine = {"name": "ockle", "enable": True, "query": "runs notes alerts emergencies"}
    found = ask("annotations", range=span(), annotation=mine)
    (run,) = [one for one in found if "run" in one["tags"]]
    (note,) = [one for one in found if "note" in one["tags"]]
    assert run["title"].startswith("run 1: on ")
    assert "after the works" in run["text"]
    assert run["isRegion"]
    assert run["time"] < run["timeEnd"] <= note["time"]
    assert (note["title"], note["tags"]) == ("fans replaced", ["note", "nas"])
    assert run["annotation"] == mine
    (table,) = ask("query", range=span(), targets=[{"target": "runs", "refId": "A"}])
    (row,) = table["rows"]
    assert row[:3] == [run["time"], run["timeEnd"], run["title"]]
    assert ask("annotations", range={"from": "2001-01-01T00:00:00Z", "to": "2002-01-01T00:00:00Z"}) == []


@pytest.mark.parametrize(
    "body",
    [
        {"range": {"from": "1926-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}},
        {"range": span(), "intervalMs": 0},
        {"range": span(), "targets": [{"target": "*"}] * 51},
        {},
    ],
)
def test_a_hostile_query_gets_one_line(ask: Callable[..., Any], body: dict[str, Any]) -> None:
    answer = ask("query", 400, **body)
    assert answer["error"] == "bad_request"
    assert "\n" not in answer["message"]


def test_a_number_that_is_none_is_refused(nobody: TestApp) -> None:
    raw = b'{"range": {"from": NaN}}'
    answer = nobody.post("/grafana/query", raw, {**BEARER, "Content-Type": "application/json"}, status=400)
    assert "NaN" in answer.json["message"]


def test_without_logger_and_alerts_there_are_runs_and_notes(tmp_path: Path) -> None:
    socket = tmp_path / "ockle.sock"
    config = f"""[plugins]
plugins = SocketListener, CoreCommunicationCommands
[plugins.SocketListener]
port = 0
unix_socket = {socket}
viewer_token = {TOKENS["viewer"]}
"""
    with running(written(tmp_path / "etc", {"config.ini": config})):
        app = TestApp(make_app(WebSettings(daemon={"unix": str(socket)}, token=TOKENS["viewer"])))
        targets = [{"target": name} for name in ("runs", "alerts", "network/power_w")]
        found = app.post_json("/grafana/query", {"range": span(), "targets": targets}, headers=BEARER).json
        assert [one["rows"] for one in found] == [[], []]
        assert app.post_json("/grafana/annotations", {"range": span()}, headers=BEARER).json == []
    away = app.post_json("/grafana/query", {"range": span(), "targets": targets}, headers=BEARER, status=503)
    app.app.registry.link.stop()
    assert away.json["error"] == "unreachable"


def test_nothing_can_be_switched_there(nobody: TestApp) -> None:
    for path in ("/grafana/run", "/grafana/setServer"):
        assert nobody.post_json(path, {}, headers=BEARER, status=404).json["error"] == "not_found"
