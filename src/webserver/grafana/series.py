"""Series by the names that a dashboard has for them: ``web1/outlet/psu1/power_w``, ``ups/rack/charge_percent``."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from fnmatch import translate
from typing import Any

from .asked import BadQuery, Filter, alternatives

Series = Mapping[str, Any]
"""As ``series`` has it: server, kind, object, key, unit."""


WILD = re.compile(r"[*?\[]")
NOTHING = r"(?!)"
MOST_PATTERNS = 20


def name_of(series: Series) -> str:
    return "/".join(part for part in (series["server"], series["kind"], series["object"], series["key"]) if part)


def chosen(known: Iterable[Series], text: str, filters: Iterable[Filter] = ()) -> list[Series]:
    """Return the series that ``text`` means; ``*`` and ``?`` stand for any letters, ``{a,b}`` for one of some texts.

    Raises BadQuery for more patterns than anybody needs.
    """
    texts = alternatives(text)
    exact = {one for one in texts if not WILD.search(one)}
    patterns = [one for one in texts if one not in exact]
    if len(patterns) > MOST_PATTERNS:
        raise BadQuery(f"target: {len(patterns)} patterns are too many, {MOST_PATTERNS} in one target")
    pattern = re.compile("|".join(map(translate, patterns)) or NOTHING)
    rules = tuple(filters)
    return [
        one
        for one in known
        if ((name := name_of(one)) in exact or pattern.match(name)) and all(rule.lets(one) for rule in rules)
    ]


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
