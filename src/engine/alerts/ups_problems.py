"""What is wrong with UPSes, and with what they call for. On the device loop."""

from __future__ import annotations

from collections.abc import Iterator

from ...common.nut import Supply
from ...common.problems import Problem, Severity
from ...config.ups import Ups
from ..ups_keeper import UpsKeeper
from ..ups_watch import Watch, waits_for


def ups_problems(keeper: UpsKeeper, now: float) -> Iterator[Problem]:
    """Yield what each UPS lives on, unless that is the mains, what is wrong with it, and what could not be done."""
    for ups in keeper.feeds.upses.values():
        watch = keeper.seen()[ups.name]
        subject = f"ups/{ups.name}"
        found = _supply(keeper, ups, watch, now)
        if found is not None:
            yield Problem(subject, "ups", found[0], subject, f"UPS {ups.name} {found[1]}")
        elif watch.reading is not None and watch.reading.problems:
            text = f"UPS {ups.name}: {'; '.join(watch.reading.problems)}"
            yield Problem(f"{subject}/health", "ups", Severity.WARNING, subject, text)
    if keeper.trouble:
        text = f"UPS: what should be done cannot be: {keeper.trouble}"
        yield Problem("ups-trouble", "ups", Severity.CRITICAL, "ups", text)


def fed_by(keeper: UpsKeeper) -> dict[str, tuple[str, ...]]:
    """Return the UPSes of each server, for the servers on its PDUs may go dark with it."""
    feeds = keeper.feeds
    servers = {name for ups in feeds.upses.values() for name in feeds.members(ups)}
    return {name: tuple(f"ups/{one}" for one in feeds.of(name)) for name in servers}


def _supply(keeper: UpsKeeper, ups: Ups, watch: Watch, now: float) -> tuple[Severity, str] | None:
    """Return how bad it is, and what."""
    reading = watch.reading
    down = sum(ups.name in keeper.feeds.of(name) for name in keeper.record.down)
    servers = f"{down} server{'s' if down != 1 else ''}"
    took = f"; {servers} down because of it" if down else ""
    if watch.supply is Supply.BATTERY and reading is not None:
        parts = [f"charge {reading.charge:.0f} %"] if reading.charge is not None else []
        parts += [f"runtime {reading.runtime / 60:.0f} min"] if reading.runtime is not None else []
        figures = f" ({', '.join(parts)})" if parts else ""
        fired = keeper.record.fired.get(ups.name)
        severe = bool(fired) or reading.low or reading.shutdown
        return Severity.CRITICAL if severe else Severity.WARNING, f"is on battery{figures}{took}"
    if watch.supply is Supply.UNKNOWN and watch.problem != Watch().problem:  # else it has not been asked yet
        severe = watch.battery_since is not None
        on_battery = ", and it was on battery" if severe else ""
        text = f"is lost{on_battery}: {watch.problem}{took}"
        return Severity.CRITICAL if severe else Severity.WARNING, text
    if down and watch.supply is Supply.MAINS:
        waits = waits_for(ups, watch, now)
        wait = f"wait{'s' if down == 1 else ''}" + (f" for {waits}" if waits else "")
        return Severity.WARNING, f"is back on the mains, and {servers} {wait}"
    return None
