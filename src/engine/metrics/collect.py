"""Collects all that monitoring is told, without holding up the device loop."""

from __future__ import annotations

import asyncio
import logging
import platform
from collections.abc import Iterator

from ... import __version__
from ...common.metrics import GAUGE, Family
from ..engine import Engine
from .devices import DeviceFamilies
from .meters import meter_families
from .servers import ServerFamilies

log = logging.getLogger(__name__)

SLICE = 50
"""So many servers are looked at in one go: it takes less than a millisecond or two."""


async def collect(engine: Engine) -> list[Family]:
    """Return all families, on the device loop.

    Between slices of servers others have their turn, so the servers are not all seen at the same moment. Cost:
    O(servers and their parts).
    """
    servers = ServerFamilies(engine.core.clock.now(), engine.settings.fresh_for)
    devices = DeviceFamilies()
    for place, node in enumerate(list(engine.network)):
        if place and place % SLICE == 0:
            await asyncio.sleep(0)
        servers.take(node)
        devices.take(node)
    found = [{one: measure.value for one, measure in meter().items()} for meter in engine.meters]
    meters = meter_families(found, servers.measured)
    return [
        *_whole(engine),
        *servers.families(),
        *devices.families(),
        *engine.tally.families(),
        *meters,
        *_told(engine),
    ]


def _whole(engine: Engine) -> Iterator[Family]:
    """Yield what there is one of."""
    build = Family("ockle_build_info", GAUGE, "The version of the daemon; always 1.")
    build.add(1, version=__version__, python=platform.python_version())
    yield build
    alerts = Family(
        "ockle_alerts", GAUGE, "Open alerts that nobody has in hand, by severity; none without the plugin Alerts."
    )
    for severity, count in engine.open_alerts.items():
        alerts.add(count, severity=severity)
    yield alerts
    for name, text, value in (
        ("ockle_runs_active", "Runs that are under way.", len(engine.runs.running())),
        ("ockle_servers_switching", "Servers that are being switched.", len(engine.busy())),
        ("ockle_auto", "The master switch of AutoControl: 1 on, 0 off.", engine.auto),
        ("ockle_emergency", "1 while an emergency is declared.", engine.emergencies.as_dict() is not None),
        ("ockle_safe_mode", "1 while nothing at all is sent until a person has looked.", bool(engine.core.safe_mode)),
        ("ockle_store_fault", "1 while the store cannot be written.", bool(engine.store_fault)),
    ):
        family = Family(name, GAUGE, text)
        family.add(int(value))
        yield family


def _told(engine: Engine) -> Iterator[Family]:
    for gauge in list(engine.gauges):
        try:
            yield from gauge()
        except Exception:  # foreign code: a plugin that cannot tell of itself must not hide all else
            log.exception("a plugin's figures for monitoring failed")
