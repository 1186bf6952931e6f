"""What `ockle agent check` finds out: permission, connection, switches, figures."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

from ..common.errors import DeviceError
from ..common.esphome import PlugSession
from .gauges import FRESH_S, Gauges
from .settings import AgentSettings, MetricsSettings, WatchSettings
from .shutdown import problem_with

SHOWN = ("cpu_percent", "memory_percent", "disk_percent", "num_pids", "temp")


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    text: str
    good: bool


async def check(settings: AgentSettings, *, offline: bool) -> list[Finding]:
    """Look at everything without changing anything. ``offline``: leave the plug out."""
    found = [] if settings.watch is None else await _watch(settings.watch, offline=offline)
    return found if settings.metrics is None else [*found, await _metrics(settings.metrics)]


async def _watch(settings: WatchSettings, *, offline: bool) -> list[Finding]:
    problem = await problem_with(settings.shutdown_command)
    found = [Finding("shutdown", problem or f"`{' '.join(settings.shutdown_command)}` may be run", not problem)]
    if offline:
        return found
    plug = PlugSession(settings.plug, client="Ockle agent check")
    try:
        await plug.connected()
        found.append(Finding("plug", f"{settings.plug} answers; pin_mac = {plug.mac}", good=True))
        for option, name in _switches(settings):
            found.append(await _switch(plug, option, name))
    except DeviceError as error:
        found.append(Finding("plug", str(error), good=False))
    finally:
        await plug.close()
    return found


async def _metrics(settings: MetricsSettings) -> Finding:
    """Measure. Nothing is served: the agent that runs has the port."""
    if find_spec("waitress") is None:
        return Finding("metrics", "waitress is not installed: pip install 'ockle[agent]'", good=False)
    gauges = Gauges(settings.disks)
    await asyncio.sleep(FRESH_S)  # the load is that of some time
    figures = await asyncio.to_thread(gauges.read)
    missing = [f"{path} cannot be read" for path in settings.disks if path not in figures.get("disks", {})]
    hanging = [f"{name} hangs" for name in figures["not_measured"]]
    shown = ", ".join(f"{key} {figures[key]:g}" for key in SHOWN if key in figures)
    who = "who has the token" if settings.token else "whoever asks"
    text = f"{shown}; told to {who} on {settings.address or '*'}:{settings.port}"
    return Finding("metrics", "; ".join([*hanging, *(missing if not hanging else []), text]), good=not missing)


def _switches(settings: WatchSettings) -> Iterator[tuple[str, str]]:
    for option in ("delay_switch", "real_delay_switch", "heartbeat_switch"):
        name: str = getattr(settings, option)
        if name:
            yield option, name


async def _switch(plug: PlugSession, option: str, name: str) -> Finding:
    try:
        (on,) = await plug.read([("switch", name)])
    except DeviceError as error:
        return Finding(option, str(error), good=False)
    if option == "delay_switch" and not on:
        return Finding(option, f"{name} is off: the agent would shut this machine down", good=False)
    return Finding(option, f"{name} is {'on' if on else 'off'}", good=True)
