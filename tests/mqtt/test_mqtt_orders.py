"""Switching by MQTT: what is carried out, what needs a person, and what must never switch anything."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import own_daemon
from mqtt_site import Running, running, server
from ockle.channels.mqtt_topics import level
from peers_mosquitto import HOST, Listener, Mosquitto
from peers_mosquitto import running as broker_running

pytestmark = pytest.mark.peer
SERVERS = {"db": server(), "web": server("db"), "safe": server(protected=True), "lone": server(), "n1": server()}


@pytest.fixture(scope="module")
def site(broker: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("site"), broker, SERVERS, "commands = true") as found:
        listener = broker.listen("ockle/availability")
        found.open()
        listener.until(lambda: listener.newest("ockle/availability") == "online")
        yield found


def runs(site: Running) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = own_daemon.ask(site.daemon, "runs")["runs"]
    return found


def audited(site: Running) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = own_daemon.ask(site.daemon, "audit", who="mqtt")["entries"]
    return found


def told(broker: Mosquitto, name: str, payload: str) -> tuple[dict[str, Any], Listener]:
    """Send a command and return its result."""
    listener = broker.listen(f"ockle/server/{name}/result", "ockle/server/+")
    broker.publish(f"ockle/server/{name}/set", payload)
    return listener.json(f"ockle/server/{name}/result"), listener


def test_a_server_is_switched_with_what_it_needs(site: Running, broker: Mosquitto) -> None:
    result, listener = told(broker, "web", "ON")
    assert (result["ok"], result["command"], result["server"]) == (True, "ON", "web")
    for name in ("db", "web"):
        listener.json(f"ockle/server/{name}", lambda one: one["on"] is True)
    [run] = [one for one in runs(site) if one["id"] == result["run"]]
    assert (run["who"], run["via"]) == ("mqtt", "mqtt")
    assert [(one["command"], one["result"]) for one in audited(site)][:1] == [("run", "ok")]

    refused, _ = told(broker, "db", "OFF")
    assert not refused["ok"]
    assert "web" in refused["text"]
    assert audited(site)[0]["result"] == "refused"
    assert own_daemon.ask(site.daemon, "status")["servers"]["db"]["word"] == "on"

    again, _ = told(broker, "web", "ON")
    assert (again["ok"], again["run"]) == (True, None)
    off, listener = told(broker, "web", "OFF")
    assert off["ok"]
    listener.json("ockle/server/web", lambda one: one["on"] is False)


def test_what_is_protected_needs_a_person(site: Running, broker: Mosquitto) -> None:
    on, listener = told(broker, "safe", "ON")
    assert on["ok"]
    listener.json("ockle/server/safe", lambda one: one["on"] is True)
    off, _ = told(broker, "safe", "OFF")
    assert not off["ok"]
    assert "protected" in off["text"]
    assert own_daemon.ask(site.daemon, "status")["servers"]["safe"]["word"] == "on"


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("lone", "TOGGLE"),
        ("lone", "on"),
        ("lone", "ON\n"),
        ("lone", "x" * 100),
        ("all", "ON"),
        ("web[1-4]", "ON"),
        ("n[1-1]", "ON"),
        ("nobody", "ON"),
    ],
)
def test_anything_else_is_refused(site: Running, broker: Mosquitto, name: str, payload: str) -> None:
    before = len(runs(site))
    result, _ = told(broker, level(name), payload)
    assert (result["ok"], result["run"]) == (False, None)
    assert len(runs(site)) == before


def test_a_kept_command_switches_nothing_at_any_connection(tmp_path: Path) -> None:
    with (
        broker_running(tmp_path / "broker") as broker,
        running(tmp_path / "site", broker, {"lone": server()}, "commands = true") as site,
    ):
        broker.publish("ockle/server/lone/set", "ON", retain=True)
        listener = broker.listen("ockle/server/lone/result", "ockle/availability")
        results: list[int] = []

        def refused_once_more() -> bool:
            return len(listener.of("ockle/server/lone/result")) > len(results)

        for _ in range(2):
            site.open()
            listener.until(refused_once_more)
            results.append(1)
            listener.until(lambda: listener.newest("ockle/availability") == "online")
            site.close()
        result = listener.of("ockle/server/lone/result")[-1].json
        assert (result["ok"], result["run"]) == (False, None)
        assert runs(site) == []


def packet(topic: str, payload: bytes) -> bytes:
    """Return a PUBLISH of QoS 0 (MQTT 3.1.1, section 3.3)."""
    name = topic.encode()
    return bytes((0x30, 2 + len(name) + len(payload), 0, len(name))) + name + payload


@pytest.mark.parametrize("obeys", [True, False])
def test_a_broker_that_sends_what_nobody_asked_for(tmp_path: Path, obeys: bool) -> None:
    order = packet("ockle/server/lone/set", b"ON")
    with socket.create_server((HOST, 0)) as listening:
        broker = Mosquitto(tmp_path, listening.getsockname()[1])
        listening.settimeout(20)
        with running(tmp_path / "site", broker, {"lone": server()}, f"commands = {obeys}") as site:
            site.open()
            connection, _ = listening.accept()
            with connection:
                connection.settimeout(20)
                connection.recv(4096)
                connection.sendall(b"\x20\x02\x00\x00" + order)  # CONNACK, and the command at once
                if obeys:
                    own_daemon.until(lambda: runs(site))
                else:
                    connection.recv(4096)
                    connection.sendall(order + b"\xd0\x00" * 3)  # PINGRESP, also unasked
                    connection.sendall(b"\x00\x00")  # nothing that MQTT knows: the connection ends, all before is read
                    while connection.recv(4096):
                        pass
                    assert runs(site) == []


def documented_access() -> str:
    """Return the access list that the how-to shows."""
    text = (Path(__file__).parents[2] / "docs/home-assistant.md").read_text()
    found = re.search(r"```\n(user ockle\n.*?)```", text, re.DOTALL)
    assert found
    return found[1]


def test_the_documented_access_list_is_enough(tmp_path: Path) -> None:
    with (
        broker_running(tmp_path / "broker", access=documented_access()) as broker,
        running(tmp_path / "site", broker, {"lone": server()}, "commands = true") as site,
    ):
        listener = broker.listen("ockle/#", "homeassistant/#")
        site.open()
        listener.until(lambda: listener.newest("ockle/availability") == "online")
        listener.json("homeassistant/device/ockle/lone/config")
        result, _ = told(broker, "lone", "ON")
        assert result["ok"]
