"""Selectors of servers in the configuration: whether they can be read, and whether they are for anybody."""

from __future__ import annotations

from collections.abc import Iterable

from ..common.hostranges import expand
from .model import Site


def nobody(site: Site, selectors: Iterable[str]) -> list[str]:
    """Return those of which a part names no server."""
    return [one for one in selectors if not unreadable(one) and not _selects(site, one)]


def _selects(site: Site, selector: str) -> bool:
    """Tell whether each part of a selector names somebody; which servers are in a state cannot be known here."""
    if selector == "all" or selector.startswith("state:"):
        return True
    if selector.startswith("@"):
        return any(selector[1:] in server.settings["tags"] for server in site.servers.values())
    return all(name in site.servers for name in expand(selector))


def named(site: Site, selectors: Iterable[str]) -> frozenset[str]:
    """Return the servers that readable selectors name; one by a state, which is not known here, names none."""
    found: set[str] = set()
    for one in selectors:
        if one == "all":
            found.update(site.servers)
        elif one.startswith("@"):
            found.update(name for name, server in site.servers.items() if one[1:] in server.settings["tags"])
        elif not one.startswith("state:"):
            found.update(name for name in expand(one) if name in site.servers)
    return frozenset(found)


def unreadable(selector: str) -> str:
    """Return why a selector is none, "" if it is one."""
    try:
        expand(selector.removeprefix("@"))
    except ValueError as error:
        return f"{selector!r}: {error}; a range with a comma, such as web[1,4-5], stands in quotes"
    return ""
