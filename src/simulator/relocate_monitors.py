"""Points the monitors of a site at the lab: each machine's ``/events`` has a port of its own there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from configobj import ConfigObj

from ..common.hostranges import expand
from .lab import Endpoint

HOST = "{host}"


def move_monitor(ini: ConfigObj, points: Mapping[str, Endpoint], tags: Mapping[str, list[str]]) -> None:
    """Put the places of the lab's machines into ``more``. ``tags``: server -> its tags."""
    monitor = ini["monitor"]
    path = urlsplit(monitor.get("url", f"http://{HOST}/events").replace(HOST, "host")).path
    moved = {
        name: f"http://{points[name].host}:{points[name].ports['http']}{path}"
        for name in _chosen(monitor, tags)
        if name in points and "http" in points[name].ports
    }
    kept = [one for one in _listed(monitor.get("more")) if one.partition("=")[0].strip() not in moved]
    if moved:
        monitor["more"] = [*kept, *(f"{name}={url}" for name, url in sorted(moved.items()))]
        ini.write()


def _chosen(monitor: Mapping[str, str | list[str]], tags: Mapping[str, list[str]]) -> Iterator[str]:
    for selector in _listed(monitor.get("servers")):
        if selector == "all":
            yield from tags
        elif selector.startswith("@"):
            yield from (name for name, own in tags.items() if selector[1:] in own)
        else:
            yield from expand(selector)


def _listed(value: str | list[str] | None) -> list[str]:
    return [value] if isinstance(value, str) and value else list(value or [])
