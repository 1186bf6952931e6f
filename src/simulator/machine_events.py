"""What a machine answers at ``/events``: the keys of piman's node server, and what can be wrong with them."""

from __future__ import annotations

import json
import time
import zlib

from .machine import Machine

FLOOD = 10_000


def events(machine: Machine) -> bytes:
    """Return the body of the answer. Figures differ by machine and wander a little with time."""
    match machine.knobs.events:
        case "broken":
            return b'{"cpu_percent": 12.5, "memory_per'
        case "texts":
            return json.dumps({key: str(value) for key, value in _figures(machine).items()}).encode()
        case "flood":
            return json.dumps({f"k{number}": 1 for number in range(FLOOD // 2)}).encode()
    return json.dumps(_figures(machine)).encode()


def _figures(machine: Machine) -> dict[str, float]:
    own, wander, knobs = zlib.crc32(machine.name.encode()), time.time() % 10, machine.knobs
    return {
        "time": time.time(),
        "cpu_percent": max(knobs.cpu_percent, round(5 + own % 20 + wander, 1)),
        "memory_percent": round(20 + own % 37 + wander / 5, 1),
        "disk_percent": max(knobs.disk_percent, round(30 + own % 41 + wander / 100, 1)),
        "num_pids": 80 + own % 60,
        "temp": round(38 + own % 11 + wander / 3, 1),
    }
