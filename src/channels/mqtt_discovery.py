"""Home Assistant's MQTT discovery: one device per server and one for the network, each described by one message.

Pure functions. Source: home-assistant.io, integration MQTT, "Device discovery payload" (since Home Assistant 2024.11),
and the pages of its platforms binary_sensor, sensor and switch.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from .. import __version__
from .mqtt_payloads import Look
from .mqtt_topics import Topics, object_id

Data = dict[str, Any]
Components = dict[str, Data]

ON, OFF = "ON", "OFF"
UNKNOWN = "None"
"""What every platform takes for "not known"."""
FIGURES = {"cpu_percent": "CPU", "memory_percent": "Memory", "disk_percent": "Disk", "num_pids": "Processes"}
"""Figures of a monitored node that get a sensor each, whether it says them now or not."""
KEPT = "power"
"""The component that stays once it was there: what measures may not have been read yet since the daemon started."""


@dataclass(frozen=True, slots=True)
class Home:
    """What all descriptions have in common.

    ``commands``  servers can be switched from there
    """

    topics: Topics
    qos: int = 1
    commands: bool = False

    def device(self, identifier: str, name: str, state_topic: str, components: Components, url: str = "") -> Data:
        """Return the description of a device. Its components read ``state_topic``; ``url`` shows more of it."""
        unique = f"{self.topics.node_id}_{identifier}"
        model = next((model for start, model in _MODELS.items() if identifier.startswith(start)), "Server")
        device = {"identifiers": [unique], "name": name, "manufacturer": "Ockle", "model": model}
        if identifier != NETWORK:
            device["via_device"] = f"{self.topics.node_id}_{NETWORK}"
        if url:
            device["configuration_url"] = url
        return {
            "device": device,
            "origin": {"name": "Ockle", "sw_version": __version__},
            "availability_topic": self.topics.availability,
            "state_topic": state_topic,
            "qos": self.qos,
            "components": {key: {**one, "unique_id": f"{unique}_{key}"} for key, one in components.items()},
        }


NETWORK = "_network"
"""Identifier of the network's device; no server has it, as ``object_id`` gives no such text."""
_MODELS = {NETWORK: "Network", "_node_": "Node"}


def server_id(name: str) -> str:
    """Return the identifier of a server's device."""
    return object_id(name)


def node_id(name: str) -> str:
    """Return the identifier of the device of a node that is no server's; no server has the same."""
    return f"_node_{object_id(name)}"


def devices(home: Home, look: Look, measured: Collection[str]) -> dict[str, Data]:
    """Return discovery topic -> description, the network's first: the others name it.

    ``measured``  the servers of which something measures the power
    """
    topics = home.topics
    title = f"Ockle {look.site}".rstrip()
    described = {
        topics.device(NETWORK): home.device(NETWORK, title, topics.network, network_components(topics), look.url)
    }
    servers = {name: server_components(home, name, power=name in measured) for name in look.servers}
    for node in look.nodes:
        name, components = node["name"], _node_components(home, node["name"])
        if node["server"] in servers:
            servers[node["server"]] |= components
        else:
            described[topics.device(node_id(name))] = home.device(
                node_id(name), name, topics.node(name), components, look.url
            )
    for name, components in servers.items():
        url = f"{look.url.rstrip('/')}/server/{quote(name, safe='')}" if look.url else ""
        described[topics.device(server_id(name))] = home.device(
            server_id(name), name, topics.server(name), components, url
        )
    return described


def server_components(home: Home, name: str, *, power: bool) -> Components:
    """Return the components of a server's device."""
    found = {
        "running": _binary("Running", "running", "on"),
        "problem": _binary("Problem", "problem", "problem"),
        "state": {
            "platform": "sensor",
            "name": "State",
            "icon": "mdi:server",
            "value_template": "{{ value_json.state }}",
            "json_attributes_topic": home.topics.server(name),
        },
    }
    if power:
        found[KEPT] = _power()
    if home.commands:
        found["switch"] = {
            "platform": "switch",
            "name": None,
            "device_class": "switch",
            "command_topic": home.topics.command(name),
            "value_template": _on_off("on"),
            "payload_on": ON,
            "payload_off": OFF,
            "optimistic": False,
            "retain": False,
        }
    return found


def network_components(topics: Topics) -> Components:
    """Return the components of the network's device."""
    return {
        "problem": _binary("Problem", "problem", "problem"),
        "emergency": _binary("Emergency", "problem", "emergency"),
        "alerts": {
            "platform": "sensor",
            "name": "Open alerts",
            "icon": "mdi:alert",
            "state_class": "measurement",
            "value_template": "{{ value_json.alerts.values() | sum if value_json.alerts else 'None' }}",
            "json_attributes_topic": topics.network,
        },
        "servers_on": {
            "platform": "sensor",
            "name": "Servers on",
            "icon": "mdi:server-network",
            "state_class": "measurement",
            "value_template": "{{ value_json.servers.on }}",
        },
        "power": _power(),
    }


def _node_components(home: Home, name: str) -> Components:
    return {
        f"node_{object_id(name)}_{key}": {
            "platform": "sensor",
            "name": title,
            "state_class": "measurement",
            "state_topic": home.topics.node(name),
            "value_template": f"{{{{ value_json.figures.{key} | default('None') }}}}",
            **({"unit_of_measurement": "%"} if key.endswith("_percent") else {}),
        }
        for key, title in FIGURES.items()
    }


def _binary(name: str, device_class: str, key: str) -> Data:
    return {
        "platform": "binary_sensor",
        "name": name,
        "device_class": device_class,
        "value_template": _on_off(key),
        "payload_on": ON,
        "payload_off": OFF,
    }


def _power() -> Data:
    return {
        "platform": "sensor",
        "name": "Power",
        "device_class": "power",
        "state_class": "measurement",
        "unit_of_measurement": "W",
        "value_template": "{{ value_json.power_w }}",
    }


def _on_off(key: str) -> str:
    """Return the template for a value that is true, false or null."""
    return f"{{{{ '{UNKNOWN}' if value_json.{key} is none else '{ON}' if value_json.{key} else '{OFF}' }}}}"


# -- what an earlier description had


def components_of(payload: bytes) -> dict[str, str]:
    """Return component -> platform of a description that was found on the broker; nothing if it is none."""
    try:
        components = json.loads(payload)["components"]
        return {str(key): str(one["platform"]) for key, one in components.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def parting(description: Mapping[str, Any], gone: Mapping[str, str]) -> Data:
    """Return ``description`` as it has to be sent once so that Home Assistant forgets the components ``gone``.

    A component is removed by a description in which nothing is left of it but its platform. They come first: Home
    Assistant 2024.11 stops reading at a component that it is still busy with.
    """
    left = {key: {"platform": platform} for key, platform in gone.items()}
    return {**description, "components": {**left, **description["components"]}}
