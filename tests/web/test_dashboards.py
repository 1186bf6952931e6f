"""The dashboards and rules that come with Ockle, on a real Prometheus that reads a real daemon with all its plugins."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import peers_nut
import peers_prometheus
from e2e import ROOT
from node_server import node_server
from ockle.webserver.serve import address, make_server
from ockle.webserver.settings import WebSettings
from own_daemon import until
from peers import peer
from peers_prometheus import Prometheus
from web_site import TOKENS, Sections, WebSite, web_site

pytestmark = pytest.mark.peer

GRAFANA, RULES = ROOT / "packaging/grafana", ROOT / "packaging/prometheus/ockle.rules.yml"
PLUGINS = ["CoreCommunicationCommands", "SocketListener", "AutoControl", "Logger", "UPS", "Monitoring", "Alerts"]
PAGE = ROOT / "docs/grafana.md"
VARIABLES = {"$server": ".*", "$job": ".*", "$__rate_interval": "1m"}
SPAN = {"from": "2026-01-01T00:00:00Z", "to": "2040-01-01T00:00:00Z"}
FIGURES = {"time": 1, "cpu_percent": 12.5, "memory_percent": 40, "disk_percent": 61, "num_pids": 90}


def panels(name: str) -> list[dict[str, Any]]:
    board = json.loads((GRAFANA / name).read_text())
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str, str]]:
    """Yield every PromQL expression of the dashboard: where it stands, its text with the variables filled in, and its
    legend."""
    board = json.loads((GRAFANA / "ockle.json").read_text())
    found = [
        (panel["title"], target["expr"], target["legendFormat"])
        for panel in panels("ockle.json")
        for target in panel["targets"]
    ]
    found += [(f"annotation {one['name']}", one["expr"], "") for one in board["annotations"]["list"]]
    for where, text, legend in found:
        filled = text
        for name, value in VARIABLES.items():
            filled = filled.replace(name, value)
        yield where, filled, legend


@contextmanager
def served(site: WebSite) -> Iterator[str]:
    """Yield HOST:PORT at which the GUI is served."""
    settings = WebSettings(port=0)
    server = make_server(site.router, settings)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield urlsplit(address(server, settings)).netloc
    server.close()
    thread.join(20)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebSite]:
    folder = tmp_path_factory.mktemp("whole")
    with peers_nut.running(folder / "nut") as nut, node_server(**FIGURES) as node:

        def prepare(etc: Path) -> None:
            for name, text in {
                "ups/rack.ini": f"[ups]\nservers = all\nport = {nut.port}\nafter = 1h\n",
                "monitors/rack.ini": f"[monitor]\nmore = pi7={node.url}\ninterval = 1s\ntimeout = 1s\n",
                "monitors/gone.ini": "[monitor]\nmore = pi8=http://127.0.0.1:1/\ninterval = 1s\nmissing_after = 1s\n",
            }.items():
                (etc / name).parent.mkdir(exist_ok=True)
                (etc / name).write_text(text)

        settings: Sections = {
            "plugins": {"plugins": PLUGINS},
            "plugins.UPS": {"interval": "1s"},
            "plugins.Alerts": {"look_interval": "1s", "confirm": "1s"},
        }
        with web_site(folder, settings, prepare) as site:
            with site.client() as daemon:
                confirm = daemon.call("plan", {"action": "on", "servers": ["all"]})["confirm"]
                daemon.call("run", {"action": "on", "servers": ["all"], "confirm": confirm})
                site.settled("OK")
                until(lambda: not daemon.call("status")["runs"])
            yield site


@pytest.fixture(scope="module")
def prometheus(whole: WebSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("prometheus")
    with served(whole) as target, peers_prometheus.running(folder, target, TOKENS["viewer"], RULES) as made:
        made.until("ockle_up == 1")
        made.until('count_over_time(ockle_node_cpu_ratio{node="pi7"}[1m]) > 2')  # rates need some samples
        made.until("count_over_time(ockle_ups_charge_ratio[1m]) > 2")
        yield made


def test_it_scrapes_without_a_fault(prometheus: Prometheus) -> None:
    until(lambda: prometheus.targets()[0]["health"] == "up")
    log = prometheus.log.read_text()
    assert "level=warn" not in log, log[-2000:]
    assert "level=error" not in log, log[-2000:]
    for expression, value in (("ockle_up", "1"), ("ockle_ups_charge_ratio", "1"), ("ockle_node_cpu_ratio", "0.125")):
        assert prometheus.until(expression)[0]["value"][1] == value
    assert len(prometheus.until('ockle_server_state{state="OK"} == 1')) == 7
    assert prometheus.until('ockle_node_up{node="pi7"} == 1')
    assert prometheus.until('ockle_node_up{node="pi8"} == 0')


def test_every_query_of_the_dashboard_is_answered(prometheus: Prometheus) -> None:
    assert len(list(expressions())) > 25
    for where, text, legend in expressions():
        # an annotation tells of what is not the case now; there is what it is told from
        answered = prometheus.until(text.removesuffix(" > 0"))
        labels = set(re.findall(r"{{(\w+)}}", legend))
        assert labels <= {name for one in answered for name in one["metric"]} | {"result"}, where


def test_every_rule_is_evaluated(prometheus: Prometheus) -> None:
    (group,) = until(lambda: [one for one in prometheus.get("rules")["groups"] if one["evaluationTime"]])
    assert {rule["name"]: rule["lastError"] for rule in group["rules"] if rule["health"] != "ok"} == {}
    assert {rule["name"] for rule in group["rules"] if rule["state"] == "firing"} == set()


def test_every_metric_that_is_named_anywhere_is_offered(whole: WebSite) -> None:
    """What has never happened has no sample yet; its name has to be right all the same."""
    with whole.client("viewer") as daemon:

        def offered_now() -> set[str]:
            return {one["name"] for one in daemon.call("getMetrics")["families"]}

        until(lambda: offered_now() >= {"ockle_node_cpu_ratio", "ockle_ups_charge_ratio"})
        offered = {"ockle_up", *offered_now()}
    text = RULES.read_text() + PAGE.read_text() + " ".join(text for _where, text, _legend in expressions())
    used = set(re.findall(r"\b(?:ockle|process)_[a-z_]+\b(?!\.)", text)) - {"ockle_netboot_boards"}
    assert {re.sub(r"_(total|bucket)$", "", name) for name in used} <= offered


def test_an_alert_is_counted_and_an_annotation(whole: WebSite, prometheus: Prometheus) -> None:
    assert prometheus.until('ockle_alerts{severity="warning"} == 1')
    bearer = {"Authorization": f"Bearer {TOKENS['viewer']}"}
    asked = {"range": SPAN, "annotation": {"query": "alerts"}}
    (alert,) = whole.browser().post_json("/grafana/annotations", asked, headers=bearer).json
    assert "pi8" in alert["title"]
    assert alert["tags"] == ["alert", "warning", "node"]
    assert alert["time"] < alert["timeEnd"]


def test_every_query_of_the_history_is_answered(whole: WebSite) -> None:
    board = json.loads((GRAFANA / "history.json").read_text())
    bearer = {"Authorization": f"Bearer {TOKENS['viewer']}"}
    browser = whole.browser()
    kinds = [one["target"]["target"] for one in board["annotations"]["list"]]
    targets = [target for panel in panels("history.json") for target in panel["targets"]]
    for target in [*targets, *({"target": kind, "refId": "A"} for kind in kinds)]:
        body = {"range": SPAN, "targets": [{**target, "target": target["target"].replace("${server:glob}", "*")}]}
        found = until(lambda body=body: browser.post_json("/grafana/query", body, headers=bearer).json)  # type: ignore[misc]
        assert found[0].get("refId") == target["refId"]
        if found[0].get("type") != "table":
            assert any(one["datapoints"] for one in found), target
    for kind in kinds:
        asked = {"range": SPAN, "annotation": {"name": kind, "query": kind}}
        assert isinstance(browser.post_json("/grafana/annotations", asked, headers=bearer).json, list)
    (variable,) = [one for one in board["templating"]["list"] if one["type"] == "query"]
    names = browser.post_json(
        "/grafana/variable", {"payload": {"target": variable["query"]["query"]}}, headers=bearer
    ).json
    assert len(names) == 7


# -- rules, by Prometheus' own tests of rules

AWAY = [
    ('up{job="ockle",instance="a"}', "0x10", "OckleAway"),
    ('ockle_up{job="ockle",instance="a"}', "0x10", "OckleAway"),
    ('ockle_safe_mode{job="ockle",instance="a"}', "1x10", "OckleSafeMode"),
    ('ockle_server_state{state="Permanently failed to start",server="web1"}', "1x10", "OckleGaveUp"),
    ('ockle_device_up{device="pdu-a",kind="outlets"}', "0x10", "OckleDeviceAway"),
    ('ockle_ups_on_battery{ups="rack"}', "1x10", "OckleOnBattery"),
    ('ockle_runs_total{action="on",result="failed"}', "0 1x9", "OckleRunFailed"),
]


def test_the_rules_tell_what_they_say(tmp_path: Path) -> None:
    cases = [
        {
            "interval": "1m",
            "input_series": [{"series": series, "values": values}],
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{alertname="{name}",alertstate="firing"}})',
                    "eval_time": "8m",
                    "exp_samples": [{"labels": "{}", "value": 1}],
                }
            ],
        }
        for series, values, name in AWAY
    ]
    wanted = [
        {"series": 'ockle_server_desired{instance="a",job="ockle",server="web1"}', "values": "1x60"},
        {"series": 'ockle_server_on{instance="a",job="ockle",server="web1"}', "values": "1x5 0x55"},
    ]
    counted = {"expr": 'count(ALERTS{alertname="OckleNotAsWanted",alertstate="firing"})', "exp_samples": []}
    tests = [
        *cases,
        {
            "interval": "1m",
            "input_series": wanted,
            "promql_expr_test": [
                {**counted, "eval_time": "20m"},
                {**counted, "eval_time": "40m", "exp_samples": [{"labels": "{}", "value": 1}]},
            ],
        },
    ]
    file = tmp_path / "tests.yml"
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}))
    done = subprocess.run(
        [peer("promtool"), "test", "rules", str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_examples_are_valid(tmp_path: Path) -> None:
    for name in ("prometheus.yml", "ockle.rules.yml"):
        (tmp_path / name).write_text((ROOT / "packaging/prometheus" / name).read_text())
    (tmp_path / "ockle.token").write_text("secret")
    done = subprocess.run(
        [peer("promtool"), "check", "config", "prometheus.yml"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "page.yml").write_text(block)
    done = subprocess.run(
        [peer("promtool"), "check", "config", "--syntax-only", "page.yml"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("ockle.json", "history.json"):
        board = json.loads((GRAFANA / name).read_text())
        ids = [panel["id"] for panel in board["panels"]]
        assert len(ids) == len(set(ids))
        variables = {one["name"] for one in board["templating"]["list"]}
        used = set(re.findall(r"\$\{?([a-z]\w*)(?::\w+)?\}?", json.dumps(board)))
        assert used <= variables, used - variables
