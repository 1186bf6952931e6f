"""Writes down what must survive: desired states, forces, attempts, and every switching before it is sent."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from ..common.clock import Clock
from ..common.common import OpState
from ..common.stamps import with_boot
from ..networkTree.facts import Desired
from ..networkTree.ServerNetwork import ServerNetwork
from ..networkTree.ServerNode import ServerNode
from ..outlets.OutletTemplate import OutletTemplate
from ..store.store import Store

log = logging.getLogger(__name__)

_BOOTS = "host_boots"
KEEP_INTENTS, PRUNE_EVERY = 20_000, 5_000
_FAILURES = {
    "start": OpState.failedToStart,
    "stop": OpState.failedToStop,
    "gave up start": OpState.permanentlyFailedToStart,
    "gave up stop": OpState.permanentlyFailedToStop,
}
_FAILURE_NAMES = {state: name for name, state in _FAILURES.items()}


class Journal:
    """The engine's writer: translates between facts and rows. ``commit`` makes durable what was noted before it.

    ``boots``  the boots of this host in which the engine ran, in their order, the present one last
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self._clock = clock
        self.boots: list[str] = []
        self._next_intent = 1
        self._absent: dict[str, dict[str, Any]] = {}  # rows of servers that are not in the configuration

    async def commit(self) -> None:
        """Raises StoreError; then nothing may be sent."""
        await self.store.commit()

    # -- servers

    def save(self, node: ServerNode) -> None:
        """Note the server's durable facts for the next commit."""
        self.store.put("servers", node.name, **_row(node, self._clock.now(), self._clock.stamp()))

    def leave(self, node: ServerNode) -> None:
        """Note that a server is no longer in the configuration. A force, a hold and what was sent to it stay known."""
        row = {**_row(node, self._clock.now(), self._clock.stamp()), "desired": None}
        self._absent[node.name] = row
        self.store.put("servers", node.name, **row)

    def enter(self, node: ServerNode) -> None:
        """Take in a server that is new in the configuration: perhaps one of its name was here before."""
        row = self._absent.pop(node.name, None)
        if row is not None:
            _restore(node, row, self._clock)
        self.save(node)

    # -- servers that get another name

    def save_as(self, node: ServerNode, name: str) -> None:
        """Note what is known of a server under the name that it is about to get; ``restore_row`` takes that back."""
        self.store.put("servers", name, **_row(node, self._clock.now(), self._clock.stamp()))

    def restore_row(self, network: ServerNetwork, name: str) -> None:
        """Note again what was known under ``name``."""
        node = network.getServer(name)
        if node is not None:
            self.save(node)
        elif name in self._absent:
            self.store.put("servers", name, **self._absent[name])
        else:
            self.drop(name)

    def take_name(self, node: ServerNode) -> None:
        """Note a server and its outlets under its new name."""
        self._absent.pop(node.name, None)
        self.save(node)
        for outlet in node.outlets:
            self.save_marks(node, outlet)

    def drop(self, name: str) -> None:
        """Forget all that is known under a name that nobody has any more."""
        self._absent.pop(name, None)
        self.save(ServerNode(name))

    # -- at a start

    def load(self, network: ServerNetwork) -> None:
        """Fill the durable facts of the network's servers; their states stay unobserved but for failures (S3)."""
        self._load_boots()
        now = self._clock.now()
        for row in self.store.load("servers"):
            node = network.getServer(row["name"])
            if node is not None:
                _restore(node, row, self._clock)
                continue
            self._absent[row["name"]] = {**row, "desired": None}
            if row["desired"] is not None:  # should it come back one day, nobody ordered anything for it lately
                self.store.put("servers", row["name"], desired=None)
        marks = {row["name"]: row for row in self.store.load("outlets")}
        for node in network:
            for outlet in node.outlets:
                known = marks.get(_outlet_key(node, outlet))
                if known is not None and known["marks"] is None:  # noted by an older version: it may have just gone off
                    outlet.marks.moved(False, now)
                elif known is not None:
                    noted = known["noted"]
                    outlet.marks.take_ages(known["marks"], now, self._clock.since(noted), noted)
        newest = self.store.load("intents", order="-id", limit=1)
        self._next_intent = newest[0]["id"] + 1 if newest else 1
        for row in self.store.load("intents", unset="outcome"):
            self.outcome(row["id"], "unknown: the daemon ended before it was known")
        self.store.prune("intents", KEEP_INTENTS)

    def _load_boots(self) -> None:
        rows = self.store.load("meta", equal=("name", _BOOTS))
        known = json.loads(rows[0]["value"]) if rows and rows[0]["value"] else []
        self.boots = with_boot(known, self._clock.stamp())
        if self.boots != known:
            self.store.put("meta", _BOOTS, value=json.dumps(self.boots))

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

    def intend_to_switch(self, node: ServerNode, outlet: OutletTemplate, state: bool, run: int | None) -> int:
        """As ``intend`` for an outlet; its marks are written as they are once the command is sent."""
        now = self._clock.now()
        self._put_marks(node, outlet, outlet.marks.after_command(state, now).as_ages(now))
        return self.intend(node, outlet.name, "on" if state else "off", run)

    def sent_for(self, run: int, noted: Mapping[int, Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return what was sent for a run, oldest first, from any thread; ``outcome`` is None while it is not known.

        ``noted``  the store's pending rows of "intents", asked for on the device loop
        Raises StoreError.
        """
        rows = self.store.load("intents", order="id", equal=("run", run))
        rows = [{**row, **noted.get(row["id"], {})} for row in rows]
        return [{key: row[key] for key in ("server", "object", "verb", "at", "outcome", "done_at")} for row in rows]

    def save_marks(self, node: ServerNode, outlet: OutletTemplate) -> None:
        """Note what is remembered of an outlet; written with the next commit, or soon."""
        self._put_marks(node, outlet, outlet.marks.as_ages(self._clock.now()))

    def _put_marks(self, node: ServerNode, outlet: OutletTemplate, ages: dict[str, Any]) -> None:
        self.store.put("outlets", _outlet_key(node, outlet), marks=ages, noted=self._clock.stamp())


def _outlet_key(node: ServerNode, outlet: OutletTemplate) -> str:
    return f"{node.name}/{outlet.name}"


def _row(node: ServerNode, now: float, stamp: str) -> dict[str, Any]:
    """Return the durable facts of a server as the store keeps them."""
    facts = node.facts
    return {
        "desired": facts.desired,
        "desired_gen": facts.desired_gen,
        "held": facts.held,
        "forced": facts.forced,
        "forced_note": facts.forced_note,
        "forced_by": facts.forced_by,
        "forced_since": facts.forced_since,
        "forced_noted": stamp,
        "forced_left": None if facts.forced_until is None else max(0.0, facts.forced_until - now),
        "forced_open": facts.forced_open,
        "start_attempts": facts.start_attempts,
        "stop_attempts": facts.stop_attempts,
        "retry_in": max(0.0, facts.retry_at - now),
        "shutdown_sent": facts.shutdown_sent,
        "poison_boot": facts.poison_boot,
        "failure": _FAILURE_NAMES.get(facts.op_state, "degraded" if facts.degraded else ""),
        "error": facts.error,
    }


def _restore(node: ServerNode, row: dict[str, Any], clock: Clock) -> None:
    facts, now = node.facts, clock.now()
    facts.desired = Desired(row["desired"]) if row["desired"] else None
    facts.desired_gen = row["desired_gen"] or 0
    facts.held = row["held"] or ""
    facts.forced = Desired(row["forced"]) if row["forced"] else None
    facts.forced_note = row["forced_note"] or ""
    facts.forced_by = row["forced_by"] or ""
    facts.forced_since = row["forced_since"] or 0.0
    if row["forced_left"] is not None:
        facts.forced_until = now + row["forced_left"] - clock.since(row["forced_noted"])
    facts.forced_open = bool(row["forced_open"])
    facts.start_attempts = row["start_attempts"] or 0
    facts.stop_attempts = row["stop_attempts"] or 0
    facts.retry_at = now + (row["retry_in"] or 0.0)
    facts.shutdown_sent = bool(row["shutdown_sent"])
    facts.poison_boot = (row["poison_boot"] or "") if facts.shutdown_sent else ""
    facts.degraded = row["failure"] == "degraded"
    facts.error = row["error"] or ""
    facts.op_state = _FAILURES.get(row["failure"], OpState.INIT)
    if facts.forced is not None:
        facts.op_state = OpState.forcedOn if facts.forced is Desired.ON else OpState.forcedOff
