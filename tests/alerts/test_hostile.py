"""Alerts of a whole daemon in hostile hands: values that make no sense, roles that may not, a look that breaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ockle.common.access import Caller
from ockle.common.CommunicationMessage import Message
from ockle.common.problems import Problem, Severity
from ockle.MainDaemon import MainDaemon
from ockle.plugins.Alerts import Alerts
from own_daemon import ask, running, until, written

FILES = {
    "config.ini": """[main]
state_dir = ../state
[plugins]
plugins = CoreCommunicationCommands, Alerts
[plugins.Alerts]
look_interval = 100ms
confirm = 0s
""",
    "channels/log.ini": "[channel]\ntype = Log\n",
}
HUGE = 10**400


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MainDaemon]:
    with running(written(tmp_path_factory.mktemp("alerts") / "etc", FILES)) as found:
        until(lambda: found.communicationHandler.handleMessage(Message("getAlerts", {})).error is None)
        yield found


def refusal(daemon: MainDaemon, command: str, data: dict[str, Any], role: str = "admin") -> str:
    caller = Caller("eva", role, "socket")
    error = daemon.communicationHandler.handleMessage(Message(command, data), caller).error
    assert error is not None, data
    assert "\n" not in error["message"]
    assert len(error["message"]) < 1000
    return str(error["code"])


@pytest.mark.parametrize(
    "value",
    [0, -1, HUGE, -HUGE, 1e308, float("nan"), float("inf"), True, None, "2h", [], {}],
    ids=lambda one: str(one)[:5],
)
def test_a_silence_lasts_for_a_time_that_makes_sense(daemon: MainDaemon, value: Any) -> None:
    assert refusal(daemon, "silenceAlerts", {"subject": "ups/rack", "for": value}) == "bad_request"
    assert ask(daemon, "getAlerts")["silences"] == []


@pytest.mark.parametrize(
    ("command", "data"),
    [
        ("getAlerts", {"state": "ajar"}),
        ("getAlerts", {"limit": HUGE}),
        ("getAlerts", {"limit": 0}),
        ("getAlerts", {"since": HUGE}),
        ("getAlerts", {"since": "yesterday-ish"}),
        ("getAlert", {"alert": HUGE}),
        ("getAlert", {"alert": "1; DROP TABLE alerts"}),
        ("acknowledgeAlert", {"alert": 1, "note": "x" * 1001}),
        ("silenceAlerts", {"for": 60}),
        ("silenceAlerts", {"for": 60, "servers": ["nobody"]}),
        ("endSilence", {"silence": None}),
        ("testChannel", {"channel": ["log"]}),
        ("testChannel", {}),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(daemon: MainDaemon, command: str, data: dict[str, Any]) -> None:
    assert refusal(daemon, command, data) in ("bad_request", "not_found")


def test_there_is_no_such_thing(daemon: MainDaemon) -> None:
    assert refusal(daemon, "getAlert", {"alert": 2**53}) == "not_found"
    assert refusal(daemon, "acknowledgeAlert", {"alert": 999}) == "not_found"
    assert refusal(daemon, "endSilence", {"silence": 999}) == "not_found"
    assert refusal(daemon, "testChannel", {"channel": "../../etc/passwd"}) == "not_found"


@pytest.mark.parametrize(
    ("command", "data"),
    [
        ("acknowledgeAlert", {"alert": 1}),
        ("silenceAlerts", {"subject": "*", "for": 60}),
        ("endSilence", {"silence": 1}),
        ("testChannel", {"channel": "log"}),
    ],
)
def test_who_may_only_look_changes_nothing(daemon: MainDaemon, command: str, data: dict[str, Any]) -> None:
    assert refusal(daemon, command, data, role="viewer") == "denied"


def test_a_look_that_breaks_does_not_end_the_alerts(daemon: MainDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = daemon.plugins["Alerts"]
    assert isinstance(plugin, Alerts)
    looks = [0]

    def broken(*_: object) -> None:
        looks[0] += 1
        raise ValueError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(plugin._desk, "look", broken)
        until(lambda: looks[0] >= 2)
    problem = Problem("mine", "plugin", Severity.CRITICAL, "plugin/mine", "it is bad")
    daemon.engine.problem_sources.append(lambda: [problem])
    (alert,) = until(lambda: ask(daemon, "getAlerts")["alerts"])
    assert alert["text"] == "it is bad"
