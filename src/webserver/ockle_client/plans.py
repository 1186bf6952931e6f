"""What two looks at a plan have in common, for whoever shows plans. Standard library only."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it, whose import alone is a tenth of what `ockle status` costs
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

ENTER_AGREES, Y_AGREES, MUST_BE_TYPED = 1, 2, 3
"""Tiers of confirmation. 0: nothing is switched, no question. 1: on, or off of what nothing running needs.
2: others are affected, or several. 3: the whole network, a cut, protected servers: the name or the count is typed."""


def steps_of(plan: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return (server, action) of each step: what has to be the same for a plan to be the same."""
    return [(step["server"], step["action"]) for step in plan["steps"]]


def changes(was: Iterable[tuple[str, str]], now: Iterable[tuple[str, str]]) -> list[str]:
    """Return which steps came (+) and went (-), those that came first: ``["+ db1 off", "- web2 off"]``."""
    before, after = dict.fromkeys(was), dict.fromkeys(now)
    came = [f"+ {server} {action}" for server, action in after if (server, action) not in before]
    went = [f"- {server} {action}" for server, action in before if (server, action) not in after]
    return came + went


def switched(plan: Mapping[str, Any]) -> int:
    """Return how many servers a plan switches."""
    return len({step["server"] for step in plan["steps"]})
