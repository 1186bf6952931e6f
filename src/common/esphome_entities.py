"""What an ESPHome device consists of: its switches and sensors, found by the names that people use for them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from .errors import DeviceAnswerError

Value = bool | float | str
Key = tuple[int, int]
"""Sub-device (0: the device itself) and number of an entity."""

AUTO: Final = "auto"
KINDS: Final = {"SwitchInfo": "switch", "SensorInfo": "sensor", "TextSensorInfo": "text_sensor"}
"""Class of the library -> kind."""
SPOKEN: Final = {"switch": "switch", "sensor": "sensor", "text_sensor": "text sensor"}

IN_DATA: Final = {
    "power": ("power_w", {"W": 1.0, "kW": 1000.0, "mW": 0.001}),
    "voltage": ("voltage_v", {"V": 1.0, "mV": 0.001}),
    "current": ("current_a", {"A": 1.0, "mA": 0.001}),
    "energy": ("energy_wh", {"Wh": 1.0, "kWh": 1000.0, "MWh": 1_000_000.0}),
}
"""Device class -> name in ``data``, and unit on the plug -> how many of ours it is."""


@dataclass(frozen=True, slots=True)
class Entity:
    key: Key
    kind: str
    name: str
    object_id: str
    device_class: str = ""
    unit: str = ""

    @property
    def is_uptime(self) -> bool:
        """Whether it tells for how long the device has run; one that falls shows a restart."""
        return self.kind == "sensor" and self.device_class in ("", "duration") and "uptime" in self.object_id

    def in_data(self, value: Value) -> dict[str, float]:
        """Return ``value`` under its name and in its unit of ``data``; empty for what has none, or is not measured."""
        name, units = IN_DATA.get(self.device_class, ("", {}))
        if self.unit not in units or not isinstance(value, int | float) or not math.isfinite(value):
            return {}
        return {name: round(float(value) * units[self.unit], 3)}


class Entities:
    """All of one device. ``friendly_name``: that of the device, which older configurations put before each name."""

    def __init__(self, friendly_name: str, listed: Iterable[Any]) -> None:
        self._friendly = friendly_name
        self._all = {
            (info.device_id, info.key): Entity(
                (info.device_id, info.key),
                KINDS[type(info).__name__],
                info.name,
                info.object_id,
                getattr(info, "device_class", "") or "",
                getattr(info, "unit_of_measurement", "") or "",
            )
            for info in listed
            if type(info).__name__ in KINDS
        }

    def of(self, key: Key) -> Entity | None:
        return self._all.get(key)

    def uptimes(self) -> list[Entity]:
        return [entity for entity in self._all.values() if entity.is_uptime]

    def find(self, kind: str, name: str) -> Entity:
        """Return the entity of ``kind`` that is called so: its name, its object id, or the device's name and its name.

        Raises DeviceAnswerError with the names that there are.
        """
        own = [entity for entity in self._all.values() if entity.kind == kind]
        asked = _plain(name)
        for spelling in (_name, _object_id, self._full_name):
            found = [entity for entity in own if spelling(entity) == asked]
            if len(found) == 1:
                return found[0]
            if found:
                raise DeviceAnswerError(
                    f"{self._friendly} has {len(found)} of {SPOKEN[kind]} {name!r}: give its object id"
                )
        there = ", ".join(sorted(entity.name for entity in own)) or "none"
        raise DeviceAnswerError(f"{self._friendly} has no {SPOKEN[kind]} {name!r}; it has: {there}")

    def sensor(self, kind: str, device_class: str, name: str) -> Entity | None:
        """Return a sensor: by its name, or with "auto" the only one of its class; None where there is none.

        Raises DeviceAnswerError for a name that it does not have.
        """
        if name != AUTO:
            return self.find(kind, name) if name else None
        found = [entity for entity in self._all.values() if (entity.kind, entity.device_class) == (kind, device_class)]
        return found[0] if len(found) == 1 else None

    def _full_name(self, entity: Entity) -> str:
        return _plain(f"{self._friendly} {entity.name}")


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


def _name(entity: Entity) -> str:
    return _plain(entity.name)


def _object_id(entity: Entity) -> str:
    return _plain(entity.object_id)
