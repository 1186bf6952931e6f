"""A daemon on dummies and its channel MQTT, on a loop of its own; the test says what is wrong."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

import own_daemon
from ockle.channels import mqtt_link, mqtt_presence
from ockle.channels.mqtt import MQTT
from ockle.MainDaemon import MainDaemon
from peers_mosquitto import HOST, PASSWORD, USER, Mosquitto

T = TypeVar("T")
PATIENCE_S = 20.0
SERVER = """[server]
dependencies = {needs}
outlets = plug
controls = hand
halt_grace = 0s
protected = {protected}
[plug]
pdu = {strip}
min_off_time = 0s
max_per_minute = 0
[hand]
controller = hand
"""
CHANNEL = """[channel]
type = MQTT
host = {host}
port = {port}
encryption = {encryption}
user = {user}
password = {password}
keepalive = 5s
{more}
"""
FILES = {
    "config.ini": """[main]
state_dir = {state}
poll_interval = 200ms
[plugins]
plugins = CoreCommunicationCommands, EditingCommunicationCommands, AutoControl{plugins}
[plugins.AutoControl]
enabled = false
[plugins.Alerts]
site_name = cellar
base_url = https://ockle.example
look_interval = 100ms
confirm = 0s
settle = 0s
""",
    "outlets/strip.ini": "[pdu]\ntype = Dummy\n",
    "outlets/meter.ini": "[pdu]\ntype = DummyWithCPU\n",
    "controllers/hand.ini": "[controller]\ntype = Dummy\n",
}


def server(*needs: str, protected: bool = False, strip: str = "strip") -> str:
    """Return the file of a server."""
    return SERVER.format(needs=", ".join(f'"{one}"' for one in needs) + ",", protected=protected, strip=strip)


def channel(broker: Mosquitto, more: str = "", port: int = 0) -> str:
    """Return the file of the channel. ``port``: another one than the broker's."""
    more += "" if "timeout" in more else "\ntimeout = 15s"
    encryption = f"tls\nca = {broker.ca}" if broker.ca else "plaintext"
    return CHANNEL.format(
        host=HOST, port=port or broker.port, encryption=encryption, user=USER, password=PASSWORD, more=more
    )


class Running:
    """``alerts`` and ``nodes`` are what the daemon is made to answer to ``getAlerts`` and ``getNodes``."""

    def __init__(self, daemon: MainDaemon) -> None:
        self.daemon = daemon
        self.alerts: list[dict[str, Any]] = []
        self.nodes: list[dict[str, Any]] = []
        add = daemon.communicationHandler.AddCommandToList
        add("getAlerts", lambda data: {"alerts": self.alerts}, role="viewer")
        add("getNodes", lambda data: {"nodes": self.nodes}, role="viewer")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="alerts of the test", daemon=True)
        self._thread.start()
        self.channel: MQTT | None = None

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def open(self) -> MQTT:
        found = self.daemon.site.channels["home"]
        self.channel = MQTT(found.name, found.settings)
        self.call(self.channel.open(self.daemon))
        return self.channel

    def close(self) -> None:
        if self.channel is not None:
            self.call(self.channel.close())
            self.channel = None

    def end(self) -> None:
        self.close()
        self.call(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def happened(self) -> None:
        """Have the channel look again at once, as it does after any event."""
        self.daemon.events.publish("test", "something has happened")


@contextmanager
def running(folder: Path, broker: Mosquitto, servers: dict[str, str], more: str = "") -> Iterator[Running]:
    """Run a daemon without the plugin Alerts; the test opens its channel ``home`` itself."""
    etc = written(folder, broker, servers, more)
    with pytest.MonkeyPatch.context() as patch, own_daemon.running(etc) as daemon:
        hurried(patch)
        site = Running(daemon)
        try:
            yield site
        finally:
            site.end()


def hurried(patch: pytest.MonkeyPatch) -> None:
    """Let no look wait for the one before."""
    patch.setattr(mqtt_presence, "GAP_S", 0.05)
    patch.setattr(mqtt_presence, "SPARE", 1)
    patch.setattr(mqtt_link, "FIRST_PAUSE_S", 0.1)


def written(
    folder: Path, broker: Mosquitto, servers: dict[str, str], more: str = "", plugins: str = "", port: int = 0
) -> Path:
    """Write the files of a site with the channel ``home`` and return its etc."""
    files = {name: text.format(state=folder / "state", plugins=plugins) for name, text in FILES.items()}
    files |= {f"servers/{name}.ini": text for name, text in servers.items()}
    files["channels/home.ini"] = channel(broker, more, port)
    return own_daemon.written(folder / "etc", files)
