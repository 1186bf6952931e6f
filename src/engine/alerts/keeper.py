"""From problems that come and go to alerts that people are told of, once each. No I/O, no clock of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ...common.errors import CommandError
from ...common.problems import Problem, Severity
from .causes import Edges
from .record import Acknowledged, Affected, Alert, Silence
from .rules import Moment, Rules
from .silences import Silences
from .tracks import Track, Tracks

AGAIN = 2
"""What comes back for this time within ``steady`` of its end flaps."""


class What(StrEnum):
    """What there is to tell of an alert."""

    OPENED = "opened"
    RAISED = "raised"
    FLAPPING = "flapping"
    REMINDER = "reminder"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class Change:
    """``merged``: alerts told before that this one explains."""

    what: What
    alert: Alert
    merged: tuple[Alert, ...] = ()


@dataclass(slots=True)
class _Timer:
    """Moments of the clock that an alert's rules need; they begin anew with the daemon."""

    told: float
    closed: float = 0.0


@dataclass(slots=True)
class Keeper:
    """All that is there, and what was told of it.

    ``changed``  alerts that are to be stored; emptied by who does

    Each look takes all problems there are. One that has lasted ``confirm`` becomes an alert if nothing explains it;
    what an alert explains is part of it, however late that shows. At most one alert is open for a key.
    """

    rules: Rules
    next_id: int = 1
    silences: Silences = field(default_factory=Silences)
    alerts: dict[str, Alert] = field(default_factory=dict)  # the open ones, by the keys of their problems
    changed: dict[int, Alert] = field(default_factory=dict)
    _tracks: Tracks = field(default_factory=Tracks)
    _timers: dict[int, _Timer] = field(default_factory=dict)
    _closed: dict[str, Alert] = field(default_factory=dict)  # which ended not long ago, and may come back

    def load(self, alerts: Iterable[Alert], silences: Iterable[Silence], at: Moment) -> None:
        """Go on with what was open when the daemon stopped: it is not told again, and over if it is not there."""
        late = max(0.0, self.rules.confirm - self.rules.settle)  # devices and tests have time to show it
        for alert in alerts:
            problem = Problem(alert.key, alert.kind, alert.severity, alert.subject, alert.text, alert.server)
            self.alerts[alert.key] = alert
            self._tracks[alert.key] = Track(problem, alert.opened, at.now, self.rules.confirm, gone=at.now + late)
            passed = at.wall - max(alert.told, default=at.wall)
            self._timers[alert.id] = _Timer(at.now - min(max(passed, 0.0), self.rules.remind))
            self.next_id = max(self.next_id, alert.id + 1)
        self.silences.load(silences, at)

    # -- a look

    def look(self, problems: Iterable[Problem], passes: Edges, at: Moment) -> list[Change]:
        """Take in all problems there are now; returns what is to be told, in order. ``passes``: see ``causes``."""
        self._tracks.look(problems, passes, at, self.rules.settle, self.alerts)
        changes = self._end(at)
        self._open(at)
        self._heed_silences(at)
        merged = self._explain(at)
        for alert in self.alerts.values():
            changes += self._tell(alert, merged.get(alert.id, ()), at)
        return changes

    def _end(self, at: Moment) -> list[Change]:
        """Close what is over. A cause is kept until what it took along is back, too, or has had time enough."""
        behind = {root for track in self._tracks.values() if track.gone is None for root in track.roots}
        changes = []
        for key, alert in list(self.alerts.items()):
            track = self._tracks[key]
            if track.gone is None:
                continue
            gone = at.now - track.gone
            if gone < (self.rules.steady if alert.flapping else self.rules.settle):
                continue
            if key in behind and gone < self.rules.grace:
                continue
            self._close(alert, at, "over")
            self._closed[key] = alert
            del self._tracks[key]
            if alert.is_told:
                changes.append(Change(What.RECOVERED, alert))
                alert.tell(at.wall, "recovery")
        for key, alert in list(self._closed.items()):
            if at.now - self._timers[alert.id].closed > self.rules.steady:
                del self._closed[key], self._timers[alert.id]
        return changes

    def _close(self, alert: Alert, at: Moment, why: str) -> None:
        alert.closed = at.wall
        alert.note(at.wall, "closed", why)
        for key, one in alert.affected.items():
            if one.until is None and ((still := self._tracks.get(key)) is None or still.gone is not None):
                one.until = at.wall
        del self.alerts[alert.key]
        self._timers[alert.id].closed = at.now
        self.changed[alert.id] = alert

    def _open(self, at: Moment) -> None:
        """Open alerts for what has lasted long enough: the roots first, for they may explain the others."""
        due = [
            (key, track)
            for key, track in self._tracks.items()
            if track.gone is None and track.lasted >= self.rules.confirm and key not in self.alerts
        ]
        for _, track in due:
            if not track.roots:
                self._begin(track.problem, at)
        late = self.rules.confirm + self.rules.grace  # its cause comes and goes, and is never told
        for _, track in due:
            if track.roots and track.lasted >= late and not any(root in self.alerts for root in track.roots):
                self._begin(track.problem, at)

    def _begin(self, problem: Problem, at: Moment) -> None:
        alert = self._closed.pop(problem.key, None)
        if alert is None:
            alert = Alert(
                self.next_id,
                problem.key,
                problem.kind,
                problem.severity,
                problem.subject,
                problem.server,
                problem.text,
                problem.text,
                at.wall,
                worst=problem.severity,
            )
            self.next_id += 1
            alert.note(at.wall, "opened", problem.text)
        else:
            alert.closed, alert.acknowledged, alert.affected, alert.affected_count = None, None, {}, 0
            alert.title = alert.text = problem.text
            alert.severity = alert.worst = problem.severity
            alert.again += 1
            alert.flapping = alert.again >= AGAIN
            alert.note(at.wall, "came back", problem.text)
        self.alerts[problem.key] = alert
        self._timers[alert.id] = _Timer(at.now)
        self.changed[alert.id] = alert

    # -- causes

    def _explain(self, at: Moment) -> dict[int, tuple[Alert, ...]]:
        """Put each problem under the alerts that explain it; returns what becomes part of which alert by that."""
        below: dict[str, dict[str, Track]] = {}
        for key, track in self._tracks.items():
            for root in track.roots if track.gone is None else ():
                if root in self.alerts:
                    below.setdefault(root, {})[key] = track
        merged: dict[int, tuple[Alert, ...]] = {}
        for root, symptoms in below.items():
            alert = self.alerts[root]
            speaks = alert.is_told or not (alert.silenced or self._tracks[root].gone is not None)
            for other in [self.alerts[key] for key in symptoms if key in self.alerts]:
                if not other.is_told or speaks:  # else nobody would ever tell that it is over
                    self._merge(other, alert, at)
                    merged[alert.id] = (*merged.get(alert.id, ()), *([other] if other.is_told else ()))
        for root, alert in self.alerts.items():
            symptoms = below.get(root, {})
            self._renew(alert, self._tracks[root].problem, symptoms.values())
            self._update_affected(alert, symptoms, at)
        return merged

    def _renew(self, alert: Alert, problem: Problem, symptoms: Iterable[Track]) -> None:
        """Have it say what it is by now. It is as severe as the worst that is part of it."""
        severity = max([problem, *(track.problem for track in symptoms)], key=lambda one: one.severity.rank).severity
        if alert.severity is not severity:
            self.changed[alert.id] = alert
        alert.severity, alert.text = severity, problem.text

    def _merge(self, other: Alert, alert: Alert, at: Moment) -> None:
        other.explained_by = alert.id
        self._close(other, at, f"it is part of alert {alert.id}: {alert.text}")
        del self._timers[other.id]
        alert.note(at.wall, "explains", f"alert {other.id}: {other.text}")

    def _update_affected(self, alert: Alert, symptoms: Mapping[str, Track], at: Moment) -> None:
        before = alert.affected
        for key, track in symptoms.items():
            one = before.get(key)
            if one is None or one.until is not None:
                problem = track.problem
                before[key] = Affected(problem.subject, problem.server, problem.text, track.since)
                self.changed[alert.id] = alert
        alert.affected_count = len(before)
        if len(symptoms) < len(before):
            for key, one in before.items():
                if key not in symptoms and one.until is None:
                    one.until = at.wall
                    self.changed[alert.id] = alert

    # -- telling

    def _heed_silences(self, at: Moment) -> None:
        self.silences.expire(at)
        for alert in self.alerts.values():
            silenced = self.silences.cover(alert.server, alert.subject)
            if silenced is not alert.silenced:
                alert.silenced = silenced
                alert.note(at.wall, "silenced" if silenced else "no longer silenced")
                self.changed[alert.id] = alert

    def _tell(self, alert: Alert, merged: tuple[Alert, ...], at: Moment) -> list[Change]:
        track, timer = self._tracks[alert.key], self._timers[alert.id]
        if track.gone is not None or alert.silenced:
            return []
        if alert.flapping and at.now - track.back >= self.rules.steady:
            alert.flapping, alert.again = False, 0
            self.changed[alert.id] = alert
        what = self._due(alert, timer, at)
        if what is None:
            return []
        alert.worst = max(alert.worst, alert.severity, key=lambda severity: severity.rank)
        timer.told = at.now
        alert.tell(at.wall, what.value)
        self.changed[alert.id] = alert
        return [Change(what, alert, merged)]

    def _due(self, alert: Alert, timer: _Timer, at: Moment) -> What | None:
        if not alert.is_told:
            return What.FLAPPING if alert.flapping else What.OPENED
        if alert.severity.rank > alert.worst.rank:
            return What.RAISED
        quiet = alert.flapping or alert.acknowledged is not None or alert.severity is Severity.INFO
        if self.rules.remind and not quiet and at.now - timer.told >= self.rules.remind:
            return What.REMINDER
        return None

    # -- what people say

    def get(self, number: int) -> Alert | None:
        """Return an open alert, or one that ended not long ago."""
        return next((one for one in (*self.alerts.values(), *self._closed.values()) if one.id == number), None)

    def acknowledge(self, number: int, who: str, note: str, at: Moment) -> Alert:
        """Have no more reminders of an alert sent. Raises CommandError unless it is open."""
        alert = self.get(number)
        if alert is None or alert.closed is not None:
            raise CommandError(f"there is no open alert {number}", "not_found")
        alert.acknowledged = Acknowledged(who, at.wall, note)
        alert.note(at.wall, "acknowledged", note, who)
        self.changed[alert.id] = alert
        return alert
