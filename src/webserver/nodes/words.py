"""How nodes look: glyph, word and colour of their state and of a limit's, and what a figure reads like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...commands.samples import unit_of
from ..past import key_title
from ..plots.axes import figure
from ..rendering import duration
from ..states import Look
from ..texts import N_

STATES = {
    "up": Look("✓", N_("answers"), "on", "up"),
    "missing": Look("!", N_("missing"), "failed", "missing"),
    "waiting": Look("○", N_("not asked yet"), "init", "waiting"),
    "off": Look("–", N_("off"), "off", "off"),
}
LIMITS = {
    "ok": Look("✓", N_("within"), "on", "ok"),
    "pending": Look("▲", N_("beyond, not for long enough yet"), "init", "pending"),
    "over": Look("!", N_("beyond"), "failed", "over"),
}
_UNKNOWN = Look("?", N_("unknown"), "unknown", "")
FIRST = ("cpu_percent", "memory_percent", "disk_percent", "temp", "num_pids")
"""Figures that come first, if a node has them."""
SHOWN = 6
"""Figures that stand in the table; the node's page has all of them."""


def node_look(state: str) -> Look:
    """Return the look of a node's state; one that this version does not know looks unknown."""
    return STATES.get(state, _UNKNOWN)


def limit_look(state: str) -> Look:
    """Return the look of a limit's state; one that this version does not know looks unknown."""
    return LIMITS.get(state, _UNKNOWN)


def figures(node: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Return what a node measures, what people look for first."""
    places = {key: place for place, key in enumerate(FIRST)}
    return sorted(node["figures"].items(), key=lambda one: (places.get(one[0], len(FIRST)), one[0]))


def figure_name(key: str) -> str:
    """Return what people call a figure: ``cpu_percent`` -> ``CPU``."""
    return key_title(key, unit_of(key))


def figure_text(key: str, value: float) -> str:
    """Return a figure with its unit: ``93.5 %``, ``4 days 15 h``."""
    unit = unit_of(key)
    return duration(value) if unit == "s" and value >= 60 else figure(value, unit)


def worst_limit(node: Mapping[str, Any], key: str) -> str:
    """Return the state of the limit of a figure that is worst: over, pending, ok, or "" without a limit."""
    found = {one["state"] for one in node["limits"] if one["key"] == key}
    return next((state for state in ("over", "pending", "ok") if state in found), "")
