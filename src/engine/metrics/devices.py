"""What monitoring is told of each device: whether it answers, what it was asked, and how long that took."""

from __future__ import annotations

from ...common.metrics import COUNTER, GAUGE, HISTOGRAM, Family, Requests
from ...networkTree.ServerNode import ServerNode


class DeviceFamilies:
    """Takes one server after the other, on the device loop; each device counts once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[Requests, bool]] = {}  # kind and name -> and whether it is one machine

    def take(self, node: ServerNode) -> None:
        for part in node.parts():
            key = part.KIND, part.device.name
            if key not in self._known:
                # a control or a test without an address of its own reaches another machine for each server
                self._known[key] = part.device.requests, part.KIND == "outlets" or "host" in part.settings

    def families(self) -> list[Family]:
        up = Family("ockle_device_up", GAUGE, "1 if a device answered the last time, be it with a refusal.")
        asked = Family("ockle_device_requests", COUNTER, "Commands to a device, by what became of them.")
        latency = Family("ockle_device_latency_seconds", HISTOGRAM, "How long a device took for a command.")
        for (kind, name), (requests, one_machine) in self._known.items():
            if one_machine and requests.reachable is not None:
                up.add(int(requests.reachable), device=name, kind=kind)
            for (op, result), count in requests.counts.items():
                asked.count(count, device=name, kind=kind, op=op, result=result)
            if requests.counts:
                latency.observed(requests.latency, device=name, kind=kind)
        return [up, asked, latency]
