"""One UPS over time: since when it is on battery, on mains or unknown, and what that calls for. No I/O, no clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from ..common.nut import Reading, Supply
from ..config.ups import Stage, Ups

ALL, CRITICAL = "all", "critical"
"""Levels beside the texts of stages. Critical: its battery is low, what is left is not to be counted on."""

FLAPS, FLAP_WINDOW_S = 6, 600.0
"""So many changes within so many seconds count as flapping."""


@dataclass(slots=True)
class Watch:
    """What is known of a UPS. Moments are those of the engine's clock.

    ``supply``   what its load lives on; UNKNOWN also while upsd does not answer
    ``since``    when that began; ``battery_since``: when it was last known to go on battery, None once back on mains
    ``problem``  why nothing is known, "" while something is
    """

    supply: Supply = Supply.UNKNOWN
    since: float = 0.0
    battery_since: float | None = None
    reading: Reading | None = None
    read_at: float = 0.0
    problem: str = "not asked yet"
    changes: deque[float] = field(default_factory=lambda: deque(maxlen=FLAPS))

    def saw(self, reading: Reading, now: float) -> bool:
        """Take in what it says; tells whether what its load lives on is another than before."""
        self.reading, self.read_at = reading, now
        self.problem = "; ".join(reading.problems) if reading.supply is Supply.UNKNOWN else ""
        if reading.supply is Supply.BATTERY and self.battery_since is None:
            self.battery_since = now
        elif reading.supply is Supply.MAINS:
            self.battery_since = None
        return self._move(reading.supply, now)

    def lost(self, problem: str, now: float) -> bool:
        """Note that nothing is known now; tells whether something was before."""
        self.reading, self.problem = None, problem
        return self._move(Supply.UNKNOWN, now)

    def _move(self, supply: Supply, now: float) -> bool:
        if supply is self.supply:
            return False
        if Supply.UNKNOWN not in (supply, self.supply):
            self.changes.append(now)
        self.supply, self.since = supply, now
        return True

    def flaps(self, now: float) -> bool:
        return len(self.changes) == FLAPS and now - self.changes[0] <= FLAP_WINDOW_S


@dataclass(frozen=True, slots=True)
class Call:
    """``level``: of ALL, CRITICAL, or a stage's text; ``why``: for people."""

    level: str
    why: str


def calls(ups: Ups, watch: Watch, now: float, needed: float) -> list[Call]:
    """Return what is to go down now, the most urgent first.

    ``needed``  seconds that the shutdown of all its servers takes by its plan
    """
    reading = watch.reading
    if watch.supply is Supply.UNKNOWN or reading is None:
        return _unknown(ups, watch, now)
    if reading.shutdown:
        return [Call(CRITICAL, "upsd announces a forced shutdown")]
    if watch.supply is not Supply.BATTERY:
        return []
    found = [Call(CRITICAL, "its battery is low")] if reading.low else []
    passed = now - (watch.battery_since if watch.battery_since is not None else now)
    runtime, charge = reading.runtime, reading.charge
    if ups.after and passed >= ups.after:
        found.append(Call(ALL, f"on battery for {passed:.0f} s"))
    elif charge is not None and charge < ups.min_charge:
        found.append(Call(ALL, f"charge {charge:.0f} % is below {ups.min_charge:.0f} %"))
    elif runtime is not None and runtime < ups.min_runtime:
        found.append(Call(ALL, f"runtime {runtime:.0f} s is below {ups.min_runtime:.0f} s"))
    elif runtime is not None and needed and runtime < needed + ups.margin:
        found.append(
            Call(ALL, f"runtime {runtime:.0f} s is less than the shutdown takes, {needed:.0f} s, and a margin")
        )
    return found + [Call(stage.text, why) for stage in ups.stages if (why := _is_due(stage, reading, passed))]


def _is_due(stage: Stage, reading: Reading, passed: float) -> str:
    if stage.after is not None and passed >= stage.after:
        return f"on battery for {passed:.0f} s"
    if stage.charge is not None and reading.charge is not None and reading.charge < stage.charge:
        return f"charge {reading.charge:.0f} % is below {stage.charge:.0f} %"
    if stage.runtime is not None and reading.runtime is not None and reading.runtime < stage.runtime:
        return f"runtime {reading.runtime:.0f} s is below {stage.runtime:.0f} s"
    return ""


def _unknown(ups: Ups, watch: Watch, now: float) -> list[Call]:
    passed = now - watch.since
    if passed < ups.lost_after or ups.lost == "tell":
        return []
    if ups.lost == "always":
        return [Call(ALL, f"nothing is known of it for {passed:.0f} s")]
    if watch.battery_since is not None:
        return [Call(ALL, f"nothing is known of it for {passed:.0f} s, and it was on battery")]
    return []


def is_ready(ups: Ups, watch: Watch, now: float) -> bool:
    """Tell whether it can carry its servers again: mains for long enough, and charge for another shutdown."""
    reading = watch.reading
    if watch.supply is not Supply.MAINS or reading is None or reading.low or reading.shutdown:
        return False
    return now - watch.since >= ups.back_for and (reading.charge is None or reading.charge >= ups.restore_charge)


def waits_for(ups: Ups, watch: Watch, now: float) -> str:
    """Return what is missing until it is ready, "" once it is."""
    if is_ready(ups, watch, now):
        return ""
    reading = watch.reading
    if watch.supply is not Supply.MAINS or reading is None:
        return "the mains"
    if now - watch.since < ups.back_for:
        return f"{ups.back_for - (now - watch.since):.0f} s more on mains"
    if reading.charge is not None and reading.charge < ups.restore_charge:
        return f"{ups.restore_charge:.0f} % of charge, it has {reading.charge:.0f} %"
    return "its battery, which is low"


def time_left(ups: Ups, watch: Watch, level: str) -> float:
    """Return within how many seconds its servers have to be down."""
    reading = watch.reading
    limits = [ups.within]
    if reading is not None and reading.runtime is not None:
        limits.append(reading.runtime)
    if level == CRITICAL:
        limits.append(CRITICAL_S)
    return max(LEAST_S, min(limits))


CRITICAL_S = 120.0
"""How long a low battery lasts when nothing better is known."""
LEAST_S = 20.0
