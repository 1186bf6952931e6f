"""The figures in the JSON object that a node sends. Pure; what arrives is taken for hostile."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any

STANDARD = ("cpu_percent", "memory_percent", "disk_percent", "num_pids", "temp")
"""Those of piman's node server, which have to be numbers wherever they are sent."""
NO_FIGURES = frozenset({"time"})
"""When it was measured is no measurement."""
MOST = 100
"""So many figures of one node count, those that have limits first."""
DEEPEST, LONGEST_KEY = 6, 100
TOLD = 3


def figures_of(found: Mapping[str, Any], limited: Collection[str] = ()) -> tuple[dict[str, float], str]:
    """Return the figures, and in one line what is wrong with them, "" for nothing.

    Numbers inside of objects get a dotted key, ``disk.root.percent``. Texts, lists and yes or no are passed over,
    unless the key is a standard one or has a limit: then there should be a number.
    """
    needed = {*STANDARD, *limited}
    good: dict[str, float] = {}
    faults: list[str] = []
    for key, raw in _flat(found):
        if key in NO_FIGURES or len(key) > LONGEST_KEY or not key.isprintable():
            continue
        value = _number(raw)
        fault = "" if value is not None else _no_number(raw, needed=key in needed)
        if value is not None and value < 0 and key.endswith("_percent"):
            fault = f"{value:g}, less than nothing"
        if fault:
            faults.append(f"{key} is {fault}")
        elif value is not None:
            good[key] = value
    if len(good) > MOST:
        faults.append(f"it sends {len(good)} figures, of which {MOST} are looked at")
        chosen = sorted(good, key=lambda key: key not in needed)[:MOST]
        good = {key: good[key] for key in chosen}
    if not good and not faults:
        faults.append("it sends no figures")
    more = [f"{len(faults) - TOLD} more of this kind"] if len(faults) > TOLD else []
    return good, "; ".join([*faults[:TOLD], *more])


def steady(
    figures: Mapping[str, float], names: Collection[str], limited: Collection[str]
) -> tuple[dict[str, float], frozenset[str], str]:
    """Return the figures that count, the names known from now on, and what is wrong, "" for nothing.

    ``names``  under which figures of this node have come before: each is a series of the history for ever, so once
               there are MOST of them a new one counts only if it is a standard one or has a limit
    """
    needed = {*STANDARD, *limited}
    good: dict[str, float] = {}
    known = set(names)
    for key, value in figures.items():
        if key in known or key in needed or len(known) < MOST:
            known.add(key)
            good[key] = value
    more = len(figures) - len(good)
    problem = f"it has sent figures by more than {MOST} names; {more} by new ones are passed over" if more else ""
    return good, frozenset(known), problem


def _flat(found: Mapping[str, Any], prefix: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    for key, value in found.items():
        if isinstance(value, dict):
            if depth < DEEPEST:
                yield from _flat(value, f"{prefix}{key}.", depth + 1)
        else:
            yield f"{prefix}{key}", value


def _number(raw: object) -> float | None:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None
    try:
        value = float(raw)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def _no_number(raw: object, *, needed: bool) -> str:
    """Return what it is instead, "" where that is nobody's concern. A number that is not finite always is."""
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return "a number beyond all bounds"
    return f"{str(raw)[:40]!r}, no number" if needed and raw is not None else ""
