"""The desk: takes what was seen and what people say, keeps it, and hands out messages. Used on one event loop."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from ...common.alert_message import AlertMessage
from ...common.clock import Clock
from ...common.errors import CommandError, StoreError
from ...common.events import Event, EventBus
from ...common.problems import Problem, Severity
from ...store.alert_store import AlertRow, AlertStore
from .causes import Edges
from .keeper import Keeper, What
from .notices import Notices
from .record import Alert, Silence, State
from .rules import Moment, Rules
from .telling import Sender, describe, messages

log = logging.getLogger(__name__)

EVENT = "alert"
T = TypeVar("T")
UNREADABLE = (TypeError, ValueError, KeyError, AttributeError)


class AlertDesk:
    """``put``: sends a message; ``fault``: why alerts are kept in memory only, "" while they are stored."""

    def __init__(
        self,
        store: AlertStore,
        clock: Clock,
        events: EventBus,
        put: Callable[[AlertMessage], None],
        rules: Rules,
        sender: Sender,
    ) -> None:
        self.sender = sender
        self.fault = ""
        self._store = store
        self._clock = clock
        self._events = events
        self._put = put
        self._keeper = Keeper(rules)
        self._notices = Notices(self._keeper.silences.cover)
        self._loaded = False

    def configure(self, rules: Rules, sender: Sender) -> None:
        """Go on by other rules."""
        self._keeper.rules, self.sender = rules, sender

    def _at(self) -> Moment:
        return Moment(self._clock.now(), self._clock.wall())

    # -- looking

    def load(self) -> None:
        """Take up what was open when the daemon stopped."""
        try:
            alerts, silences, newest = self._store.load()
        except StoreError as error:
            self._failed(error)
            return
        self._loaded = True
        self._keeper.next_id = newest + 1
        self._keeper.load(_read(alerts, Alert.of_body), _read(silences, Silence.of_dict), self._at())

    def look(self, problems: Iterable[Problem], passes: Edges) -> None:
        """Take in all problems there are now, and send what is to be told."""
        at, found = self._at(), list(problems)
        if self.fault:
            text = f"alerts are kept in memory only: {self.fault}"
            found.append(Problem("store/alerts", "store", Severity.WARNING, "daemon", text))
        known = {alert.id for alert in self._keeper.alerts.values()}
        changes = self._keeper.look(found, passes, at)
        self._publish(known)
        told = messages(changes, self.sender, at.wall) + self._notices.held_back(self.sender, at.now, at.wall)
        for change in changes:
            if change.what is not What.RECOVERED:
                log.info("%s", describe(change.alert))
        try:
            for message in told:
                self._put(message)
        finally:
            self.save()  # after they are safe: a crash between may have something told twice, but never not at all

    def _publish(self, known: set[int]) -> None:
        """Tell of alerts that came and went, as events."""
        for alert in list(self._keeper.changed.values()):
            if alert.closed is None and alert.id not in known:
                self._event(alert, "opened", describe(alert))
            elif alert.closed is not None and alert.id in known:
                over = f"is part of alert {alert.explained_by}" if alert.explained_by else "is over"
                self._event(alert, "closed", f"alert {alert.id} {over}: {alert.text}")

    def _event(self, alert: Alert, state: str, text: str) -> None:
        self._events.publish(EVENT, text, alert.server, alert=alert.id, state=state, severity=alert.severity.value)

    def notice(self, event: Event) -> None:
        """Send what an event has to tell by itself."""
        message = self._notices.take(event, self.sender, self._clock.now())
        if message is not None:
            self._put(message)

    # -- keeping

    def save(self) -> None:
        """Write what has changed; what cannot be written is tried again at the next look."""
        keeper = self._keeper
        if not self._loaded:  # the file could not be read: as soon as it can, numbers go on after those in it
            try:
                keeper.next_id = max(keeper.next_id, self._store.load()[2] + 1)
            except StoreError as error:
                self._failed(error)
                return
            self._loaded = True
        if not keeper.changed and not keeper.silences.changed and not self.fault:
            return
        rows = [AlertRow(one.id, one.opened, one.closed, one.body()) for one in keeper.changed.values()]
        silences = [one.as_dict() for one in keeper.silences.values()] if keeper.silences.changed else None
        try:
            self._store.put(rows, silences)
        except StoreError as error:
            self._failed(error)
            return
        if self.fault:
            log.info("alerts are stored again")
        self.fault, keeper.silences.changed = "", False
        keeper.changed.clear()

    def _failed(self, error: StoreError) -> None:
        if not self.fault:
            log.warning("alerts are kept in memory only: %s", error)
        self.fault = str(error)

    def close(self) -> None:
        self.save()
        self._store.close()

    # -- what people ask and say

    def counts(self) -> dict[str, int]:
        """Return how many alerts are open that nobody has acknowledged or silenced, by severity, the worst first."""
        count = Counter(one.severity for one in self._keeper.alerts.values() if one.state is State.OPEN)
        return {severity.value: count[severity] for severity in reversed(Severity)}

    def listed(self, state: str, since: float, limit: int) -> dict[str, Any]:
        """Return alerts, the worst of the open ones first, then those closed since, the newest first."""
        order = sorted(self._keeper.alerts.values(), key=lambda one: (-one.severity.rank, -one.opened, -one.id))
        found = [alert.as_dict() for alert in order] if state != "closed" else []
        if state != "open":
            closed = {alert.id: alert for alert in _read(self._stored_closed(since, limit), Alert.of_body)}
            recent = (one for one in self._keeper.changed.values() if one.closed is not None and one.closed >= since)
            closed |= {alert.id: alert for alert in recent}
            found += [closed[number].as_dict() for number in sorted(closed, reverse=True) if closed[number].closed]
        silences = [one.as_dict() for one in self._keeper.silences.values()]
        return {"alerts": found[:limit], "counts": self.counts(), "silences": silences}

    def _stored_closed(self, since: float, limit: int) -> list[dict[str, Any]]:
        try:
            return self._store.closed(since, limit)
        except StoreError as error:
            self._failed(error)
            return []

    def get(self, number: int) -> dict[str, Any]:
        """Return an alert with its history. Raises CommandError when there is none."""
        alert = self._keeper.get(number) or self._keeper.changed.get(number)
        if alert is None:
            try:
                body = self._store.get(number)
            except StoreError as error:
                raise CommandError(str(error), "refused") from error
            alert = next(iter(_read([body] if body else [], Alert.of_body)), None)
        if alert is None:
            raise CommandError(f"there is no alert {number}", "not_found")
        return alert.with_history()

    def acknowledge(self, number: int, who: str, note: str) -> dict[str, Any]:
        """Raises CommandError unless it is open."""
        alert = self._keeper.acknowledge(number, who, note, self._at())
        self._event(alert, "acknowledged", f"alert {number} was acknowledged by {who}{f': {note}' if note else ''}")
        self.save()
        return alert.with_history()

    def silence(self, servers: list[str], subject: str, seconds: float, who: str, note: str) -> dict[str, Any]:
        silence = self._keeper.silences.add(servers, subject, seconds, who, note, self._at())
        self.save()
        return silence.as_dict()

    def end_silence(self, number: int) -> dict[str, Any]:
        """Raises CommandError when there is no such silence."""
        silence = self._keeper.silences.end(number)
        self.save()
        return silence.as_dict()


def _read(rows: Iterable[dict[str, Any]], read: Callable[[dict[str, Any]], T]) -> list[T]:
    found = []
    for row in rows:
        try:
            found.append(read(row))
        except UNREADABLE as error:
            log.warning("a row of the alerts makes no sense and is left out: %r", error)
    return found
