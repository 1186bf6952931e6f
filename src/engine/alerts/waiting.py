"""What waits for one channel, and what of it goes out next. Pure: tuples in, tuples out.

Messages of one alert keep their order; never comes a recovery before its problem. What is outdated while it waits is
not sent: the newest word about a problem takes the place of an older one, and a problem that is over before it could
be told is told in one message with its end. Those go out together, and so does everything when there is too much.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ...common.alert_message import AlertMessage
from ...common.problems import Severity
from .digest import digest, newer, over

MOST = 500
"""Messages that wait for one channel at most."""


@dataclass(frozen=True, slots=True)
class Entry:
    """``seq`` orders; ``stamp``: of the clock, when it came; ``over``: a problem with its end, not told before."""

    seq: int
    message: AlertMessage
    stamp: str
    over: bool = False


Entries = tuple[Entry, ...]


def merged(entries: Entries) -> Entries:
    """Return the entries without what later ones of the same alert have made superfluous."""
    kept: dict[int, Entry] = {}
    last: dict[int, Entry] = {}  # of each alert, unless that is at its end
    for entry in entries:
        message, before = entry.message, last.get(entry.message.alert)
        if message.kind == "digest" or not message.alert:
            kept[entry.seq] = entry
        elif before is None:
            kept[entry.seq] = entry
            if message.kind in ("problem", "reminder"):
                last[message.alert] = entry
        elif message.kind == "recovery":
            del kept[before.seq], last[message.alert]
            told = before.message.kind == "reminder"  # it was: only a reminder of it waits
            kept[entry.seq] = entry if told else replace(entry, message=over(before.message, message), over=True)
        elif message.kind in ("problem", "reminder"):
            kept[before.seq] = last[message.alert] = replace(before, message=newer(before.message, message))
        else:
            kept[entry.seq] = entry
    return tuple(sorted(kept.values(), key=lambda entry: entry.seq))


def bounded(entries: Entries, most: int = MOST) -> tuple[Entries, int]:
    """Return at most ``most`` entries and how many had to go: the least serious first, of those the oldest."""
    too_many = len(entries) - most
    if too_many <= 0:
        return entries, 0
    going = sorted(entries, key=lambda entry: (entry.message.severity.rank, entry.seq))[:too_many]
    gone = {entry.seq for entry in going}
    return tuple(entry for entry in entries if entry.seq not in gone), too_many


def unexpired(entries: Entries, age: Callable[[Entry], float], keep_for: float) -> tuple[Entries, int]:
    """Return the entries that have not waited for longer than ``keep_for``, and how many have."""
    kept = tuple(entry for entry in entries if age(entry) <= keep_for)
    return kept, len(entries) - len(kept)


def going(entries: Entries, may_go: Callable[[Severity], bool], allowed: float) -> Entries:
    """Return what goes out next as one message: several entries as a digest, none if nothing may go.

    ``may_go``   whether a message of a severity is not held by quiet hours; it takes those before it of its alert along
    ``allowed``  how many messages may still be sent now; when that does not suffice, the last one is a digest of all
    """
    ready = _ready(entries, may_go)
    if not ready or allowed < 1:
        return ()
    first = ready[0]
    if first.message.kind == "digest":  # one that could not be delivered: it stays what it is
        return (first,)
    done = tuple(entry for entry in ready if entry.over)
    if allowed < 2 and len(ready) - len(done) + bool(done) > 1:
        return tuple(entry for entry in ready if entry.message.kind != "digest")
    return done if first.over else (first,)


def _ready(entries: Entries, may_go: Callable[[Severity], bool]) -> Entries:
    ready, alerts = list[Entry](), set[int]()
    for entry in reversed(entries):
        alert = entry.message.alert
        if may_go(entry.message.severity) or alert in alerts:
            ready.append(entry)
            if alert:
                alerts.add(alert)
    return tuple(reversed(ready))


def as_one(entries: Sequence[Entry]) -> Entry:
    """Return one entry in the place of those that go out together."""
    if len(entries) == 1:
        return entries[0]
    return Entry(entries[0].seq, digest([entry.message for entry in entries]), entries[0].stamp)
