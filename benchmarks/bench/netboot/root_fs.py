"""A root file system over TCP, to one reader and to many, against nginx with sendfile."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median

from ..processes import Process
from ..report import Report, Target
from . import usage
from .loads import MIB, Loads

OURS, NGINX = "ockle", "nginx"
REQUEST = "GET /{} HTTP/1.0\r\n\r\n"


@dataclass(frozen=True)
class Contender:
    """``words``: what a client has to say before it gets the file."""

    name: str
    process: Process
    port: int
    words: str = ""


@dataclass(frozen=True)
class Took:
    mib_s: float
    cpu_s_per_gib: float


SPEED_GOALS = {1: 0.8, 16: 0.9}
CPU_GOALS = {16: 1.6}
GROWTH_MIB = 20.0
"""What a server may have more after 17 clients: nothing that depends on the size of the file."""


def compare(report: Report, loads: Loads, path: Path, contenders: list[Contender], rounds: int) -> None:
    before = {one.name: usage.memory_mb(one.process.popen.pid) for one in contenders}
    for clients in SPEED_GOALS:
        took: dict[str, list[Took]] = {one.name: [] for one in contenders}
        for _ in range(rounds):
            for one in contenders:
                took[one.name].append(once(loads, path, one, clients))
        what = f"{clients} client{'s' if clients > 1 else ''}"
        figures = "; ".join(
            f"{name} {median(one.mib_s for one in found):.0f} MiB/s, "
            f"{median(one.cpu_s_per_gib for one in found):.3f} s/GiB"
            for name, found in took.items()
        )
        report.aimed("root", f"{path.stat().st_size / MIB:.0f} MiB to {what}: {figures}", _targets(clients, what, took))
    grown = {one.name: usage.memory_mb(one.process.popen.pid) - before[one.name] for one in contenders}
    goals = [Target("MiB more", grown[OURS], GROWTH_MIB, at_most=True)] if OURS in grown else []
    report.aimed("memory", "more after the root file systems, in MiB: " + _list(grown), goals)


def once(loads: Loads, path: Path, contender: Contender, clients: int) -> Took:
    pid = contender.process.popen.pid
    before = usage.cpu_s(pid)
    found = loads.tcp(contender.port, clients, path, contender.words)
    return Took(found["bytes"] / MIB / found["seconds"], (usage.cpu_s(pid) - before) / (found["bytes"] / MIB / 1024))


def _list(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.1f}" for name, value in values.items())


def _targets(clients: int, what: str, took: dict[str, list[Took]]) -> list[Target]:
    if OURS not in took or NGINX not in took:
        return []
    pairs = list(zip(took[OURS], took[NGINX], strict=True))
    speed = Target(f"{what}, of nginx's speed", median(a.mib_s / b.mib_s for a, b in pairs), SPEED_GOALS[clients])
    if clients not in CPU_GOALS:
        return [speed]
    cpu = median(a.cpu_s_per_gib / b.cpu_s_per_gib for a, b in pairs)
    return [speed, Target(f"{what}, of nginx's CPU time", cpu, CPU_GOALS[clients], at_most=True)]
