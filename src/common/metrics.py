"""Figures for monitoring as data: families of samples, and the counters and histograms that fill them.

The model is Prometheus' own (its documents "Data model" and "Metric types"): a family has a name, a type and a help
text; a sample a suffix to the name, labels and a number. How it is written down is the business of who gives it out.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Sample = tuple[str, dict[str, str], float]
"""Suffix, labels, number."""

GAUGE, COUNTER, HISTOGRAM, STATES = "gauge", "counter", "histogram", "stateset"


@dataclass(slots=True)
class Family:
    """``name`` is without the suffix ``_total`` of a counter.

    ``states``  of a ``stateset``: all that its label ``state`` can say; a sample tells the present one, the others are
                meant to be 0
    """

    name: str
    type: str
    help: str
    samples: list[Sample] = field(default_factory=list)
    states: tuple[str, ...] = ()

    def add(self, value: float, suffix: str = "", **labels: str) -> None:
        self.samples.append((suffix, labels, value))

    def count(self, value: float, **labels: str) -> None:
        """Add a sample of a counter."""
        self.samples.append(("_total", labels, value))

    def observed(self, histogram: Histogram, **labels: str) -> None:
        """Add the samples of a histogram."""
        total = 0
        for edge, count in zip((*map(repr, histogram.edges), "+Inf"), histogram.counts, strict=True):
            total += count
            self.samples.append(("_bucket", {**labels, "le": edge}, total))
        self.samples.append(("_sum", labels, histogram.sum))
        self.samples.append(("_count", labels, total))

    def as_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {"name": self.name, "type": self.type, "help": self.help, "samples": self.samples}
        return {**found, "states": list(self.states)} if self.states else found


class Histogram:
    """How often a value fell at or below each of ``edges``, which rise; the last count is of what lies above all."""

    __slots__ = ("counts", "edges", "sum")

    def __init__(self, edges: Sequence[float]) -> None:
        self.edges = tuple(map(float, edges))
        self.counts = [0] * (len(self.edges) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.edges, value)] += 1
        self.sum += value


LATENCY_EDGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Requests:
    """What became of the commands to one device since it is known. Only for use on the device loop.

    ``counts``     (op, result) -> how many
    ``latency``    seconds from a command's turn to its end, whatever that was
    ``reachable``  whether the last one was answered, be it by a refusal; None: there was none
    """

    __slots__ = ("counts", "latency", "reachable")

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], int] = {}
        self.latency = Histogram(LATENCY_EDGES)
        self.reachable: bool | None = None

    def note(self, op: str, result: str, seconds: float) -> None:
        key = op, result
        self.counts[key] = self.counts.get(key, 0) + 1
        self.latency.observe(seconds)
        self.reachable = result != "unreachable"
