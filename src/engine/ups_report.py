"""What a client is told of the UPSes, and what they measure."""

from __future__ import annotations

from typing import Any

from ..common.clock import Clock
from ..common.nut import Supply
from ..config.ups import Ups
from ..store.samples.sample_store import Series
from .sampling import Measured
from .ups_keeper import VIA, UpsKeeper
from .ups_watch import waits_for


def measured(keeper: UpsKeeper) -> dict[Series, Measured]:
    """Return what the UPSes measure now, for the samples."""
    found: dict[Series, Measured] = {}
    for name, watch in keeper.seen().items():
        reading = watch.reading
        if reading is None:
            continue
        figures = {"charge_percent": reading.charge, "runtime_s": reading.runtime, **reading.figures}
        if watch.supply is not Supply.UNKNOWN:
            figures["on_battery"] = float(watch.supply is Supply.BATTERY)
        found |= {
            Series("", VIA, name, key): Measured(value, watch.read_at)
            for key, value in figures.items()
            if value is not None
        }
    return found


def as_dicts(keeper: UpsKeeper, clock: Clock) -> list[dict[str, Any]]:
    """Return the UPSes for a client; on the device loop."""
    return [_as_dict(keeper, ups, clock) for ups in keeper.feeds.upses.values()]


def _as_dict(keeper: UpsKeeper, ups: Ups, clock: Clock) -> dict[str, Any]:
    watch, fired, now = keeper.seen()[ups.name], keeper.record.fired.get(ups.name, {}), clock.now()
    reading = watch.reading
    down = sorted(name for name in keeper.record.down if ups.name in keeper.feeds.of(name))
    return {
        "name": ups.name,
        "comment": ups.comment,
        "host": f"{ups.host}:{ups.port}",
        "supply": watch.supply.value,
        "since": round(clock.wall() - (now - watch.since), 1),
        "status": reading.status if reading else "",
        "charge": reading.charge if reading else None,
        "runtime_s": reading.runtime if reading else None,
        "figures": dict(reading.figures) if reading else {},
        "problem": watch.problem or ("; ".join(reading.problems) if reading else ""),
        "servers": sorted(keeper.feeds.members(ups)),
        "shutdown_s": keeper.feeds.shutdown_s(ups),
        "fired": [f"{level}: {why}" for level, why in fired.items()],
        "down": down,
        "waits_for": waits_for(ups, watch, now) if down or fired else "",
    }
