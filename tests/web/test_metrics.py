"""/metrics: who may see it, what stands there, and that Prometheus' own tool finds nothing wrong with it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from webtest import TestApp

from ockle.common.errors import ConfigError
from ockle.webserver.application import make_app
from ockle.webserver.exposition import OPENMETRICS
from ockle.webserver.settings import read_settings
from peers import free_port, peer
from web_site import TOKENS, WebSite

BEARER = {"Authorization": f"Bearer {TOKENS['viewer']}"}
OPEN = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"}
"""What Prometheus sends."""


def application(site: WebSite, metrics: str, host: str = "localhost", port: int | None = None) -> TestApp:
    """Return the GUI with another ``[web] metrics``, perhaps without its daemon, as a program at ``host`` sees it."""
    daemon = {"host": "127.0.0.1", "port": port or site.daemon.port}
    router = make_app(replace(site.settings, metrics=metrics, daemon=daemon), site.router.registry.link)
    return TestApp(router, extra_environ={"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": f"{host}:80"})


@pytest.mark.parametrize(
    ("metrics", "local", "far", "token"),
    [("off", 404, 404, 404), ("viewer", 401, 401, 200), ("local", 200, 401, 200), ("open", 200, 200, 200)],
)
def test_who_may_see_it_is_an_option(site: WebSite, metrics: str, local: int, far: int, token: int) -> None:
    near, there = application(site, metrics), application(site, metrics, "ockle.test")
    assert near.get("/metrics", expect_errors=True).status_int == local
    assert there.get("/metrics", expect_errors=True).status_int == far
    assert there.get("/metrics", headers=BEARER, expect_errors=True).status_int == token


def test_the_option_stands_in_config_ini(tmp_path: Path) -> None:
    file = tmp_path / "config.ini"
    for text, metrics in (("", "local"), ("[web]\nmetrics = open\n", "open")):
        file.write_text(text)
        assert read_settings(tmp_path).metrics == metrics
    file.write_text("[web]\nmetrics = all\n")
    with pytest.raises(ConfigError, match="off, local, viewer or open"):
        read_settings(tmp_path)


def test_a_wrong_token_is_told_as_json(site: WebSite) -> None:
    answer = site.browser().get("/metrics", headers={"Authorization": "Bearer nonsense-0123456789"}, status=401)
    assert answer.json["error"] == "unauthenticated"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_prometheus_finds_nothing_wrong_with_it(site: WebSite, as_role: Callable[[str], TestApp]) -> None:
    with site.client() as client:
        run = client.call("switchNetwork", {"state": "on"})
        assert run
    site.settled("OK")
    text = as_role("viewer").get("/metrics").text
    checked = subprocess.run(
        [peer("promtool"), "check", "metrics"], input=text, capture_output=True, text=True, timeout=30, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")
    lines = text.splitlines()
    for line in (
        "ockle_up 1",
        'ockle_server_state{server="nas",state="OK"} 1',
        'ockle_server_state{server="nas",state="OFF"} 0',
        'ockle_server_on{server="web"} 1',
        'ockle_transitions_total{op="on",result="ok"} 7',
        'ockle_transition_duration_seconds_count{op="on"} 7',
        'ockle_runs_total{action="on",result="done"} 1',
        'ockle_device_up{device="pdu-a",kind="outlets"} 1',
    ):
        assert line in lines
    for start in (
        'ockle_build_info{version="',
        'ockle_outlet_power_watts{server="nas",outlet="',
        'ockle_outlet_on{server="web",outlet="',
        'ockle_test_success{server="',
        'ockle_device_requests_total{device="pdu-a",kind="outlets",op="set",result="ok"} ',
        'ockle_device_latency_seconds_bucket{device="pdu-b",kind="outlets",le="+Inf"} ',
        "process_resident_memory_bytes ",
    ):
        assert any(line.startswith(start) for line in lines), start


def test_only_the_present_states_on_demand(as_role: Callable[[str], TestApp]) -> None:
    full, short = (as_role("viewer").get("/metrics" + query).text for query in ("", "?states=present"))
    assert full.count("\nockle_server_state{") == 12 * 7
    assert short.count("\nockle_server_state{") == 7


def test_who_asks_for_openmetrics_gets_it(as_role: Callable[[str], TestApp]) -> None:
    answer = as_role("viewer").get("/metrics", headers=OPEN)
    assert answer.headers["Content-Type"] == OPENMETRICS
    assert answer.text.endswith("# EOF\n")
    assert "# TYPE ockle_runs counter" in answer.text


def test_no_secret_gets_there(site: WebSite, as_role: Callable[[str], TestApp]) -> None:
    text = as_role("admin").get("/metrics").text
    for secret in (*TOKENS.values(), "private", "public"):
        assert secret not in text
    for file in site.etc.rglob("*.ini"):
        for line in file.read_text().splitlines():
            key, _, value = line.partition("=")
            if key.strip() in ("community", "write_community", "key_file", "password") and value.strip():
                assert value.strip() not in text, key


def test_a_daemon_that_is_away_is_a_figure(site: WebSite) -> None:
    away = application(site, "local", port=free_port())
    answer = away.get("/metrics")
    assert [line for line in answer.text.splitlines() if not line.startswith("#")] == ["ockle_up 0"]


def test_a_daemon_without_the_command_is_no_dead_one(site: WebSite) -> None:
    """The plugin with the core commands is not loaded, or the daemon is older than the GUI: that is to be seen."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ockle.webserver.views.metrics.COMMAND", "getSomethingElse")
        answer = application(site, "local").get("/metrics", status=501)
    assert answer.json["error"] == "unknown_command"
