"""Notices: what happened once and is told once, however it goes on. Taken from the daemon's events. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from ...common.alert_message import AlertMessage
from ...common.events import Event
from ...common.logs import redact
from ...common.problems import Severity
from .telling import Sender

MOST, WINDOW_S = 5, 600.0
"""So many notices of one kind within so many seconds are told one by one; the rest in one message afterwards."""


def severity_of(event: Event) -> Severity | None:
    """Return how much an event matters to people who are not looking; None for one that need not be told."""
    data = event.data
    if event.kind == "cut":  # before its shutdown was proven
        return Severity.CRITICAL
    if event.kind == "drift":  # with the policy "alarm" it stays a problem as long as it lasts
        return Severity.WARNING if data.get("policy") != "alarm" else None
    if event.kind == "run":
        return Severity.WARNING if data.get("state") == "failed" else None
    if event.kind == "force":
        return Severity.WARNING if data.get("failed") else None
    if event.kind == "netboot":
        return Severity.WARNING if data.get("stage") == "alarm" else None
    return None


@dataclass(slots=True)
class _Kind:
    """``told``: moments; ``held``: events that are told together."""

    told: deque[float] = field(default_factory=lambda: deque(maxlen=MOST))
    held: list[Event] = field(default_factory=list)


class Notices:
    """``is_silenced``: whether nothing is told of a server and a subject now."""

    def __init__(self, is_silenced: Callable[[str, str], bool]) -> None:
        self._is_silenced = is_silenced
        self._kinds: dict[str, _Kind] = {}

    def take(self, event: Event, sender: Sender, now: float) -> AlertMessage | None:
        """Return the message for an event, None if it is told later or not at all."""
        severity = severity_of(event)
        subject = f"server/{event.server}" if event.server else event.kind
        if severity is None or self._is_silenced(event.server, subject):
            return None
        kind = self._kinds.setdefault(event.kind, _Kind())
        if len(kind.told) == MOST and now - kind.told[0] < WINDOW_S:
            kind.held.append(event)
            return None
        kind.told.append(now)
        servers = [event.server] if event.server else []
        return sender.message("notice", severity, redact(event.text), at=event.time, subject=subject, servers=servers)

    def held_back(self, sender: Sender, now: float, wall: float) -> list[AlertMessage]:
        """Return a message for each kind of which more came than are told one by one, once their time is over."""
        found = []
        for name, kind in self._kinds.items():
            if not kind.held or now - kind.told[0] < WINDOW_S:
                continue
            severity = max((severity_of(event) or Severity.INFO for event in kind.held), key=lambda one: one.rank)
            servers = sorted({event.server for event in kind.held} - {""})
            head = f"{len(kind.held)} more of the kind {name}"
            lines = [redact(event.text) for event in kind.held[:MOST]]
            found.append(sender.message("notice", severity, head, lines, at=wall, subject=name, servers=servers))
            kind.held.clear()
            kind.told.append(now)
        return found
