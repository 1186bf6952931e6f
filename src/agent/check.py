"""What `ockle agent check` finds out: permission, connection, switches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..common.errors import DeviceError
from ..common.esphome import PlugSession
from .settings import AgentSettings
from .shutdown import problem_with


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    text: str
    good: bool


async def check(settings: AgentSettings, *, offline: bool) -> list[Finding]:
    """Look at everything without changing anything. ``offline``: leave the plug out."""
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


def _switches(settings: AgentSettings) -> Iterator[tuple[str, str]]:
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
