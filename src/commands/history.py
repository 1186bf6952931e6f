"""Commands that look back: eventsHistory, timeline, timelines, durations, annotate."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice
from statistics import median, quantiles
from typing import Any

from ..common.CommunicationHandler import current_caller
from ..common.errors import CommandError
from ..common.events import Event
from ..common.services import DaemonServices
from ..engine.event_log import newest_first
from .group import CommandGroup, Data
from .selection import SELECTOR_HELP, servers_of, text_of
from .timeline import build, tells_of_failure
from .times import SINCE, UNTIL, count_of, span_of

DAY_S = 86400.0
CLOCK_STEP_S = 7200.0
"""Events stand in the order in which they happened; a clock that was set may have dated some later ones earlier."""
LONGEST_NOTE = 2000
MOST_SERVERS = 100
MOST_LOOKED_AT = 200_000


class HistoryCommands(CommandGroup):
    """A viewer may use them; an operator may annotate."""

    def __init__(self, daemon: DaemonServices) -> None:
        super().__init__(daemon)
        self.add(
            "eventsHistory",
            self.events,
            params={
                "since?": f"{SINCE}; default: all that is kept",
                "until?": UNTIL,
                "server?": "name",
                "kind?": "kind of event, or a list of kinds",
                "who?": "name of a user or a token",
                "via?": "cli, gui, socket or plugin",
                "failed?": "true: only what tells of a failure",
                "text?": "what the event or its reason has in it, in whatever case",
                "limit?": "how many at most; default 100",
                "before?": "number of an event: only earlier ones, for the next page",
            },
        )
        self.add(
            "timeline", self.timeline, params={"server": "name", "since?": f"{SINCE}; default: a day", "until?": UNTIL}
        )
        self.add(
            "timelines",
            self.timelines,
            params={"servers": SELECTOR_HELP, "since?": f"{SINCE}; default: a day", "until?": UNTIL},
        )
        self.add("durations", self.durations, params={"server?": "name; left out: all"})
        self.add(
            "annotate",
            self.annotate,
            "operator",
            {"text": "what is to be remembered", "server?": "name", "event?": "number of the event that it is about"},
        )

    def events(self, data: Data) -> Data:
        """Return what happened, newest first, also before the daemon's last restart; passing things are left out.

        ``next`` is the ``before`` of the next page, null at the end. ``fault``: why only what is in memory is known.
        """
        limit = count_of(data, "limit", 100, 1000)
        found = [event.as_dict() for event in islice(self._matching(data), limit + 1)]
        return {
            "events": found[:limit],
            "next": found[limit - 1]["seq"] if len(found) > limit else None,
            "fault": self.engine.store.log.fault,
        }

    def _matching(self, data: Data) -> Iterator[Event]:
        now = self.engine.core.clock.wall()
        since, until = float("-inf"), float("inf")
        if data.get("since") is not None or data.get("until") is not None:
            since, until = span_of(data, now, now)
        before = None if data.get("before") is None else count_of(data, "before", 1, 2**62)
        kinds = data.get("kind")
        wanted = {name: text_of(data, name) for name in ("server", "who", "via") if data.get(name)}
        part = text_of(data, "text", "").lower()
        if kinds and not isinstance(kinds, str | list):
            raise CommandError(f"kind is {kinds!r}: a kind of event is needed, or a list of kinds")
        for event in islice(newest_first(self.engine.store, self._daemon.events, before), MOST_LOOKED_AT):
            if event.time < since - CLOCK_STEP_S:
                return
            if (
                since <= event.time < until
                and (not kinds or event.kind in ([kinds] if isinstance(kinds, str) else kinds))
                and all(_value(event, name) == value for name, value in wanted.items())
                and (not data.get("failed") or tells_of_failure(event))
                and (part in event.text.lower() or part in str(event.data.get("why", "")).lower())
            ):
                yield event

    def timeline(self, data: Data) -> Data:
        """Return what became of a server: ``bands`` of states, and the moments of attempts, tests and commands."""
        server = text_of(data, "server")
        now = self.engine.core.clock.wall()
        since, until = span_of(data, now, DAY_S)
        events = self._story({server}, since)
        if server not in self.network and not any(event.server == server for event in events):
            raise CommandError(f"there is no server {server}, and nothing is known of one", "not_found")
        passing = [event for event in self._daemon.events.since(0) if event.kind == "test" and event.server == server]
        events = sorted([*events, *passing], key=lambda event: event.seq)
        return {"server": server, **self._line(events, server, since, min(until, max(now, since)))}

    def timelines(self, data: Data) -> Data:
        """Return for each of some servers what ``timeline`` does, without tests; ``left_out``: how many are missing."""
        everybody = servers_of(self.network, data)
        names = everybody[:MOST_SERVERS]
        now = self.engine.core.clock.wall()
        since, until = span_of(data, now, DAY_S)
        until = min(until, max(now, since))
        of_all: list[Event] = []
        by_server: dict[str, list[Event]] = {name: [] for name in names}
        for event in self._story(set(names), since):
            for place in by_server.values() if not event.server else [by_server.get(event.server, of_all)]:
                place.append(event)
        lines = [{"server": name, **self._line(by_server[name], name, since, until)} for name in names]
        return {"since": since, "until": until, "timelines": lines, "left_out": len(everybody) - len(names)}

    def _story(self, servers: set[str], since: float) -> list[Event]:
        """Return the events, oldest first, from before ``since`` on as far back as to tell the state then."""
        found: deque[Event] = deque()
        unknown = set(servers)
        for event in islice(newest_first(self.engine.store, self._daemon.events), MOST_LOOKED_AT):
            if event.time < since - CLOCK_STEP_S and not unknown:
                break
            if event.kind == "state" and event.time < since:
                unknown.discard(event.server)
            found.appendleft(event)
        return list(found)

    def _line(self, events: list[Event], server: str, since: float, until: float) -> Data:
        node = self.network.getServer(server)
        return build(events, server, since, until, node.facts.op_state.value if node is not None else "").as_dict()

    def durations(self, data: Data) -> Data:
        """Return how long servers took to start (on) and to stop (off) the last times: seconds, median, p95."""
        names = [node.name for node in self.network]
        if data.get("server") is not None:
            names = [text_of(data, "server")]
            if names[0] not in self.network:
                raise CommandError(f"there is no server {names[0]}", "not_found")
        known = self.look(lambda: {name: self.engine.durations.known(name) for name in names})
        return {
            "servers": {
                name: {action: _figures(seconds) for action, seconds in found.items() if seconds}
                for name, found in known.items()
            }
        }

    def annotate(self, data: Data) -> Data:
        """Add a note to the history; returns its number."""
        text = text_of(data, "text").strip()
        if not text or len(text) > LONGEST_NOTE:
            raise CommandError(
                f"text is {'empty' if not text else 'too long'}: up to {LONGEST_NOTE} letters are needed"
            )
        server = text_of(data, "server", "")
        if server and server not in self.network:
            raise CommandError(f"there is no server {server}", "not_found")
        about = {} if data.get("event") is None else {"event": count_of(data, "event", 1, 2**62)}
        caller = current_caller()
        note = self._daemon.events.publish("note", text, server, who=caller.name, via=caller.via, **about)
        return {"seq": note.seq}


def _value(event: Event, name: str) -> Any:
    return event.server if name == "server" else event.data.get(name, "")


def _figures(seconds: list[float]) -> dict[str, Any]:
    worst = quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]
    return {"seconds": seconds, "median": round(median(seconds), 3), "p95": round(worst, 3)}
