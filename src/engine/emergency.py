"""An emergency: chosen servers go down in order within a given time, come what may, and stay down until it is cleared.

Each server has its share of the time, in proportion to its place in the plan. What is not down when its share is over
keeps nobody waiting any more, and is cut. A server that an operator has forced or holds is left alone all the same.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, field
from typing import Any

from ..common.errors import CommandError
from ..networkTree.decide import is_down
from ..networkTree.plan import Plan
from ..networkTree.ServerNode import ServerNode
from .core import Core

log = logging.getLogger(__name__)

KEY = "emergency"
SHARED = 0.9
"""How much of the time the shares make up; the rest is for switching off what did not go down."""

CONFIRM = "clear emergency"


@dataclass(slots=True)
class Declared:
    """A declared emergency.

    ``within``  seconds from ``stamp``, a moment of the clock that a later process understands
    ``shares``  server -> seconds from then, after which it is not waited for any more
    ``since``   seconds since 1970, for people
    ``run``     number of the run that carries it out
    """

    within: float
    stamp: str
    since: float
    who: str
    note: str = ""
    run: int = 0
    shares: dict[str, float] = field(default_factory=dict)


class Emergency:
    """At most one is declared; it outlives the daemon."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.declared: Declared | None = None
        core.listeners.append(self.latch_one)

    def declare(self, plan: Plan, *, within: float, who: str, note: str) -> Declared | None:
        """Latch the servers of ``plan``; durable with the next commit. Returns what was declared before.

        Those of an emergency that is declared already stay latched, with what is left of their time.
        """
        before, clock = self.declared, self._core.clock
        scale = within * SHARED / plan.total_s if plan.total_s else 0.0
        shares = {step.server: (step.start_s + step.eta_s) * scale for step in plan.steps}
        shares = {**dict.fromkeys(plan.already, 0.0), **shares}
        if before is not None:
            passed = clock.since(before.stamp)
            shares = {**{name: share - passed for name, share in before.shares.items()}, **shares}
        self._put(Declared(within, clock.stamp(), clock.wall(), who, note, shares=shares))
        return before

    def carried_out_by(self, run: int) -> None:
        if self.declared is not None:
            self.declared.run = run
            self._put(self.declared)

    def take_back(self, before: Declared | None) -> None:
        """Have it as it was: it could not be made durable."""
        self._put(before)

    def clear(self, confirm: str = "") -> None:
        """End the emergency; what is off stays off until it is ordered on. Durable with the next commit.

        Raises CommandError without a declared emergency, and while a server is not down unless ``confirm`` says
        so: clearing then only ends the hurry.
        """
        if self.declared is None:
            raise CommandError("no emergency is declared", "refused")
        left = self._not_down()
        if left and confirm != CONFIRM:
            raise CommandError(
                f"not down yet: {', '.join(left)}; to clear it all the same: confirm = {CONFIRM!r}", "refused"
            )
        self._put(None)

    def load(self, text: str | None) -> None:
        """Take up what the store remembers."""
        if text:
            self.declared = Declared(**json.loads(text))
            self.latch()
            log.warning("the emergency declared by %s goes on", self.declared.who)

    def latch(self) -> None:
        """Bring the facts of the network's servers in line; called again when the network is another one."""
        for node in self._core.network:
            self.latch_one(node)

    def latch_one(self, node: ServerNode) -> None:
        """Bring the facts of one server in line: one that is forced or held is left alone, as long as it is."""
        declared, facts, clock = self.declared, node.facts, self._core.clock
        if declared is None and facts.emergency_by is None:
            return
        taken_out = facts.forced is not None or facts.held
        share = declared.shares.get(node.name) if declared is not None and not taken_out else None
        moment = None
        if declared is not None and share is not None:
            moment = clock.now() - clock.since(declared.stamp) + share
        if moment != facts.emergency_by:
            facts.emergency_by = moment
            self._core.mark_around(node)

    def as_dict(self) -> dict[str, Any] | None:
        """Return the declared emergency for a client: with ``left_s`` and ``not_down``; None when there is none."""
        declared, clock = self.declared, self._core.clock
        if declared is None:
            return None
        return {
            "since": declared.since,
            "who": declared.who,
            "note": declared.note,
            "run": declared.run,
            "within_s": declared.within,
            "left_s": max(0.0, declared.within - clock.since(declared.stamp)),
            "servers": sorted(declared.shares),
            "not_down": self._not_down(),
        }

    def _not_down(self) -> list[str]:
        nodes = (node for node in self._core.network if node.facts.emergency_by is not None)
        return sorted(node.name for node in nodes if not is_down(node.facts))

    def _put(self, declared: Declared | None) -> None:
        self.declared = declared
        self._core.journal.store.put("meta", KEY, value=json.dumps(asdict(declared)) if declared else "")
        self._core.revision += 1
        self.latch()
