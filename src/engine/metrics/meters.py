"""What is measured beside the servers' parts, of UPSes and nodes for instance, as metrics."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ...common.metrics import GAUGE, Family
from ...store.samples.sample_store import Series
from .units import in_base_units

PARTS = frozenset({"outlet", "control", "test", "server", "network"})
TAKEN = frozenset({"ockle_node_up"})
"""Families that a plugin makes: a node may call a figure of its own the same."""
MOST_NAMES = 200
"""More names of metrics than this are none that anybody has made on purpose."""


def meter_families(found: Iterable[Mapping[Series, float]], measured: Family) -> list[Family]:
    """Return ``ockle_KIND_KEY`` for what meters found, in base units: ``ockle_ups_charge_ratio{ups="rack"}``.

    ``measured``  takes what does not fit into that, as it is
    """
    families: dict[str, Family] = {}
    seen: set[tuple[str, str, str]] = set()
    for one, value in (pair for values in found for pair in values.items()):
        end, scale = in_base_units(one.key)
        kind = re.sub(r"[^a-z0-9_]", "_", one.kind.lower())
        name = f"ockle_{kind}_{end}"
        twice = (name, one.server, one.object) in seen
        if one.kind in PARTS or twice or name in TAKEN or (name not in families and len(families) >= MOST_NAMES):
            measured.add(value, server=one.server, kind=one.kind, object=one.object, key=one.key)
            continue
        seen.add((name, one.server, one.object))
        family = families.setdefault(name, Family(name, GAUGE, f"What a {one.kind} says of itself: {one.key}."))
        labels = {kind: one.object} | ({"server": one.server} if one.server and kind != "server" else {})
        family.add(scale.apply(value), **labels)
    return list(families.values())
