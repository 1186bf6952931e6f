"""The command line against a real socket: what it shows, in which form, and with which exit code."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli_site import NAMES, Site
from ockle.cli.codes import MEANINGS
from ockle.cli.connect import parse_duration
from ockle.webserver.ockle_client.address import parse_address


def test_status_folds_by_state(site: Site) -> None:
    site.words = {"sw-core": "on", "web1": "on", "web2": "on", "db1": "failed", "nas01": "off"}
    result = site.run("status")
    assert result.code == 1
    assert result.out.splitlines() == [
        "on:      sw-core web[1-2]",
        'failed:  db1 (test "pg" timeout)',
        "off:     nas01",
        "unknown: -",
    ]


@pytest.mark.parametrize(
    ("word", "code"),
    [("on", 0), ("forced on", 0), ("off", 7), ("unknown", 7), ("switching on", 7), ("failed", 1), ("gave up", 1)],
)
def test_the_exit_code_of_status(site: Site, word: str, code: int) -> None:
    site.words["web1"] = word
    assert site.run("status", "web1").code == code
    assert site.run("status", "web2").code == 0


def test_status_of_an_unknown_server(site: Site) -> None:
    result = site.run("status", "web9")
    assert result.code == 2
    assert "no such server: web9" in result.err


def test_status_as_json_names_and_wide(site: Site) -> None:
    assert json.loads(site.run("status", "web1", "-o", "json").out)["web1"]["power_w"] == 12.4
    assert site.run("-o", "name", "status", "web[1-2]").out == "web1\nweb2\n"
    assert "12 W" in site.run("status", "-o", "wide").out


def test_wide_fits_a_terminal(site: Site) -> None:
    site.words["web1"] = "failed"
    site.reason = (
        "test http failed: http://web1.example.org:8080/healthz: no answer within 5 s, after 3 attempts in a row"
    )
    lines = site.run("status", "-o", "wide").out.splitlines()
    assert max(map(len, lines)) <= 80
    text = " ".join(" ".join(lines).split())
    assert f"why: {site.reason}" in text
    assert "needs: nas01" in text


def test_runs_say_what_they_are_for(site: Site) -> None:
    assert "NOTE" not in site.run("runs").out
    site.note = "emergency: on battery"
    assert "emergency: on battery" in site.run("runs").out
    assert "emergency: on battery" in site.run("runs", "214").out


def test_tree_draws_what_is_shared_once(site: Site) -> None:
    assert site.run("tree").out.splitlines() == [
        "sw-core  ✓ on",
        "├─ nas01  ✓ on",
        "│  └─ web1  ! failed",
        "└─ db1  ✓ on",
        "   └─ nas01  ✓ on  …",
    ]


def test_why(site: Site) -> None:
    result = site.run("why", "web1")
    assert "waiting for db1" in result.out
    assert "goes on when: db1 is on" in result.out


def test_test_exit_code(site: Site) -> None:
    assert site.run("test", "web1").code == 0
    site.fails = {"web1"}
    result = site.run("test", "web[1-2]")
    assert result.code == 1
    assert "port 80" in result.out


def test_wait(site: Site) -> None:
    assert site.run("wait", "--for", "on", "web1", "--timeout", "5").code == 0
    assert site.run("wait", "--for", "off", "web1", "--timeout", "0.05").code == 5
    site.words["web1"] = "gave up"
    assert site.run("wait", "--for", "on", "web1").code == 1


def test_runs_events_who_and_command(site: Site) -> None:
    site.services.events.publish("state", "on \x1b[2Jnow", "web1")
    assert "214" in site.run("runs").out
    assert "nas01" in site.run("runs", "214").out
    events = site.run("events")
    assert "web1: on" in events.out
    assert "\x1b" not in events.out
    assert "(local)" in site.run("who").out
    assert json.loads(site.run("command", "echo", "a=1", "b=x", 'c={"d":[]}').out) == {"a": 1, "b": "x", "c": {"d": []}}
    assert site.run("command", "nonsense").code == 2
    assert site.run("command", "echo", "a").code == 2
    assert site.run("_names").out.split() == list(NAMES)


def test_completion_knows_servers(site: Site) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert "_ockle_names" in site.run("completion", shell).out


def test_no_daemon() -> None:
    from ockle.cli.main import main

    assert main(["--host", "unix:/nonexistent/socket", "status"]) == 3
    assert main(["--host", "unix:/nonexistent/socket", "_names"]) == 0


def test_help_names_every_exit_code(site: Site) -> None:
    result = site.run("--help")
    assert result.code == 0
    text = " ".join(result.out.split())
    for code, meaning in MEANINGS.items():
        assert f"{code} {meaning}" in text


@pytest.mark.parametrize("words", [[], ["doctor"], ["emergency", "declare"], ["db", "copy"], ["force"], ["resume"]])
def test_help_fits_a_terminal(site: Site, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = site.run(*words, "--help").out.splitlines()
    assert max(map(len, lines)) < 80


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("pi", {"host": "pi", "port": 8088}),
        ("pi:99", {"host": "pi", "port": 99}),
        ("[::1]:99", {"host": "::1", "port": 99}),
        ("::1", {"host": "::1", "port": 8088}),
        ("tls:pi:99", {"host": "pi", "port": 99, "tls": True}),
        ("unix:/run/x", {"unix": "/run/x"}),
    ],
)
def test_addresses(text: str, where: dict[str, object]) -> None:
    assert parse_address(text) == where


@given(st.text(max_size=12))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        assert parse_address(text)
    except ValueError as error:
        assert "is no address" in str(error) or "needs the path" in str(error)


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("0.5s", 0.5)])
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds
