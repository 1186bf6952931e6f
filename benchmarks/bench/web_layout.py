"""How long it takes to lay a network out, against networkx finding its generations: the same graph, the same run."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import networkx

from ockle.webserver.layout.arrange import arrange
from ockle.webserver.layout.topology import Topology

from .dag import layered
from .report import Report

LIMITS = {10: 800, 100: 600, 1_000: 500, 5_000: 450}
"""Servers -> the greatest ratio that is good enough."""
LAYERS = 8
SEED = 4
REPETITIONS = 5
LEAST_S = 0.02
"""What is done in less time than this is done again and again, until it has taken as long."""


def measure(report: Report, quick: bool) -> None:
    """Report the ratio for each number of servers; the sides alternate, and medians of CPU time are compared."""
    for servers, limit in LIMITS.items():
        if quick and servers > 100:
            continue
        needs = layered(servers, min(LAYERS, servers // 3), SEED)
        graph: networkx.DiGraph[str] = networkx.DiGraph(
            (needed, name) for name, wanted in needs.items() for needed in wanted
        )
        ours, theirs = [], []
        for _ in range(1 if quick else REPETITIONS):
            ours.append(_seconds(lambda: arrange(Topology.of(needs))))  # noqa: B023 - called at once
            theirs.append(_seconds(lambda: list(networkx.topological_generations(graph))))  # noqa: B023
        took, peer = median(ours), median(theirs)
        layout = arrange(Topology.of(needs))
        text = f"{servers} servers, {len(layout.routes)} lines: {took * 1e3:.1f} ms, generations {peer * 1e3:.2f} ms"
        report.limited("layout", took / peer, limit, text)


def _seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of one time of ``work``."""
    runs = 0
    began = now = time.process_time()
    while now - began < LEAST_S:
        work()
        runs += 1
        now = time.process_time()
    return (now - began) / runs
