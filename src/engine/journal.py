"""Writes down what must survive: desired states, forces, attempts, and every switching before it is sent."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from ..common.clock import Clock
from ..common.common import OpState
from ..networkTree.facts import Desired
from ..networkTree.ServerNetwork import ServerNetwork
from ..networkTree.ServerNode import ServerNode
from ..outlets.OutletTemplate import OutletTemplate
from ..store.store import Store

log = logging.getLogger(__name__)

KEEP_INTENTS, PRUNE_EVERY = 20_000, 5_000
_FAILURES = {
    "start": OpState.failedToStart,
    "stop": OpState.failedToStop,
    "gave up start": OpState.permanentlyFailedToStart,
    "gave up stop": OpState.permanentlyFailedToStop,
}
_FAILURE_NAMES = {state: name for name, state in _FAILURES.items()}


class Journal:
    """The engine's writer: translates between facts and rows. ``commit`` makes durable what was noted before it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self._clock = clock
        self._next_intent = 1

    async def commit(self) -> None:
        """Raises StoreError; then nothing may be sent."""
        await self.store.commit()

    # -- servers

    def save(self, node: ServerNode) -> None:
        """Note the server's durable facts for the next commit."""
        facts = node.facts
        self.store.put(
            "servers",
            node.name,
            desired=facts.desired,
            desired_gen=facts.desired_gen,
            held=facts.held,
            forced=facts.forced,
            forced_note=facts.forced_note,
            start_attempts=facts.start_attempts,
            stop_attempts=facts.stop_attempts,
            retry_in=max(0.0, facts.retry_at - self._clock.now()),
            shutdown_sent=facts.shutdown_sent,
            failure=_FAILURE_NAMES.get(facts.op_state, "degraded" if facts.degraded else ""),
            error=facts.error,
        )

    def load(self, network: ServerNetwork) -> None:
        """Fill the durable facts of the network's servers; their states stay unobserved but for failures (S3)."""
        now, wall = self._clock.now(), self._clock.wall()
        for row in self.store.load("servers"):
            node = network.getServer(row["name"])
            if node is not None:
                _restore(node, row, now)
            elif row["desired"] is not None:  # should it come back one day, nobody ordered anything for it lately
                self.store.put("servers", row["name"], desired=None)
        off_at = {row["name"]: row["off_at"] for row in self.store.load("outlets")}
        for node in network:
            for outlet in node.outlets:
                moment = off_at.get(_outlet_key(node, outlet))
                if moment is not None:  # a clock that was set back makes it wait too long, never too short
                    outlet.marks.off_at = max(outlet.marks.off_at, now - max(0.0, wall - moment))
        newest = self.store.load("intents", order="-id", limit=1)
        self._next_intent = newest[0]["id"] + 1 if newest else 1
        self.store.prune("intents", KEEP_INTENTS)

    # -- switchings

    def intend(self, node: ServerNode, thing: str, verb: str, run: int | None) -> int:
        """Note that ``verb`` is about to be sent to ``thing``; commit before sending. Returns the intent's number."""
        number = self._next_intent
        self._next_intent += 1
        if number % PRUNE_EVERY == 0:
            self.store.prune("intents", KEEP_INTENTS)
        self.store.put(
            "intents", number, run=run, server=node.name, object=thing, verb=verb, at=self._clock.wall(), outcome=None
        )
        return number

    def outcome(self, intent: int, text: str) -> None:
        """Note how an intent ended; written with the next commit, or soon."""
        self.store.put("intents", intent, outcome=text, done_at=self._clock.wall())

    def not_sent(self, intents: Iterable[int], error: Exception) -> None:
        """Note that nothing was sent for ``intents``; without a note they count as maybe sent."""
        for intent in intents:
            self.outcome(intent, f"not sent: {error}")

    def switched_off(self, node: ServerNode, outlet: OutletTemplate) -> None:
        """Note when an outlet went off: it stays so for its ``min_off_time`` even across a restart."""
        self.store.put("outlets", _outlet_key(node, outlet), off_at=self._clock.wall())


def _outlet_key(node: ServerNode, outlet: OutletTemplate) -> str:
    return f"{node.name}/{outlet.name}"


def _restore(node: ServerNode, row: dict[str, Any], now: float) -> None:
    facts = node.facts
    facts.desired = Desired(row["desired"]) if row["desired"] else None
    facts.desired_gen = row["desired_gen"] or 0
    facts.held = row["held"] or ""
    facts.forced = Desired(row["forced"]) if row["forced"] else None
    facts.forced_note = row["forced_note"] or ""
    facts.start_attempts = row["start_attempts"] or 0
    facts.stop_attempts = row["stop_attempts"] or 0
    facts.retry_at = now + (row["retry_in"] or 0.0)
    facts.shutdown_sent = bool(row["shutdown_sent"])
    facts.degraded = row["failure"] == "degraded"
    facts.error = row["error"] or ""
    facts.op_state = _FAILURES.get(row["failure"], OpState.INIT)
    if facts.forced is not None:
        facts.op_state = OpState.forcedOn if facts.forced is Desired.ON else OpState.forcedOff
