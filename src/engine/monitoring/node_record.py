"""What has to be known of nodes after a restart: who was missing, and beyond which limits."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ...common.clock import Clock
from ...store.store import Store
from .limit_watch import Level, LimitSeen
from .node_watch import NodeState, Seen, over
from .nodes import Node

KEY = "nodes"
Record = Mapping[str, Any]
"""Node -> ``missing``: whether it was; ``over``: the texts of the limits that it was beyond."""


def record_of(looks: Iterable[tuple[Node, Seen]]) -> dict[str, Any]:
    """Return what is to be remembered: only nodes with which something is wrong."""
    found = {}
    for node, seen in looks:
        beyond = sorted(limit.text for limit, _known in over(node, seen))
        missing = seen.state is NodeState.MISSING
        if missing or beyond:
            found[node.name] = {"missing": missing, "over": beyond}
    return found


def remembered(record: Record, clock: Clock) -> dict[str, Seen]:
    """Return what was known before the restart."""
    now = clock.now()
    return {name: _seen(row, now) for name, row in record.items()}


def _seen(row: Mapping[str, Any], now: float) -> Seen:
    limits = {text: LimitSeen(Level.OVER, now, None, now) for text in row["over"]}
    if not row["missing"]:
        return Seen(since=now, problem="not asked yet", limits=limits)
    return Seen(NodeState.MISSING, now, now, problem="it did not answer before the daemon's restart", limits=limits)


def load(store: Store) -> Record:
    """Return what the store remembers. Raises StoreError."""
    rows = store.load("meta", equal=("name", KEY))
    text = rows[0]["value"] if rows else ""
    return dict(json.loads(text)) if text else {}


def put(store: Store, record: Record) -> None:
    """Note ``record``; the next commit writes it."""
    store.put("meta", KEY, value=json.dumps(record) if record else "")
