"""The daemon's own process, under the names that Prometheus' client libraries have for it."""

from __future__ import annotations

import os
import resource
import threading
from pathlib import Path

from ...common.metrics import COUNTER, GAUGE, Family

PROC = Path("/proc")
AFTER_NAME = 3
"""Fields of /proc/PID/stat are counted from 1, and the third is the first after the name (proc(5))."""
STARTED, RESIDENT = 22, 24


def process_families() -> list[Family]:
    """Return processor time, threads and, where there is a /proc, memory, open files and the moment of the start."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = Family("process_cpu_seconds", COUNTER, "Processor time that the daemon has used.")
    cpu.count(used.ru_utime + used.ru_stime)
    found = [cpu, _gauge("process_threads", "Threads of the daemon.", threading.active_count())]
    try:
        fields = (PROC / "self/stat").read_text().rpartition(")")[2].split()
        booted = next(line for line in (PROC / "stat").read_text().splitlines() if line.startswith("btime "))
        files = len(os.listdir(PROC / "self/fd"))  # noqa: PTH208 - only how many there are
        resident = int(fields[RESIDENT - AFTER_NAME]) * os.sysconf("SC_PAGE_SIZE")
        started = int(booted.split()[1]) + int(fields[STARTED - AFTER_NAME]) / os.sysconf("SC_CLK_TCK")
    except (OSError, StopIteration):
        return found
    return [
        *found,
        _gauge("process_resident_memory_bytes", "Memory of the daemon.", resident),
        _gauge("process_open_fds", "Files and sockets that the daemon has open.", files),
        _gauge("process_start_time_seconds", "When the daemon started, in seconds since 1970.", started),
    ]


def _gauge(name: str, text: str, value: float) -> Family:
    family = Family(name, GAUGE, text)
    family.add(value)
    return family
