"""DHCP: exchanges per second, each server started anew for each round, so that all of them know nobody."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from ..report import Report, Target
from . import usage
from .servers import Site, Start

OURS, DNSMASQ, DNSMASQ_RO, KEA = "ockle", "dnsmasq", "dnsmasq without lease file", "kea"
FIRST = 1000
"""Number of the first client; lower ones are asked for to see that a server is up, and until it has run in."""
RUN_IN = 200


@dataclass(frozen=True)
class Case:
    what: str
    way: str
    clients: int
    in_flight: int
    rounds: int
    goals: dict[str, float] = field(default_factory=dict)


CASES = (
    Case(
        "through a relay, 2000 clients, 32 at a time", "relay", 2000, 32, 3, {DNSMASQ: 8.0, DNSMASQ_RO: 1.0, KEA: 0.7}
    ),
    # Kea answers to the client's card alone, which these clients do not have; and dnsmasq, which writes its whole lease
    # file for each lease, takes minutes
    Case("by broadcast, 2000 clients, 32 at a time", "broadcast", 2000, 32, 3, {DNSMASQ_RO: 1.0}),
    Case("through a relay, 20000 clients, 64 at a time", "relay", 20_000, 64, 2, {DNSMASQ_RO: 2.0}),
)
QUICK = (Case("through a relay, 50 clients, 4 at a time", "relay", 50, 4, 1, {DNSMASQ: 8.0}),)
CPU_GOAL_S = 0.1


@dataclass(frozen=True)
class Took:
    per_s: float
    cpu_s_per_1000: float


def compare(report: Report, site: Site, starts: Mapping[str, Start], cases: tuple[Case, ...]) -> None:
    for case in cases:
        took: dict[str, list[Took]] = {name: [] for name in starts if name == OURS or name in case.goals}
        for _ in range(case.rounds):
            for name, found in took.items():
                found.append(once(site, starts[name], case))
        report.aimed("dhcp", f"{case.what}: {_figures(took)}", _targets(case, took))


def once(site: Site, start: Start, case: Case) -> Took:
    with (
        tempfile.TemporaryDirectory(dir=site.scratch) as scratch,
        start(replace(site, scratch=Path(scratch))) as server,
    ):
        site.loads.dhcp(case.way, FIRST - RUN_IN, RUN_IN, case.in_flight)
        before = usage.cpu_s(server.popen.pid)
        found = site.loads.dhcp(case.way, FIRST, case.clients, case.in_flight)
        cpu_s = usage.cpu_s(server.popen.pid) - before
    return Took(case.clients / found["seconds"], cpu_s / case.clients * 1000)


def _figures(took: dict[str, list[Took]]) -> str:
    return "; ".join(
        f"{name} {median(one.per_s for one in found):.0f}/s, "
        f"{median(one.cpu_s_per_1000 for one in found):.3f} s of CPU per 1000"
        for name, found in took.items()
    )


def _targets(case: Case, took: dict[str, list[Took]]) -> list[Target]:
    if OURS not in took:
        return []
    pairs = {peer: zip(took[OURS], took[peer], strict=True) for peer in case.goals if peer in took}
    found = [
        Target(f"{case.what}, of {peer}", median(ours.per_s / its.per_s for ours, its in pair), case.goals[peer])
        for peer, pair in pairs.items()
    ]
    cpu = median(one.cpu_s_per_1000 for one in took[OURS])
    return [*found, Target(f"{case.what}, s of CPU per 1000", cpu, CPU_GOAL_S, at_most=True)]
