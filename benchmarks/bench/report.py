"""Prints figures, one a line, and remembers whether a limit was broken."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A figure and what it is to be: at least ``limit``, or with ``at_most`` no more."""

    what: str
    value: float
    limit: float
    at_most: bool = False

    @property
    def is_met(self) -> bool:
        return self.value <= self.limit if self.at_most else self.value >= self.limit

    def __str__(self) -> str:
        return f"{self.what} {self.value:.3g} ({'<=' if self.at_most else '>='} {self.limit:g})"


class Report:
    """Prints figures and, when it is to judge them, remembers whether a limit was broken."""

    def __init__(self, *, judge: bool) -> None:
        self._judge = judge
        self.broken = False
        self.targets: list[tuple[str, Target]] = []

    def machine(self) -> None:
        load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
        self.line("machine", f"{os.cpu_count()} CPUs, Python {sys.version.split()[0]}, load {load}")

    def line(self, name: str, text: str) -> None:
        print(f"{name:<9} {text}", flush=True)

    def limited(self, name: str, value: float, limit: float, text: str) -> None:
        within = value <= limit
        verdict = "not judged" if not self._judge else "ok" if within else "BROKEN"
        self.broken |= self._judge and not within
        self.line(name, f"{value:.3f} (limit {limit:g}: {verdict}); {text}")

    def aimed(self, name: str, text: str, targets: Sequence[Target]) -> None:
        """Print a figure with its targets; ``verdict`` sums up what became of them."""
        self.line(name, text)
        for target in targets:
            self.targets.append((name, target))
            verdict = "not judged" if not self._judge else "met" if target.is_met else "NOT MET"
            self.line(name, f"    {target}: {verdict}")

    def verdict(self) -> None:
        """Print how many targets were met, and by name those that were not."""
        missed = [f"{name}: {target}" for name, target in self.targets if not target.is_met]
        self.broken |= self._judge and bool(missed)
        met = f"{len(self.targets) - len(missed)} of {len(self.targets)} met"
        self.line("targets", "; ".join([met, *missed]) if self._judge else f"{len(self.targets)}, not judged")
