"""A lab with plugs, and drivers that are pointed at them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from ockle.agent.settings import WatchSettings, read_settings
from ockle.outlets.esphome import ESPHome
from ockle.simulator.lab import Lab
from ockle.simulator.spec import LabSpec, MachineSpec, PlugSpec

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER_KEY = base64.b64encode(bytes(32)).decode()
SPEED = 0.02


def plug_lab(*plugs: PlugSpec, speed: float = SPEED, **machine: Any) -> Lab:
    """A lab with ``plugs``, by default an encrypted one called ``plug``; the machine ``pi`` hangs on the first."""
    plugs = plugs or (PlugSpec("plug", key=KEY, friendly_name="Sonoff S26"),)
    hardware = MachineSpec("pi", ((plugs[0].name, 1),), **{"watts": 6.0, **machine})
    return Lab(LabSpec(devices=plugs, machines=(hardware,), speed=speed))


def watched(path: Path) -> WatchSettings:
    """What an agent.ini says about a plug, which it has to."""
    watch = read_settings(path).watch
    assert watch is not None
    return watch


def plug_options(lab: Lab, plug: str = "plug", **pdu: Any) -> dict[str, Any]:
    point = lab.endpoints[plug]
    spec = next(device for device in lab.spec.devices if device.name == plug)
    own = {"key": spec.key} if isinstance(spec, PlugSpec) and spec.key else {"encryption": "plaintext"}
    return {"host": point.host, "port": point.ports["esphome"], "timeout": 5.0, **own, **pdu}


def outlet(lab: Lab, plug: str = "plug", pdu: dict[str, Any] | None = None, **params: Any) -> ESPHome:
    return ESPHome("psu", plug_options(lab, plug, **(pdu or {})), {"min_off_time": 0, **params})
