"""What is known of one physical outlet, whichever servers it feeds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

NEVER = float("-inf")


@dataclass(slots=True, eq=False)
class OutletMarks:
    """The one object that all ``OutletTemplate`` objects of the same physical outlet have in common.

    ``label``        which outlet it is, for a person: "pdu-a outlet 3"
    ``state``        True or False as last read, None = never, or commanded and not verified since
    ``seen_at``      moment of the clock of the last good read
    ``switchings``   rises with each command that is sent and each that ends: a read begun at another value is overtaken
    ``on_at``, ``off_at``  moments of the clock when it was last switched on and off here
    ``lock``         held from before a command until it is verified or has failed: one unconfirmed command at a time
    """

    label: str = ""
    state: bool | None = None
    seen_at: float = NEVER
    switchings: int = 0
    on_at: float = NEVER
    off_at: float = NEVER
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def forget(self) -> None:
        """Take back what was read; when it was switched stays known."""
        self.state = None
        self.seen_at = NEVER
