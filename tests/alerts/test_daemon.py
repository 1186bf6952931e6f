"""The plugin in a daemon: commands, who may use them, what is sent, and what a reload and a restart leave of it."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ockle.common.CommunicationHandler import Caller
from ockle.common.CommunicationMessage import Message
from ockle.MainDaemon import MainDaemon
from own_daemon import ask, running, until, written

CONFIG = """[main]
state_dir = {state}
poll_interval = 200ms
test_interval = 200ms
[plugins]
plugins = CoreCommunicationCommands, Alerts
[plugins.Alerts]
look_interval = 100ms
confirm = 300ms
settle = 300ms
{more}
"""
SERVER = """[server]
outlets = plug
tests = port
fail_after = 1
[plug]
pdu = strip
state = true
[port]
tester = tcp
host = 127.0.0.1
port = {port}
"""
EVA = Caller("eva", "operator", "test")


@contextmanager
def listening(port: int = 0) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", port)) as server:
        yield server.getsockname()[1]


def made(folder: Path, port: int, more: str = "") -> Path:
    return written(
        folder / "etc",
        {
            "config.ini": CONFIG.format(state=folder / "state", more=more),
            "outlets/strip.ini": "[pdu]\ntype = Dummy\n",
            "testers/tcp.ini": "[tester]\ntype = TCP\ntimeout = 1s\n",
            "servers/web1.ini": SERVER.format(port=port),
            "channels/log.ini": "[channel]\ntype = Log\n",
        },
    )


def one(daemon: MainDaemon, state: str = "open") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(daemon, "getAlerts", state=state)["alerts"]
    return found


def refused(daemon: MainDaemon, command: str, caller: Caller = EVA, **data: Any) -> str:
    reply = daemon.communicationHandler.handleMessage(Message(command, data), caller)
    assert reply.error is not None
    return str(reply.error["message"])


def test_from_a_server_that_fails_to_its_recovery(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with listening() as port:
        pass
    with running(made(tmp_path, port)) as daemon:
        (alert,) = until(lambda: one(daemon))
        assert (alert["server"], alert["state"], alert["severity"]) == ("web1", "open", "warning")
        assert until(lambda: ask(daemon, "status")["alerts"]) == {"critical": 0, "warning": 1, "info": 0}
        until(lambda: "alert problem: web1 has power, but does not serve" in caplog.text)
        known = ask(daemon, "acknowledgeAlert", EVA, alert=alert["id"], note="cable ordered")
        assert known["acknowledged"]["who"] == "eva"
        silence = ask(daemon, "silenceAlerts", EVA, servers=["web1"], note="moving", **{"for": 60})
        assert ask(daemon, "getAlerts")["silences"] == [silence]
        assert ask(daemon, "endSilence", EVA, silence=silence["id"]) == silence
        with listening(port):
            until(lambda: not one(daemon))
            until(lambda: "alert recovery: over after" in caplog.text)
            (over,) = one(daemon, "closed")
            assert over["closed"] is not None
            history = ask(daemon, "getAlert", alert=alert["id"])["history"]
            assert [line["what"] for line in history][:3] == ["opened", "told", "acknowledged"]
            texts = [event.text for event in daemon.events.since(0) if event.kind == "alert"]
            assert texts[0].startswith("alert 1: web1 has power") and texts[-1].startswith("alert 1 is over")


def test_a_restart_tells_nothing_twice_and_a_reload_takes_new_rules(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with listening() as port:
        pass
    etc = made(tmp_path, port)
    with running(etc) as daemon:
        until(lambda: one(daemon))
        until(lambda: caplog.text.count("alert problem:") == 1)
    with running(etc) as daemon:
        (alert,) = until(lambda: one(daemon))
        assert alert["id"] == 1
        looks: list[int] = []

        def count() -> tuple[()]:
            looks.append(1)
            return ()

        daemon.engine.problem_sources.append(count)
        until(lambda: len(looks) > 10)
        assert caplog.text.count("alert problem:") == 1
        made(tmp_path, port, "remind = 1s\nsite_name = cellar")
        daemon.reload()
        until(lambda: "alert reminder: still, after" in caplog.text)
        file = etc / "config.ini"
        file.write_text(file.read_text().replace("Commands, Alerts", "Commands,"))
        daemon.reload()
        assert until(lambda: not any(ask(daemon, "status")["alerts"].values()))
        assert refused(daemon, "getAlerts") == "the plugin Alerts is not running now"


@pytest.mark.parametrize(
    ("command", "data", "problem"),
    [
        ("getAlerts", {"state": "new"}, "state is 'new': use open, closed, all"),
        ("getAlerts", {"limit": 0}, "limit is 0"),
        ("getAlerts", {"since": "yesterday"}, "since is 'yesterday'"),
        ("getAlert", {"alert": 99}, "there is no alert 99"),
        ("getAlert", {"alert": "x"}, "alert is 'x'"),
        ("acknowledgeAlert", {"alert": 99}, "there is no open alert 99"),
        ("silenceAlerts", {"for": 60}, "name servers or a subject"),
        ("silenceAlerts", {"for": 60, "servers": ["web9"]}, "there is no server web9"),
        ("silenceAlerts", {"for": float("inf"), "subject": "x"}, "for is inf"),
        ("silenceAlerts", {"for": -1, "subject": "x"}, "for is -1"),
        ("silenceAlerts", {"for": 1e12, "subject": "x"}, "up to 31622400"),
        ("silenceAlerts", {"for": 60, "subject": "x", "note": "x" * 1001}, "note has 1001 characters"),
        ("endSilence", {"silence": 1}, "there is no silence 1"),
    ],
)
def test_what_makes_no_sense_is_refused(site: MainDaemon, command: str, data: dict[str, Any], problem: str) -> None:
    assert problem in refused(site, command, **data)


@pytest.mark.parametrize("command", ["acknowledgeAlert", "silenceAlerts", "endSilence"])
def test_a_viewer_only_looks(site: MainDaemon, command: str) -> None:
    data = {"alert": 1, "silence": 1, "for": 60, "servers": ["web1"]}
    assert "needs the role operator" in refused(site, command, Caller("v", "viewer", "test"), **data)
    assert one(site, "all") == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MainDaemon]:
    with listening() as port, running(made(tmp_path_factory.mktemp("site"), port)) as daemon:
        until(lambda: ask(daemon, "status")["servers"]["web1"]["word"] == "on")
        yield daemon
