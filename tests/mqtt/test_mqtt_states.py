"""What a broker has of a real daemon: states, descriptions, availability; all of it, all of it again, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import own_daemon
from mqtt_site import Running, running, server
from ockle.common.alert_message import AlertMessage
from ockle.common.errors import DeviceUnreachable
from ockle.common.problems import Severity
from peers_http import self_signed
from peers_mosquitto import Mosquitto
from peers_mosquitto import running as broker_running

pytestmark = pytest.mark.peer
SERVERS = {"db": server(), "web 1+#": server("db"), "meter": server(strip="meter")}
HOSTILE = "ockle/server/web%201%2B%23"
MESSAGE = AlertMessage("id-1", "problem", Severity.CRITICAL, "db: failed to start", at=1.5, alert=3, servers=("db",))


@pytest.fixture(scope="module")
def site(broker: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("site"), broker, SERVERS) as found:
        found.open()
        yield found


def alert(number: int, state: str = "open") -> dict[str, Any]:
    return {
        "id": number, "state": state, "severity": "critical", "kind": "server", "subject": "server/db", "server": "db",
        "title": "db: failed to start", "affected": [], "affected_count": 0,
    }  # fmt: skip


def test_a_server_is_followed(site: Running, broker: Mosquitto) -> None:
    listener = broker.listen("ockle/#")
    assert listener.json("ockle/server/db", lambda db: db["on"] is False)["state"] == "off"
    own_daemon.ask(site.daemon, "run", action="on", servers=["web 1+#"])
    assert listener.json(HOSTILE, lambda web: web["on"] is True)["name"] == "web 1+#"
    assert listener.json("ockle/server/db")["on"] is True
    assert listener.json("ockle/network", lambda all: all["servers"]["on"] == 2)["site"] == "cellar"
    assert listener.newest("ockle/availability") == "online"
    own_daemon.ask(site.daemon, "run", action="off", servers=["db"])
    listener.json("ockle/server/db", lambda db: db["on"] is False)


def test_everything_is_kept_for_those_who_come_later(site: Running, broker: Mosquitto) -> None:
    kept = broker.listen("ockle/#", "homeassistant/#")
    kept.until(lambda: len(kept.kept()) >= 2 + 3 + 4)
    assert all(one.retained for one in kept.heard if not one.topic.startswith("up/"))
    device = kept.json("homeassistant/device/ockle/web_20_1_2b__23_/config")
    assert device["state_topic"] == HOSTILE
    assert device["device"]["name"] == "web 1+#"
    assert device["device"]["configuration_url"] == "https://ockle.example/server/web%201%2B%23"
    assert "switch" not in device["components"]


def test_what_is_measured_has_a_sensor(site: Running, broker: Mosquitto) -> None:
    listener = broker.listen("homeassistant/#", "ockle/server/meter")
    measured = site.daemon.network.getServernode("meter").power_w()
    assert ("power" in listener.json("homeassistant/device/ockle/meter/config")["components"]) == (measured is not None)


def test_an_alert_is_kept_while_it_is_open(site: Running, broker: Mosquitto) -> None:
    listener = broker.listen("ockle/alert/+", "ockle/server/db", "ockle/network")
    site.alerts[:] = [alert(3), alert(4, "pending")]
    site.happened()
    assert listener.json("ockle/alert/3")["title"] == "db: failed to start"
    assert listener.json("ockle/server/db", lambda db: db["problem"])["problems"] == ["db: failed to start"]
    assert listener.json("ockle/network", lambda all: all["problem"])["alerts"]["critical"] == 1
    site.alerts[:] = []
    site.happened()
    listener.until(lambda: listener.newest("ockle/alert/3") == "")
    assert not listener.of("ockle/alert/4")
    listener.json("ockle/server/db", lambda db: db["problem"] is False)


def test_the_figures_of_machines(site: Running, broker: Mosquitto) -> None:
    listener = broker.listen("ockle/node/#", "homeassistant/#")
    node = {"name": "db", "server": "db", "state": "up", "at": 5.0, "problem": "", "figures": {"cpu_percent": 12.5}}
    site.nodes[:] = [node, {**node, "name": "a/b", "server": ""}]
    site.happened()
    assert listener.json("ockle/node/db") == node
    assert listener.json("ockle/node/a%2Fb")["name"] == "a/b"
    of_server = listener.json(
        "homeassistant/device/ockle/db/config", lambda db: "node_db_cpu_percent" in db["components"]
    )
    assert of_server["components"]["node_db_cpu_percent"]["state_topic"] == "ockle/node/db"
    alone = listener.json("homeassistant/device/ockle/_node_a_2f_b/config")
    assert alone["device"]["name"] == "a/b"
    site.nodes[:] = []
    site.happened()
    listener.until(lambda: not [topic for topic in listener.kept() if "node" in topic])
    listener.json("homeassistant/device/ockle/db/config", lambda db: "node_db_cpu_percent" not in db["components"])


def test_a_message_is_published_as_it_is(site: Running, broker: Mosquitto) -> None:
    listener = broker.listen("ockle/alerts")
    assert site.channel is not None
    assert "ockle/alerts" in site.call(site.channel.send(MESSAGE))
    [found] = listener.until(lambda: listener.of("ockle/alerts"))
    assert (AlertMessage.of_dict(found.json), found.retained) == (MESSAGE, False)


def test_home_assistant_gets_all_of_it_again_when_it_has_started(site: Running, broker: Mosquitto) -> None:
    listener = broker.listen("ockle/server/db", "homeassistant/device/#")
    topics = ["ockle/server/db", "homeassistant/device/ockle/db/config"]
    listener.until(lambda: all(listener.of(topic) for topic in topics))
    broker.publish("homeassistant/status", "online")
    listener.until(lambda: not any(listener.of(topic)[-1].retained for topic in topics))


def test_what_is_no_more_is_removed(tmp_path: Path) -> None:
    with broker_running(tmp_path / "broker") as broker:
        listener = broker.listen("ockle/#", "homeassistant/#")
        with running(tmp_path / "one", broker, {"old": server(), "db": server()}, "commands = true") as site:
            site.open()
            listener.json("homeassistant/device/ockle/old/config")
            listener.until(lambda: "online" in listener.kept().values())
            assert "switch" in listener.json("homeassistant/device/ockle/db/config")["components"]
        assert listener.until(lambda: listener.kept().get("ockle/availability")) == "offline"
        broker.publish("homeassistant/device/other/old/config", "{}", retain=True)
        with running(tmp_path / "two", broker, {"db": server()}) as site:
            site.open()
            listener.until(
                lambda: not {"ockle/server/old", "homeassistant/device/ockle/old/config"} & {*listener.kept()}
            )
            described = [one.json["components"] for one in listener.of("homeassistant/device/ockle/db/config")]
            assert [one.get("switch") for one in described[-2:]] == [{"platform": "switch"}, None]
            assert "homeassistant/device/other/old/config" in listener.kept()
        with running(tmp_path / "three", broker, {"db": server()}, "discovery = false") as site:
            site.open()
            listener.until(lambda: not [one for one in listener.kept() if "device/ockle" in one])


def test_a_broker_that_was_away_has_everything_again(tmp_path: Path) -> None:
    with (
        broker_running(tmp_path / "broker") as broker,
        running(tmp_path / "site", broker, {"db": server()}, "timeout = 300ms") as site,
    ):
        listener = broker.listen("ockle/#", "homeassistant/#")
        site.open()
        listener.until(lambda: listener.kept().get("ockle/availability") == "online")
        before = {topic: json.loads(text) for topic, text in listener.kept().items() if text[0] == "{"}
        broker.kill()
        assert site.channel is not None
        with pytest.raises(DeviceUnreachable):
            site.call(site.channel.send(MESSAGE))
        broker.start()
        later = broker.listen("ockle/#", "homeassistant/#")
        later.until(lambda: later.kept().get("ockle/availability") == "online")
        assert {topic: json.loads(text) for topic, text in later.kept().items() if text[0] == "{"} == before
        site.call(site.channel.send(MESSAGE))
        later.until(lambda: later.of("ockle/alerts"))
        assert len(later.of("ockle/alerts")) == 1


def test_encrypted_and_exactly_once(tmp_path: Path) -> None:
    self_signed(tmp_path)
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    with (
        broker_running(tmp_path / "broker", files) as broker,
        running(tmp_path / "site", broker, {"db": server()}, "qos = 2\ntopic = home/two words") as site,
    ):
        listener = broker.listen("home/#")
        channel = site.open()
        assert "home/two words/alerts" in str(site.call(channel.send(MESSAGE)))
        listener.until(lambda: listener.of("home/two words/alerts"))
        assert listener.json("home/two words/server/db")["name"] == "db"
        listener.until(lambda: listener.newest("home/two words/availability") == "online")


def test_a_channel_that_is_disabled_sends_its_test_and_no_more(tmp_path: Path) -> None:
    with (
        broker_running(tmp_path / "broker") as broker,
        running(tmp_path / "site", broker, {"db": server()}, "enabled = false\ncommands = true") as site,
    ):
        listener = broker.listen("ockle/#", "homeassistant/#")
        channel = site.open()
        site.call(channel.send(MESSAGE))
        broker.publish("ockle/server/db/set", "ON")
        site.happened()
        site.call(channel.send(MESSAGE))
        site.close()
        listener.until(lambda: len(listener.of("ockle/alerts")) == 2)
        assert {one.topic for one in listener.heard} == {"ockle/alerts", "ockle/server/db/set", "up/listener"}
        assert own_daemon.ask(site.daemon, "runs")["runs"] == []
