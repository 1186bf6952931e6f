"""Prints figures, one a line, and remembers whether a limit was broken."""

from __future__ import annotations

import os
import sys


class Report:
    """Prints figures and, when it is to judge them, remembers whether a limit was broken."""

    def __init__(self, *, judge: bool) -> None:
        self._judge = judge
        self.broken = False

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
