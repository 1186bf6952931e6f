"""What the channel MQTT says of servers, nodes, alerts and the network: JSON objects. Pure functions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..common.common import OpState
from ..common.problems import Severity

Data = dict[str, Any]

TOLD = frozenset({"open", "acknowledged", "silenced"})
"""States of alerts that are published; a pending one may still turn out to be nothing."""
MOST_AFFECTED = 50
"""So many of what an alert explains are listed; brokers limit the size of messages."""


@dataclass(frozen=True, slots=True)
class Part:
    """What ``status`` does not tell of a server. ``supply``: the word of ``facts.Supply``."""

    power_w: float | None = None
    supply: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """All that is published, as the daemon's commands answered it.

    ``status``  answer of ``status``
    ``parts``   server -> what that does not tell
    ``alerts``  those that have not ended; None: nobody knows
    ``nodes``   answer of ``getNodes``
    ``site``    name of the installation
    ``url``     where the GUI is, "" = not known
    """

    status: Mapping[str, Any]
    parts: Mapping[str, Part] = field(default_factory=dict)
    alerts: list[Data] | None = None
    nodes: list[Data] = field(default_factory=list)
    site: str = ""
    url: str = ""

    @property
    def servers(self) -> Mapping[str, Mapping[str, Any]]:
        servers: Mapping[str, Mapping[str, Any]] = self.status["servers"]
        return servers

    def told(self) -> list[Data]:
        return [alert for alert in self.alerts or () if alert["state"] in TOLD]


def encoded(data: Mapping[str, Any]) -> bytes:
    """Return a payload; in the order of ``data``."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def is_on(state: str, supply: str) -> bool | None:
    """Tell whether a server is on; None: it cannot be said, which is never taken for off.

    While it is switched it is what it was: on until it is proven down, and not on until it serves. What somebody
    forced is judged by its outlets.
    """
    match state:
        case OpState.OK | OpState.SwitchingOff:
            return True
        case OpState.OFF | OpState.SwitchingOn:
            return False
        case OpState.forcedOn | OpState.forcedOff:
            return {"on": True, "off": False}.get(supply)
    return None


def troubled(alerts: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return server -> titles of the alerts that are about it, or that explain what is wrong with it.

    What is only good to know is no problem.
    """
    found: dict[str, dict[str, None]] = {}
    for alert in alerts:
        if alert["severity"] == Severity.INFO:
            continue
        names = {alert.get("server"), *(one.get("server") for one in alert.get("affected") or ())}
        for name in names - {"", None}:
            found.setdefault(name, {})[alert["title"]] = None
    return {name: list(titles) for name, titles in found.items()}


def server_states(look: Look) -> dict[str, Data]:
    """Return what is said of each server."""
    troubles = troubled(look.told())
    return {
        name: _server(name, row, look.parts.get(name, Part()), None if look.alerts is None else troubles.get(name, []))
        for name, row in look.servers.items()
    }


def _server(name: str, row: Mapping[str, Any], part: Part, problems: list[str] | None) -> Data:
    return {
        "name": name,
        "state": row["word"],
        "on": is_on(row["state"], part.supply),
        "why": row["why"],
        "since": _whole(row["since"]),
        "desired": row["desired"],
        "held": row["held"],
        "forced": row["forced"],
        "degraded": row["degraded"],
        "power_w": _tenth(part.power_w),
        "attempts": row["attempts"],
        "run": row["run"],
        "problem": None if problems is None else bool(problems),
        "problems": problems or [],
    }


def network_state(look: Look) -> Data:
    """Return what is said of the network as a whole. ``alerts`` counts those that are open or acknowledged."""
    status = look.status
    powers = [part.power_w for part in look.parts.values() if part.power_w is not None]
    states = [is_on(row["state"], look.parts.get(name, Part()).supply) for name, row in look.servers.items()]
    counted = Counter(alert["severity"] for alert in look.told() if alert["state"] != "silenced")
    alerts = None if look.alerts is None else {severity.value: counted[severity] for severity in Severity}
    return {
        "site": look.site,
        "master": status["master"],
        "safe_mode": status["safe_mode"],
        "store_fault": status["store_fault"],
        "emergency": status["emergency"] is not None,
        "runs": [run["id"] for run in status["runs"]],
        "servers": {"total": len(states), "on": states.count(True), "off": states.count(False)},
        "words": dict(Counter(row["word"] for row in look.servers.values())),
        "power_w": _tenth(sum(powers)) if powers else None,
        "alerts": alerts,
        "problem": None if alerts is None else bool(alerts[Severity.WARNING] or alerts[Severity.CRITICAL]),
    }


def alert_state(alert: Mapping[str, Any]) -> Data:
    """Return what is said of an alert: all of it, of what it explains the first."""
    return {**alert, "affected": list(alert.get("affected") or ())[:MOST_AFFECTED]}


def node_state(node: Mapping[str, Any]) -> Data:
    """Return what is said of a monitored node; figures only while it answers, so that nobody takes old ones for new."""
    said = {key: node.get(key) for key in ("name", "server", "state", "at", "problem")}
    return {**said, "figures": node["figures"] if node["state"] == "up" else {}}


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds)


def _tenth(number: float | None) -> float | None:
    return None if number is None else round(number, 1)
