"""The heart of the engine: who changed, what follows for whom. Everything here runs on the device loop."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable

from ..common.clock import TICK_S, Clock
from ..common.common import PERMANENT
from ..common.errors import CommandError
from ..common.events import EventBus
from ..networkTree.facts import Desired
from ..networkTree.ServerNetwork import ServerNetwork
from ..networkTree.ServerNode import ServerNode
from ..networkTree.states import Trigger, transition
from .budget import Budget
from .journal import Journal
from .settings import Settings

log = logging.getLogger(__name__)

StateListener = Callable[[ServerNode], None]


class Core:
    """Applies transitions and remembers whose decision has to be looked at again.

    ``revision``   rises whenever what ``status`` shows may have changed
    ``listeners``  called after each change of a server's state
    ``safe_mode``  why nothing at all is sent until a person has looked, "" while all is well
    """

    def __init__(
        self, network: ServerNetwork, journal: Journal, events: EventBus, clock: Clock, settings: Settings
    ) -> None:
        self.network = network
        self.journal = journal
        self.events = events
        self.clock = clock
        self.settings = settings
        self.revision = 0
        self.safe_mode = ""
        self.listeners: list[StateListener] = []
        self.wake: Callable[[], None] = lambda: None
        self.budget = Budget(clock, events, self.later, self._budget_changed)
        self.dirty: dict[str, None] = {}  # an ordered set: who was marked first is decided first

    def check_trust(self) -> None:
        """Raise CommandError in safe mode: nothing is to be sent."""
        if self.safe_mode:
            raise CommandError(f"safe mode: {self.safe_mode}. Look, then: ockle resume", "refused")

    def _budget_changed(self) -> None:
        self.wake()

    def mark(self, node: ServerNode) -> None:
        """Have the next move of ``node`` decided soon."""
        self.dirty[node.name] = None
        self.wake()

    def mark_around(self, node: ServerNode) -> None:
        """Have ``node`` and its neighbours decided soon: all that its change can concern."""
        for name in self.network.concerned(node.name):
            self.dirty[name] = None
        self.wake()

    def move(self, node: ServerNode, trigger: Trigger, why: str = "") -> None:
        """Apply ``trigger`` to the server's state. A forced server keeps its state until the force is lifted."""
        facts = node.facts
        if facts.forced is not None and trigger not in (Trigger.FORCE_ON, Trigger.FORCE_OFF, Trigger.UNFORCE):
            self.mark_around(node)
            return
        before, after = facts.op_state, transition(facts.op_state, trigger)
        if after is before:
            return
        facts.op_state = after
        facts.since = self.clock.now()
        self.revision += 1
        level = logging.ERROR if after in PERMANENT else logging.INFO
        log.log(level, "%s: %s -> %s%s", node.name, before.value, after.value, f" ({why})" if why else "")
        self.events.publish(
            "state", f"{node.name}: {after.value}", node.name, before=before.value, state=after.value, why=why
        )
        self.mark_around(node)
        for listener in self.listeners:
            listener(node)

    def set_why(self, node: ServerNode, why: str) -> None:
        if node.why != why:
            if _without_numbers(node.why) != _without_numbers(why):
                node.why_since = self.clock.now()
            node.why = why
            self.revision += 1

    def set_desired(self, node: ServerNode, desired: Desired | None) -> None:
        """Change what the server shall be, and note it for the next commit. Clears what a new order clears."""
        facts = node.facts
        facts.desired = desired
        facts.desired_gen += 1
        facts.drifted = False
        self.journal.save(node)
        self.revision += 1
        self.mark_around(node)

    def forgive(self, node: ServerNode) -> None:
        """Start counting attempts anew: an operator orders it again (S17)."""
        facts = node.facts
        facts.start_attempts = facts.stop_attempts = 0
        facts.retry_at = 0.0
        facts.degraded = False
        if facts.op_state in PERMANENT:
            self.move(node, Trigger.RESET, "ordered again")
        self.journal.save(node)

    def later(self, seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        """Have ``call`` made after ``seconds``."""
        delay = max(seconds, TICK_S) if seconds > 0 else 0.0  # a shorter one may end before the moment it waits for
        return asyncio.get_running_loop().call_later(delay, call)


def _without_numbers(why: str) -> str:
    """Return what stays the same of a reason that counts seconds down."""
    return re.sub(r"[0-9.]+", "", why)
