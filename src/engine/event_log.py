"""Keeps the events that tell a site's story in the store, and gives them back after a restart."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from ..common.device_loop import DeviceLoop
from ..common.errors import StoreError
from ..common.events import Event, EventBus
from ..store.store import Store
from ..store.tables import events

log = logging.getLogger(__name__)

PASSING = frozenset({"step", "test", "outlet"})
"""Kinds that are worth a live display but not a place on an SD card."""

PRUNE_EVERY = 1000
PAGE = 500


class EventLog:
    """Writes events with the log's next commit, within a few seconds; nobody waits for it.

    ``keep``  how many stay in the store
    """

    def __init__(self, store: Store, bus: EventBus, loop: DeviceLoop, keep: int) -> None:
        self._log = store.log
        self._bus = bus
        self._loop = loop
        self._keep = keep
        self._since_prune = 0
        bus.restore(self._kept())
        self._log.prune("events", keep)
        self._log.on_return.append(self._put_all)
        self._unsubscribe = bus.subscribe(self._take)

    def _kept(self) -> list[Event]:
        """Return what the log kept, oldest first; without it the daemon works as well."""
        try:
            return [_event(row) for row in reversed(self._log.load("events", order="-id", limit=self._keep))]
        except (StoreError, ValueError) as error:  # the latter: what is there is no JSON
            log.warning("earlier events cannot be read: %s", error)
            return []

    def close(self) -> None:
        self._unsubscribe()

    def _put_all(self) -> None:
        for event in self._bus.since(0):
            if event.kind not in PASSING:
                self._put(event)

    def _take(self, event: Event) -> None:
        if event.kind not in PASSING:
            self._loop.post(self._put, event)

    def _put(self, event: Event) -> None:
        self._log.put(
            "events",
            event.seq,
            time=event.time,
            kind=event.kind,
            server=event.server,
            text=event.text,
            data=plain(event.data),
        )
        self._since_prune += 1
        if self._since_prune >= PRUNE_EVERY:
            self._since_prune = 0
            self._log.prune("events", self._keep)


def newest_first(store: Store, bus: EventBus, before: int | None = None) -> Iterator[Event]:
    """Yield the events that are kept, those of earlier runs of the daemon, too; from any thread.

    ``before``  only those with a lower number
    Where the log cannot be read it ends with what is in memory; ``store.log.fault`` or the daemon's log says why.
    """
    edge = before
    for event in reversed(bus.since(0)):
        edge = event.seq if edge is None else min(edge, event.seq)
        if event.kind not in PASSING and (before is None or event.seq < before):
            yield event
    # memory holds passing ones, too, so the log reaches further back
    while store.log.is_open and not store.log.fault:
        try:
            rows = store.log.read(functools.partial(_page, edge=edge))
        except (StoreError, ValueError) as error:  # the latter: what is there is no JSON
            log.warning("earlier events cannot be read: %s", error)
            return
        yield from map(_event, rows)
        if len(rows) < PAGE:
            return
        edge = rows[-1]["id"]


def _page(connection: sa.Connection, edge: int | None) -> list[dict[str, Any]]:
    query = sa.select(events).order_by(events.c.id.desc()).limit(PAGE)
    found = connection.execute(query if edge is None else query.where(events.c.id < edge))
    return [dict(row) for row in found.mappings()]


def _event(row: dict[str, Any]) -> Event:
    return Event(row["id"], row["time"], row["kind"], row["server"], row["text"], row["data"] or {})


def plain(data: dict[str, Any]) -> dict[str, Any]:
    """Return ``data`` as JSON can hold it: one row that cannot be written would keep all others from being written."""
    try:
        found: dict[str, Any] = json.loads(json.dumps(data, default=str, skipkeys=True))
    except (ValueError, RecursionError):  # it contains itself, or nests without end
        return {}
    return found
