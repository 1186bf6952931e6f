"""Series by the names that a dashboard has for them: ``web1/outlet/psu1/power_w``, ``ups/rack/charge_percent``."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from .asked import Filter
from .patterns import matcher

Series = Mapping[str, Any]
"""As ``series`` has it: server, kind, object, key, unit."""


def name_of(series: Series) -> str:
    return "/".join(part for part in (series["server"], series["kind"], series["object"], series["key"]) if part)


def chosen(known: Iterable[Series], text: str, filters: Iterable[Filter] = ()) -> list[Series]:
    """Return the series that ``text`` means (see ``patterns``) and the filters let through. Raises BadQuery."""
    is_meant, rules = matcher(text), tuple(filters)
    return [one for one in known if is_meant(name_of(one)) and all(rule.lets(one) for rule in rules)]


def together(series: Iterable[Series], servers: Container[str], most: int) -> Iterator[dict[str, Any]]:
    """Yield what to ask ``samples`` for: those of many ``servers`` in one question, ``most`` at a time.

    What was measured of a server that is no more can only be asked for by its name.
    """
    groups: dict[tuple[str, str, str], list[str]] = {}
    for one in series:
        kind, thing, key, server = one["kind"], one["object"], one["key"], one["server"]
        if server in servers:
            groups.setdefault((kind, thing, key), []).append(server)
        else:
            yield {"kind": kind, "object": thing, "key": key, "server": server}
    for (kind, thing, key), names in groups.items():
        for begin in range(0, len(names), most):
            yield {"kind": kind, "object": thing, "key": key, "servers": names[begin : begin + most]}
