"""What a server costs: CPU time and memory of a process and of all that it has started."""

from __future__ import annotations

import os
import re
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """Return the seconds that ``pid``, its threads and its children have run, ended ones included."""
    total = 0.0
    for one in family(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
            own, of_children = (sum(map(int, fields[place : place + 2])) * _TICK_S for place in (11, 13))
            # the ticks know threads that have ended, the scheduler counts in nanoseconds
            total += of_children + max(own, sum(_ran(task) for task in Path(f"/proc/{one}/task").iterdir()))
        except (FileNotFoundError, ProcessLookupError):  # it has just ended, and is counted with its parent
            continue
    return total


def memory_mb(pid: int) -> float:
    """Return the proportional set size of all of them: what they share counts once."""
    total = 0
    for one in family(pid):
        try:
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        total += sum(map(int, re.findall(r"^Pss:\s+(\d+)", text, re.MULTILINE)))
    return total / 1024


def family(pid: int) -> list[int]:
    """Return ``pid`` and all that descend from it."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents.setdefault(parent, []).append(int(stat.parent.name))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found


def _ran(task: Path) -> float:
    return int((task / "schedstat").read_text().split()[0]) / 1e9


def pin(pid: int, cpus: set[int]) -> None:
    """Let ``pid`` and all that it starts run on ``cpus`` only."""
    for one in family(pid):
        for task in Path(f"/proc/{one}/task").iterdir():
            os.sched_setaffinity(int(task.name), cpus)
