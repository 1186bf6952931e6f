"""What became of one server over time, put together from events. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ..common.common import FAILED_START, PERMANENT, SWITCHING, OpState
from ..common.events import Event

ORDERS = frozenset({"run", "force", "hold", "emergency", "note"})
"""What people do, and what is done in their name."""


TROUBLE = frozenset({"device", "drift", "cut", "relay", "circuit", "emergency"})
FAILED = frozenset({*FAILED_START, *PERMANENT, OpState.failedToStop, OpState.UNKNOWN, "failed"})


@dataclass(slots=True)
class Band:
    """A stretch of time in one state.

    ``state``  the documented text; "" while the daemon did not run
    ``why``    what the change to it was put down to
    ``run``    number of the run that the server was part of, and ``who`` ordered it
    """

    start: float
    end: float
    state: str
    why: str = ""
    run: int | None = None
    who: str = ""


@dataclass(slots=True)
class Timeline:
    """``attempts``, ``tests``, ``commands`` and ``others`` are moments: dicts with ``time``, ``text`` and more."""

    since: float
    until: float
    bands: list[Band] = field(default_factory=list)
    attempts: list[dict[str, Any]] = field(default_factory=list)
    tests: list[dict[str, Any]] = field(default_factory=list)
    commands: list[dict[str, Any]] = field(default_factory=list)
    others: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def concerns(event: Event, server: str) -> bool:
    """Tell whether an event has to do with a server, or with all of them."""
    if event.server:
        return event.server == server
    if event.kind == "run":
        return server in event.data.get("servers", ())
    return event.kind == "emergency" or (event.kind == "daemon" and "phase" in event.data) or event.kind == "note"


def tells_of_failure(event: Event) -> bool:
    """Tell whether something did not go as it was to."""
    return bool(event.data.get("failed")) or event.data.get("state") in FAILED or event.kind in TROUBLE


def build(events: Iterable[Event], server: str, since: float, until: float, now_state: str) -> Timeline:
    """Return the timeline of ``server``.

    ``events``     oldest first, from before ``since`` on if there are any
    ``now_state``  what it is now: all that there is to say of a server that nothing happened to
    """
    line = Timeline(since, until)
    found = [event for event in events if event.time < until and concerns(event, server)]
    line.bands = _clip(_with_runs(_bands(found, now_state, since, until), found), since, until)
    for event in found:
        if event.time < since:
            continue
        moment = {"time": event.time, "text": event.text, "kind": event.kind, "seq": event.seq}
        if event.kind == "test":
            line.tests.append({**moment, "passed": "SUCCEEDED" in event.text})
        elif event.kind == "state" and event.data.get("state") in SWITCHING:
            line.attempts.append({**moment, "state": event.data["state"]})
        elif event.kind in ORDERS:
            line.commands.append({**moment, **{k: event.data.get(k, "") for k in ("who", "via", "note", "run")}})
        elif event.kind not in ("state", "daemon"):
            line.others.append(moment)
    return line


def _bands(events: Sequence[Event], now_state: str, since: float, until: float) -> list[Band]:
    """Return all stretches, those before ``since``, too."""
    bands: list[Band] = []
    changes = [event for event in events if event.kind in ("state", "daemon")]
    if not any(event.kind == "state" for event in changes):
        begin = next((event.time for event in changes if event.data.get("phase") == "start"), since)
        return [Band(min(begin, until), until, now_state)]
    first = next(event for event in changes if event.kind == "state")
    start = next((event.time for event in changes if event.data.get("phase") == "start"), since)
    if first.data.get("before") != OpState.INIT.value and min(start, since) < first.time:
        bands.append(Band(min(start, since), first.time, str(first.data.get("before", ""))))
    for event in changes:
        phase, last = event.data.get("phase"), bands[-1].state if bands else None
        if event.kind == "state":
            new = Band(event.time, until, str(event.data.get("state", "")), str(event.data.get("why", "")))
        elif phase == "stop" and last is not None:
            new = Band(event.time, until, "", "the daemon did not run")
        elif phase == "start" and last == "":  # else it has begun to look around before it said so
            new = Band(event.time, until, OpState.INIT.value)
        else:
            continue
        if bands:
            bands[-1].end = max(event.time, bands[-1].start)
        bands.append(new)
    return bands


def _with_runs(bands: list[Band], events: Sequence[Event]) -> list[Band]:
    """Name for each stretch that began while a run had the server which one that was."""
    begun: dict[int, tuple[Event, float]] = {}
    for event in events:
        if event.kind == "run" and "run" in event.data:
            number = event.data["run"]
            if number not in begun:
                begun[number] = (event, float("inf"))
            else:
                begun[number] = (begun[number][0], event.time)
    for band in bands:
        for number, (event, end) in begun.items():
            if event.time <= band.start <= end:
                band.run, band.who = number, str(event.data.get("who", ""))
    return bands


def _clip(bands: Iterable[Band], since: float, until: float) -> list[Band]:
    """Return what lies within, without stretches of no length."""
    clipped = []
    for band in bands:
        band.start, band.end = max(band.start, since), min(band.end, until)
        if band.start < band.end:
            clipped.append(band)
    return clipped
