"""The whole way: a service ends, a daemon notices, a receiver is told; its secrets stay with it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ockle.cli.main import main
from ockle.common.logs import logging_to
from ockle.MainDaemon import MainDaemon
from ockle.plugins.SocketListener import SocketListener
from ockle.simulator.receiver import Receiver
from own_daemon import ask, running, until, written

SECRET = "canary-0123456789"
MAIN = """[main]
poll_interval = 200ms
test_interval = 200ms
[plugins]
plugins = CoreCommunicationCommands, EditingCommunicationCommands, SocketListener, AutoControl, Alerts
[plugins.SocketListener]
port = 0
[plugins.Alerts]
look_interval = 100ms
confirm = 200ms
settle = 200ms
site_name = Lab
"""
SERVER = """[server]
outlets = plug
tests = service
[plug]
pdu = strip
[service]
tester = tcp
host = 127.0.0.1
port = {port}
"""


@contextmanager
def service(port: int) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", port)) as listener:
        listener.listen()
        yield


def hook(receiver: Receiver, *lines: str) -> str:
    url = f"url = {receiver.url}?token={SECRET}"
    return "\n".join(("[channel]", "type = Webhook", url, f"sign_key = {SECRET}-key", *lines, ""))


def told(receiver: Receiver) -> list[tuple[str, str]]:
    return [(one["kind"], one["subject"]) for one in receiver.got]


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def files(port: int, **channels: str) -> dict[str, str]:
    return {
        "config.ini": MAIN,
        "outlets/strip.ini": "[pdu]\ntype = Dummy\n",
        "testers/tcp.ini": "[tester]\ntype = TCP\ntimeout = 500ms\n",
        "servers/web1.ini": SERVER.format(port=port),
        **{f"channels/{name}.ini": text for name, text in channels.items()},
    }


def state_of(daemon: MainDaemon, channel: str) -> dict[str, Any]:
    channels: list[dict[str, Any]] = ask(daemon, "getChannels")["channels"]
    return next(one for one in channels if one["name"] == channel)


def test_an_outage_is_told_and_its_end(tmp_path: Path, port: int, capsys: pytest.CaptureFixture[str]) -> None:
    logs = tmp_path / "logs"
    with ExitStack() as stack:
        stack.enter_context(logging_to("DEBUG", logs))
        receiver = stack.enter_context(Receiver())
        etc = written(tmp_path / "etc", files(port, hook=hook(receiver)))
        daemon = stack.enter_context(running(etc))
        listener = daemon.plugins["SocketListener"]
        assert isinstance(listener, SocketListener)
        where = listener.address
        with service(port):
            ask(daemon, "run", action="on", servers=["web1"])
            until(lambda: ask(daemon, "status")["servers"]["web1"]["word"] == "on")
        until(lambda: receiver.got)
        receiver.status = 503  # now the receiver is out of order as well
        with service(port):
            until(lambda: state_of(daemon, "hook")["waiting"])
            until(lambda: "status 503" in state_of(daemon, "hook")["problem"])
            assert main(["--host", where, "doctor", "--etc", str(etc)]) == 7
            assert "! channel hook: " in capsys.readouterr().out
            receiver.status = 200
            until(lambda: len(receiver.got) > 1)
        [problem, recovery] = receiver.got
        assert told(receiver) == [("problem", "server/web1"), ("recovery", "server/web1")]
        assert problem["alert"] == recovery["alert"] and problem["site"] == "Lab"
        assert problem["severity"] == "critical" and problem["servers"] == ["web1"]

        assert main(["--host", where, "alert", "test"]) == 0
        assert receiver.got[-1]["kind"] == "test"
        assert main(["--host", where, "alert", "channels", "-o", "json"]) == 0
        receiver.status = 403
        assert main(["--host", where, "alert", "test", "hook"]) == 1
        said = capsys.readouterr().out
        assert "hook: NOT SENT" in said and "status 403" in said
        everything = [said, json.dumps([event.as_dict() for event in daemon.events.since(0)])]
        everything += [path.read_text() for path in logs.iterdir()]
    everything += [path.read_bytes().decode("latin-1") for path in etc.parent.rglob("*.db*")]
    assert any("status 503" in text for text in everything)
    for text in everything:
        assert "canary" not in text


def test_a_reload_brings_and_takes_channels(tmp_path: Path, port: int) -> None:
    with Receiver() as receiver, running(written(tmp_path, files(port))) as daemon:

        def channels() -> list[str]:
            return [one["name"] for one in ask(daemon, "getChannels")["channels"]]

        assert channels() == []
        written(tmp_path, {"channels/one.ini": hook(receiver), "channels/two.ini": hook(receiver, "enabled = false")})
        ask(daemon, "reload")
        until(lambda: channels() == ["one", "two"])
        assert ask(daemon, "testChannel", channel="two")["ok"]
        (tmp_path / "channels/one.ini").unlink()
        ask(daemon, "reload")
        until(lambda: channels() == ["two"])
