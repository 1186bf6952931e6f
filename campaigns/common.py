"""What campaigns have in common: dice that can be thrown again, a time box, figures with limits, and the verdict."""

from __future__ import annotations

import argparse
import platform
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

GOOD, BROKEN, USAGE = 0, 1, 2
"""Exit codes; argparse has USAGE."""

SHOWN = 20
"""Findings that are printed; one fault may break a promise a thousand times."""


def parser(name: str, doc: str | None, *, seed: int = 1) -> argparse.ArgumentParser:
    """A parser with the options that all campaigns with dice have."""
    made = argparse.ArgumentParser(prog=f"campaigns.{name}", description=doc)
    made.add_argument("--seed", type=int, default=seed, help=f"of the dice (default: {seed}); the same finds the same")
    made.add_argument("--quick", action="store_true", help="a small part of it, within a minute")
    return made


def dice(seed: int, *what: object) -> random.Random:
    """Dice of their own for a part of a campaign: what one part throws does not change another."""
    return random.Random(":".join(map(str, (seed, *what))))


class TimeBox:
    """Real seconds that something may take."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left_s(self) -> float:
        return max(0.0, self._end - time.monotonic())

    @property
    def over(self) -> bool:
        return self.left_s <= 0


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken promise: ``what`` begins with its name (I1 to I13); ``how`` shows it and how to get there again."""

    what: str
    how: str = ""

    def __str__(self) -> str:
        return f"BROKEN: {self.what}" + "".join(f"\n    {line}" for line in self.how.splitlines())


@dataclass
class Report:
    """The figures of one campaign and what it found."""

    name: str
    findings: list[Finding] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)

    def figure(
        self, name: str, value: float | str, unit: str = "", *, least: float | None = None, most: float | None = None
    ) -> None:
        """Print a figure; one beyond its limit is a finding."""
        shown = value if isinstance(value, str) else f"{value:,.0f}" if float(value).is_integer() else f"{value:,.3g}"
        limit = f"at least {least:g}" if least is not None else f"at most {most:g}" if most is not None else ""
        print(f"  {name:48} {shown:>12} {unit:8} {limit}".rstrip(), flush=True)
        if not isinstance(value, str) and (
            (least is not None and value < least) or (most is not None and value > most)
        ):
            self.broken(f"{name}: {shown} {unit}, {limit} was promised")

    def broken(self, what: str, how: str = "") -> None:
        finding = Finding(what, how)
        self.findings.append(finding)
        if len(self.findings) <= SHOWN:
            print(finding, flush=True)

    def end(self) -> int:
        """Print the verdict; return the exit code."""
        took = time.monotonic() - self._began
        print(
            f"{self.name}: {len(self.findings)} broken promises, {took:.0f} s, Python {platform.python_version()}",
            flush=True,
        )
        return BROKEN if self.findings else GOOD

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Say what is being done, and how long it took."""
        began = time.monotonic()
        print(f"-- {name}", flush=True)
        yield
        print(f"   {time.monotonic() - began:.1f} s", flush=True)
