"""An emergency: chosen servers go down in order within a given time, come what may, and stay down until it is cleared.

Each server has its share of the time, in proportion to its place in the plan. What is not down when its share is over
keeps nobody waiting any more, and is cut. A server that an operator has forced or holds is left alone all the same.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ..common.errors import CommandError
from ..networkTree.decide import EMERGENCY_FREES, is_down
from ..networkTree.explain import reason
from ..networkTree.plan import Plan
from ..networkTree.ServerNode import ServerNode
from .core import Core
from .runs import OPEN_STEPS, Run
from .store_watch import StoreWatch

log = logging.getLogger(__name__)

KEY = "emergency"
RUN_S = 366 * 86400.0
"""An emergency has a limit of its own; its run has none."""

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
    ``automatic``  servers that only a program keeps down, which may give them back; the others are a person's to clear
    """

    within: float
    stamp: str
    since: float
    who: str
    note: str = ""
    run: int = 0
    shares: dict[str, float] = field(default_factory=dict)
    automatic: list[str] = field(default_factory=list)


class Emergency:
    """At most one is declared; it outlives the daemon."""

    def __init__(self, core: Core, store_watch: StoreWatch) -> None:
        self._core = core
        self._store_watch = store_watch
        self.declared: Declared | None = None
        self._begun = 0.0  # moment of the clock when it was declared
        core.listeners.append(self.latch_one)

    # -- from declaring to clearing

    def declare(
        self, plan: Plan, *, within: float, who: str, note: str, run: int, automatic: bool = False
    ) -> Declared | None:
        """Latch the servers of ``plan``; durable with the next commit. Returns what was declared before.

        Those of an emergency that is declared already stay latched, with what is left of their time, and what was said
        of it stays said.
        """
        before, clock = self.declared, self._core.clock
        scale = within * SHARED / plan.total_s if plan.total_s else 0.0
        shares = {step.server: (step.start_s + step.eta_s) * scale for step in plan.steps}
        shares = {**dict.fromkeys(plan.already, 0.0), **shares}
        programs = _programs(before, shares.keys(), automatic)
        if before is not None:
            passed = clock.now() - self._begun
            shares = {**{name: share - passed for name, share in before.shares.items()}, **shares}
            note = before.note if note in before.note else "; ".join(text for text in (before.note, note) if text)
        self._put(Declared(within, clock.stamp(), clock.wall(), who, note, run, shares, programs))
        return before

    def take_back(self, before: Declared | None) -> None:
        """Have it as it was: it could not be made durable."""
        self._put(before)

    async def clear(self, who: str, confirm: str = "") -> None:
        """End the emergency, durably; what is off stays off until it is ordered on.

        Raises StoreError; CommandError without a declared emergency, and while a server is not down unless ``confirm``
        says so: clearing then only ends the hurry.
        """
        before = self.declared
        if before is None:
            raise CommandError("no emergency is declared", "refused")
        left = self._not_down()
        if left and confirm != CONFIRM:
            raise CommandError(
                f"not down yet: {', '.join(left)}; to clear it all the same: confirm = {CONFIRM!r}", "refused"
            )
        self._put(None)
        await self._store_watch.durably(lambda: self.take_back(before))
        self._core.events.publish("emergency", f"emergency cleared by {who}", who=who)

    async def release(self, names: Collection[str], who: str) -> None:
        """Keep ``names`` down no longer, durably; with the last of them the emergency ends. They stay off all the same.

        Raises StoreError; CommandError for servers that a person keeps down.
        """
        before = self.declared
        if before is None:
            return
        kept = sorted(name for name in names if name in before.shares and name not in before.automatic)
        if kept:
            raise CommandError(f"an emergency declared by a person keeps down {', '.join(kept)}", "refused")
        shares = {name: share for name, share in before.shares.items() if name not in names}
        left = [name for name in before.automatic if name in shares]
        self._put(replace(before, shares=shares, automatic=left) if shares else None)
        await self._store_watch.durably(lambda: self.take_back(before))
        text = (
            f"emergency cleared by {who}" if not shares else f"emergency: {who} gives back {', '.join(sorted(names))}"
        )
        self._core.events.publish("emergency", text, who=who)

    def load(self, text: str | None) -> None:
        """Take up what the store remembers."""
        if text:
            declared = Declared(**json.loads(text))
            self._take(declared)
            log.warning("the emergency declared by %s goes on", declared.who)

    # -- what it does to servers and orders

    def refuse(self, plan: Plan) -> None:
        """Raise CommandError when ``plan`` would switch on what is to stay down."""
        if plan.action in ("off", "cut"):
            return
        latched = [step.server for step in plan.steps if step.action == "on" and self._is_latched(step.server)]
        if latched:
            raise CommandError(
                f"an emergency keeps down {', '.join(latched)}; clear the emergency first: ockle emergency clear",
                "refused",
            )

    def needs(self, run: Run) -> bool:
        """Tell whether ``run`` has yet to take down a server of the emergency."""
        return any(step.state in OPEN_STEPS and self._is_latched(step.server) for step in run.current.values())

    def _is_latched(self, name: str) -> bool:
        return self._core.network.getServernode(name).facts.emergency_by is not None

    def latch(self) -> None:
        """Bring the facts of the network's servers in line; called again when the network is another one."""
        for node in self._core.network:
            self.latch_one(node)

    def latch_one(self, node: ServerNode) -> None:
        """Bring the facts of one server in line: one that is forced or held is left alone, as long as it is."""
        declared, facts = self.declared, node.facts
        if declared is None and facts.emergency_by is None:
            return
        taken_out = facts.forced is not None or facts.held
        share = declared.shares.get(node.name) if declared is not None and not taken_out else None
        moment = None if share is None else self._begun + share
        if moment != facts.emergency_by:
            facts.emergency_by = moment
            self._core.mark_around(node)

    # -- looking

    def reasons(self, node: ServerNode) -> list[dict[str, Any]]:
        """Return why it keeps ``node`` down, for ``Engine.why``."""
        if self.declared is None or node.facts.emergency_by is None:
            return []
        text = f"emergency declared by {self.declared.who}" + (f": {self.declared.note}" if self.declared.note else "")
        return [reason(text, None, EMERGENCY_FREES, "emergency")]

    def as_dict(self) -> dict[str, Any] | None:
        """Return the declared emergency for a client: with ``left_s`` and ``not_down``; None when there is none."""
        declared = self.declared
        if declared is None:
            return None
        return {
            "since": declared.since,
            "who": declared.who,
            "note": declared.note,
            "run": declared.run,
            "within_s": declared.within,
            "left_s": max(0.0, self._begun + declared.within - self._core.clock.now()),
            "servers": sorted(declared.shares),
            "not_down": self._not_down(),
        }

    def _not_down(self) -> list[str]:
        nodes = (node for node in self._core.network if node.facts.emergency_by is not None)
        return sorted(node.name for node in nodes if not is_down(node.facts))

    def _put(self, declared: Declared | None) -> None:
        self._core.journal.store.put("meta", KEY, value=json.dumps(asdict(declared)) if declared else "")
        self._core.revision += 1
        self._take(declared)

    def _take(self, declared: Declared | None) -> None:
        clock = self._core.clock
        self.declared = declared
        self._begun = clock.now() - clock.since(declared.stamp) if declared is not None else 0.0
        self.latch()


def _programs(before: Declared | None, servers: Collection[str], automatic: bool) -> list[str]:
    """Return which servers only a program keeps down, with ``servers`` declared, too: a person's word counts more."""
    latched = before.shares if before is not None else {}
    automatically = set(before.automatic if before is not None else ())
    if automatic:
        return sorted(automatically | {name for name in servers if name not in latched})
    return sorted(automatically.difference(servers))
