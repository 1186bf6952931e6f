"""How many servers are in which state, and what a stack of them shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..states import GROUPS, Look, look
from ..texts import _

WORST = ("failed", "unknown", "switching", "forced", "off", "on")
"""Groups, in the order in which they ask for attention."""


@dataclass(frozen=True, slots=True)
class Count:
    group: str
    word: str
    number: int
    look: Look


def counts(servers: Mapping[str, Mapping[str, Any]]) -> list[Count]:
    """Return how many servers are in each group, in the order of GROUPS, all of them; the look is a typical one."""
    found = Counter(look(server["state"]).group for server in servers.values())
    return [Count(group, _(group), found[group], TYPICAL[group]) for group in GROUPS]


TYPICAL = {
    "on": look("OK"),
    "switching": look("Switching on"),
    "failed": look("Failed to start"),
    "forced": look("Forced on"),
    "off": look("OFF"),
    "unknown": look("Unknown"),
}


def together(states: Iterable[str]) -> tuple[Look, str]:
    """Return how a stack of servers in ``states`` looks, and its words: ``23 on, 1 failed``; the worst decides."""
    looks = [look(state) for state in states]
    numbers = Counter(one.group for one in looks)
    worst = min(looks, key=lambda one: WORST.index(one.group), default=look(""))
    return worst, ", ".join(f"{numbers[group]} {_(group)}" for group in GROUPS if numbers[group])
