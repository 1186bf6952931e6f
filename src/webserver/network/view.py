"""What of the network somebody wants to see. All of it stands in the address, so it can be sent on and works without
scripts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..states import GROUPS

STEPS = 2
MOST_STEPS = 9
MOST_UNFOLDED = 100
LONGEST = 300
"""Letters of a name that are looked at: no server's name is longer."""


@dataclass(frozen=True, slots=True)
class View:
    """A question to the network page.

    ``state``   one of GROUPS: all others are dimmed; "" for none
    ``select``  the server, or the stack, that the panel tells of; "" for none
    ``focus``   only what is at most ``steps`` away from this server is drawn; "" for all
    ``unfold``  the stacks whose servers are drawn one by one
    """

    state: str = ""
    select: str = ""
    focus: str = ""
    steps: int = STEPS
    unfold: tuple[str, ...] = ()

    @classmethod
    def of(cls, query: Iterable[tuple[str, str]]) -> View:
        """Return the view that an address asks for; what it does not understand is as if it were not there."""
        found: dict[str, str] = {}
        unfold: dict[str, None] = {}
        for key, value in query:
            if key == "unfold":
                unfold[value[:LONGEST]] = None
            else:
                found[key] = value[:LONGEST]
        state, steps = found.get("state", ""), found.get("steps", "")
        return cls(
            state=state if state in GROUPS else "",
            select=found.get("select", ""),
            focus=found.get("focus", ""),
            steps=min(max(int(steps), 1), MOST_STEPS) if steps.isdecimal() and len(steps) < 4 else STEPS,
            unfold=tuple(list(unfold)[:MOST_UNFOLDED]),
        )

    def also(self, stacks: Iterable[str]) -> tuple[str, ...]:
        """Return what is unfolded when these are, too."""
        return tuple(dict.fromkeys((*self.unfold, *stacks)))

    def without(self, stack: str) -> tuple[str, ...]:
        """Return what is unfolded when this one is folded again."""
        return tuple(one for one in self.unfold if one != stack)

    def query(self, **changes: object) -> list[tuple[str, str]]:
        """Return the query of the address of this view with some things changed."""
        new = replace(self, **changes)  # type: ignore[arg-type]
        found = [(key, text) for key in ("state", "select", "focus") if (text := getattr(new, key))]
        if new.focus and new.steps != STEPS:
            found.append(("steps", str(new.steps)))
        return [*found, *(("unfold", stack) for stack in new.unfold)]
