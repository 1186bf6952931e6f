"""Puts into words what there is to tell: one message per alert, and one for many that come at the same time. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from uuid import uuid4

from ...common.alert_message import AlertMessage
from ...common.hostranges import fold_names
from ...common.problems import Severity
from .keeper import Change, What
from .record import Affected, Alert

FEW = 4
"""More alerts of one look than this share a message."""
MOST_LINES = 20

KINDS = {What.REMINDER: "reminder", What.RECOVERED: "recovery"}


@dataclass(frozen=True, slots=True)
class Sender:
    """``site``: name of the installation; ``base_url``: address of its GUI, "" = not known."""

    site: str
    base_url: str = ""

    def message(
        self,
        kind: str,
        severity: Severity,
        title: str,
        lines: Iterable[str] = (),
        *,
        at: float,
        alert: int = 0,
        subject: str = "",
        servers: Iterable[str] = (),
        about: str = "",
    ) -> AlertMessage:
        base = self.base_url.rstrip("/")
        url = f"{base}/alerts/{alert}" if base and alert else f"{base}/alerts" if base else ""
        return AlertMessage(
            uuid4().hex, kind, severity, title, tuple(lines), at, alert, subject, tuple(servers), self.site, url, about
        )


def messages(changes: Iterable[Change], sender: Sender, at: float) -> list[AlertMessage]:
    """Return what is sent for the changes of one look, what is over first."""
    order = list(What)
    found: list[AlertMessage] = []
    by_what = sorted(changes, key=lambda change: (change.what is not What.RECOVERED, order.index(change.what)))
    for what, group in groupby(by_what, key=lambda change: change.what):
        together = list(group)
        if len(together) > FEW:
            found.append(_many(what, together, sender, at))
        else:
            found += [_one(change, sender, at) for change in together]
    return found


def _one(change: Change, sender: Sender, at: float) -> AlertMessage:
    alert = change.alert
    return sender.message(
        KINDS.get(change.what, "problem"),
        alert.severity,
        title(change, at),
        lines(change),
        at=at,
        alert=alert.id,
        subject=alert.subject,
        servers=alert.servers(),
        about=alert.kind,
    )


def _many(what: What, changes: list[Change], sender: Sender, at: float) -> AlertMessage:
    alerts = [change.alert for change in changes]
    severity = max((alert.severity for alert in alerts), key=lambda one: one.rank)
    servers = sorted({server for alert in alerts for server in alert.servers()})
    names = fold_names(alert.server or alert.subject for alert in alerts)
    word = {What.RECOVERED: "problems are over", What.REMINDER: "problems are still there"}.get(what, "problems")
    rows = [title(change, at) for change in changes[:MOST_LINES]]
    rows += [f"and {len(changes) - MOST_LINES} more"] if len(changes) > MOST_LINES else []
    head = f"{len(changes)} {word}: {', '.join(names[:MOST_LINES])}"
    kinds = {alert.kind for alert in alerts}
    about = kinds.pop() if len(kinds) == 1 else ""
    return sender.message(KINDS.get(what, "problem"), severity, head, rows, at=at, servers=servers, about=about)


def title(change: Change, at: float) -> str:
    """Return the line that says it all."""
    alert = change.alert
    span = words_of(at - alert.opened)
    return {
        What.OPENED: f"again: {alert.text}" if alert.again else alert.text,
        What.RAISED: f"now {alert.severity}: {alert.text}",
        What.FLAPPING: f"comes and goes, more is told once it is steady: {alert.text}",
        What.REMINDER: f"still, after {span}: {alert.text}",
        What.RECOVERED: f"over after {span}: {alert.text}",
    }[change.what]


def lines(change: Change) -> Iterator[str]:
    """Yield what else there is to say."""
    alert, over = change.alert, change.what is What.RECOVERED
    own, back, there = list[Affected](), list[Affected](), list[Affected]()
    for one in alert.affected.values():
        is_own = bool(one.server) and one.server == alert.server
        (back if one.until is not None else own if is_own else there).append(one)
    if over:
        yield from _listed("with it", back)
    for one in own[:FEW]:
        yield f"{'still' if over else 'also'}: {one.text}"
    yield from _listed("still wrong" if over else "with it", there)
    for other in change.merged:
        yield f"was told before as alert {other.id}: {other.text}"


def _listed(label: str, affected: list[Affected]) -> Iterator[str]:
    servers = sorted({one.server for one in affected if one.server})
    others = sorted({one.subject for one in affected if not one.server})
    if servers:
        folded = fold_names(servers)
        more = f" and {len(folded) - MOST_LINES} more" if len(folded) > MOST_LINES else ""
        yield f"{label}: {_count(len(servers), 'server')}: {', '.join(folded[:MOST_LINES])}{more}"
    if others:
        more = f" and {len(others) - MOST_LINES} more" if len(others) > MOST_LINES else ""
        yield f"{label}: {', '.join(others[:MOST_LINES])}{more}"


def describe(alert: Alert) -> str:
    """Return an alert in a line, for the log and the events."""
    count = len({one.server for one in alert.affected.values() if one.server and one.until is None})
    return f"alert {alert.id}: {alert.text}" + (f" (and {_count(count, 'server')} with it)" if count else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def words_of(seconds: float) -> str:
    """Return a span for reading: ``40 s``, ``12 min``, ``3 h 5 min``, ``2 days``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 2 * 86400:
        hours, minutes = divmod(whole // 60, 60)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{whole // 86400} days"
