"""What this machine measures of itself. A gauge that hangs, a dead network disk for one, holds up nobody else."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psutil

Figures = Mapping[str, Any]

FRESH_S = 1.0
"""What is not older is not measured again."""
PATIENCE_S = 2.0
"""How long an answer waits for a gauge, once; while that still hangs nobody waits for it again."""
TEMPERATURES = ("cpu_thermal", "cpu-thermal", "coretemp", "k10temp", "zenpower", "soc_thermal", "acpitz")
"""Names of the kernel's sensors that tell the processor's temperature, the best first."""


class Gauge:
    """Something to measure, in a thread of its own, of which there is one at a time."""

    def __init__(self, name: str, measure: Callable[[], Figures]) -> None:
        self.name = name
        self._measure = measure
        self._state = threading.Condition()
        self._begun: float | None = None  # None = it is not at work
        self._at = -math.inf
        self._figures: Figures = {}

    def begin(self) -> None:
        """Measure, unless that is being done or was just done."""
        with self._state:
            if self._begun is not None or time.monotonic() - self._at < FRESH_S:
                return
            self._begun = time.monotonic()
        threading.Thread(target=self._work, name=f"gauge {self.name}", daemon=True).start()

    def _work(self) -> None:
        figures: Figures = {}
        try:
            figures = self._measure()
        except (OSError, psutil.Error):  # what is not there is not measured
            pass
        finally:
            with self._state:
                self._figures, self._at, self._begun = figures, time.monotonic(), None
                self._state.notify_all()

    def read(self) -> Figures | None:
        """Return the figures once they are there, None when they do not come within PATIENCE_S."""
        with self._state:
            if self._begun is not None:
                left = self._begun + PATIENCE_S - time.monotonic()
                self._state.wait_for(lambda: self._begun is None, max(left, 0.0))
            return None if self._begun is not None else self._figures


class Load:
    """The processor's load since it was asked last."""

    def __init__(self) -> None:
        self._before = psutil.cpu_times()

    def measure(self) -> Figures:
        before, self._before = self._before, psutil.cpu_times()
        load = busy_percent(before._asdict(), self._before._asdict())
        return {} if load is None else {"cpu_percent": load}


def busy_percent(before: Mapping[str, float], after: Mapping[str, float]) -> float | None:
    """Return the part of the time between two looks at /proc/stat that was not idle; None for too short a time.

    Time of guests is in that of the user, too, and does not count twice (proc(5)).
    """
    spent = {name: max(after[name] - before[name], 0.0) for name in after if name not in ("guest", "guest_nice")}
    whole = sum(spent.values())
    idle = spent.get("idle", 0.0) + spent.get("iowait", 0.0)
    return round(100 * (whole - idle) / whole, 1) if whole > 0 else None


def memory() -> Figures:
    figures: dict[str, Any] = {"memory_percent": psutil.virtual_memory().percent}
    swap = psutil.swap_memory()
    return figures | {"swap_percent": swap.percent} if swap.total else figures


def processes() -> Figures:
    loads = zip(("load_1m", "load_5m", "load_15m"), psutil.getloadavg(), strict=True)
    return {
        "num_pids": len(psutil.pids()),
        "num_cpus": psutil.cpu_count() or 1,
        "uptime_s": round(time.clock_gettime(time.CLOCK_BOOTTIME)),
        **{name: round(load, 2) for name, load in loads},
    }


def temperature() -> Figures:
    found = psutil.sensors_temperatures()
    named = next((found[name] for name in TEMPERATURES if found.get(name)), None)
    values = [one.current for one in named or [one for some in found.values() for one in some]]
    return {"temp": round(max(values), 1)} if values else {}


def disk(path: str) -> Callable[[], Figures]:
    return lambda: {"disks": {path: psutil.disk_usage(path).percent}}


class Gauges:
    """All gauges of this machine. ``disks``: folders of the file systems that are looked at."""

    def __init__(self, disks: Sequence[str]) -> None:
        self._gauges = [
            Gauge("cpu", Load().measure),
            Gauge("memory", memory),
            Gauge("processes", processes),
            Gauge("temperature", temperature),
            *(Gauge(f"disk {path}", disk(path)) for path in disks),
        ]

    def read(self) -> dict[str, Any]:
        """Return what is sent to whoever asks; it takes PATIENCE_S at most. From any thread.

        ``time`` is in seconds since 1970, percentages are from 0 to 100, ``temp`` is in degrees Celsius.
        ``disk_percent`` is that of the fullest of ``disks``. ``hanging`` counts the gauges that do not come to an end,
        and ``not_measured`` names them.
        """
        for gauge in self._gauges:
            gauge.begin()
        answer: dict[str, Any] = {"time": round(time.time(), 3)}
        disks: dict[str, float] = {}
        hanging = []
        for gauge in self._gauges:
            figures = gauge.read()
            if figures is None:
                hanging.append(gauge.name)
                continue
            answer |= figures
            disks |= figures.get("disks", {})
        if disks:
            answer |= {"disk_percent": max(disks.values()), "disks": disks}
        return answer | {"hanging": len(hanging), "not_measured": hanging}
