"""The plugin Alerts with a channel MQTT, whole: what happens while the broker is away arrives later, each once."""

from __future__ import annotations

from pathlib import Path

import pytest

import own_daemon
from mqtt_site import hurried, server, written
from ockle.channels import mqtt_link
from ockle.common.problems import Problem, Severity
from ockle.engine.alerts import post
from peers_mosquitto import PASSWORD, Listener, running
from tcp_gate import gate

pytestmark = pytest.mark.peer


def messages(listener: Listener, kind: str) -> list[str]:
    """Return the ids of the messages of a kind."""
    return [one.json["id"] for one in listener.of("ockle/alerts") if one.json["kind"] == kind]


WRONG = Problem("test/db", "server", Severity.CRITICAL, "server/db", "db has lost a fan", server="db")


def test_alerts_wait_for_a_broker_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hurried(monkeypatch)
    monkeypatch.setattr(post, "BACK_OFF_MOST_S", 0.2)
    monkeypatch.setattr(mqtt_link, "ANSWER_S", 3.0)  # the gate lets in and says nothing
    problems: list[Problem] = []
    with running(tmp_path / "broker") as broker, gate(broker.port) as way:
        etc = written(tmp_path, broker, {"db": server(), "lone": server()}, plugins=", Alerts", port=way.port)
        with own_daemon.running(etc) as daemon:
            daemon.engine.problem_sources.append(lambda: list(problems))
            listener = broker.listen("ockle/#")
            listener.until(lambda: listener.newest("ockle/availability") == "online")
            said = own_daemon.ask(daemon, "testChannel", channel="home")
            assert said["ok"]
            assert "ockle/alerts" in said["text"]
            listener.until(lambda: messages(listener, "test"))

            way.shut()
            broker.kill()
            problems.append(WRONG)
            [alert] = own_daemon.until(lambda: own_daemon.ask(daemon, "getAlerts")["alerts"])
            own_daemon.until(lambda: own_daemon.ask(daemon, "getChannels")["channels"][0]["waiting"])
            broker.start()
            later = broker.listen("ockle/#", "homeassistant/#")
            way.open()  # not before somebody listens: messages are not kept
            later.until(lambda: messages(later, "problem"))
            own_daemon.until(lambda: not own_daemon.ask(daemon, "getChannels")["channels"][0]["waiting"])
            kept = later.json(f"ockle/alert/{alert['id']}")
            assert kept["title"] == alert["title"]
            assert later.json("ockle/server/db", lambda db: db["problem"])["problems"] == [alert["title"]]
            later.until(lambda: later.newest("ockle/availability") == "online")

            problems.clear()
            later.until(lambda: messages(later, "recovery"))
            later.until(lambda: later.newest(f"ockle/alert/{alert['id']}") == "")
            every = [one.json["id"] for one in later.of("ockle/alerts")]
            assert len(set(every)) == len(every) == 2, every
            assert PASSWORD not in str(later.heard)
        later.until(lambda: later.newest("ockle/availability") == "offline")
