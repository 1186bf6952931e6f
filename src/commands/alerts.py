"""Commands about alerts: what is wrong, who has taken note of it, and what nobody wants to hear of for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..common.CommunicationHandler import current_caller
from ..common.errors import CommandError
from ..common.services import DaemonServices
from ..engine.alerts.desk import AlertDesk
from .group import CommandGroup, Data
from .selection import SELECTOR_HELP, servers_of, text_of
from .times import SINCE, count_of, span_of

STATES = ("open", "closed", "all")
LONGEST_S = 366 * 86400.0
DEFAULT_S = 30 * 86400.0
MOST, DEFAULT = 1000, 200
LONGEST_NOTE = 1000

Ask = Callable[[Callable[[], Data]], Data]


class AlertCommands(CommandGroup):
    """Everybody may look; an operator takes note and silences. ``ask``: calls a function where the desk is used."""

    def __init__(self, daemon: DaemonServices, desk: AlertDesk, ask: Ask) -> None:
        super().__init__(daemon)
        self._desk = desk
        self._ask = ask
        self.add(
            "getAlerts",
            self.get_all,
            params={
                "state?": f"{', '.join(STATES)}; default: open",
                "since?": f"of the closed ones only those that ended since: {SINCE}; default: 30 days ago",
                "limit?": f"how many, up to {MOST}; default {DEFAULT}",
            },
        )
        self.add("getAlert", self.get, params={"alert": "number"})
        self.add(
            "acknowledgeAlert", self.acknowledge, "operator", {"alert": "number", "note?": "what is done about it"}
        )
        self.add(
            "silenceAlerts",
            self.silence,
            "operator",
            {
                "servers?": SELECTOR_HELP,
                "subject?": "what else it is for, such as outlets/pdu-a; * and ? stand for any",
                "for": "seconds",
                "note?": "why",
            },
        )
        self.add("endSilence", self.end_silence, "operator", {"silence": "number"})

    def get_all(self, data: Data) -> Data:
        """Return ``alerts``, the open ones first, the ``counts`` of the open ones by severity, and the ``silences``.

        An alert's ``affected`` are the problems that it explains, ``affected_count`` all of them. Its ``state`` is
        open, acknowledged, silenced or closed. Moments are seconds since 1970.
        """
        state = text_of(data, "state", "open")
        if state not in STATES:
            raise CommandError(f"state is {state!r}: use {', '.join(STATES)}")
        since, _ = span_of(
            {"since": data["since"]} if "since" in data else {}, self.engine.core.clock.wall(), DEFAULT_S
        )
        limit = count_of(data, "limit", DEFAULT, MOST)
        return self._ask(lambda: self._desk.listed(state, since, limit))

    def get(self, data: Data) -> Data:
        """Return an alert with its ``history``."""
        number = _number(data, "alert")
        return self._ask(lambda: self._desk.get(number))

    def acknowledge(self, data: Data) -> Data:
        """Take note of an open alert: nobody is reminded of it any more; that it is over is told all the same."""
        number, note, who = _number(data, "alert"), _note(data), current_caller().name
        return self._ask(lambda: self._desk.acknowledge(number, who, note))

    def silence(self, data: Data) -> Data:
        """Have nothing told of servers, or of a subject, for a time; what is still wrong then is told then."""
        servers = servers_of(self.network, data) if data.get("servers") else []
        subject = text_of(data, "subject", "")
        seconds: Any = data["for"]
        known = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if not known or not 0 < seconds <= LONGEST_S:  # (nan is no more than 0, either)
            raise CommandError(f"for is {str(seconds)[:40]}: use seconds, above 0 and up to {LONGEST_S:.0f}")
        if not servers and not subject:
            raise CommandError("name servers or a subject to silence")
        note, who = _note(data), current_caller().name
        return self._ask(lambda: self._desk.silence(servers, subject, float(seconds), who, note))

    def end_silence(self, data: Data) -> Data:
        """End a silence before its time."""
        number = _number(data, "silence")
        return self._ask(lambda: self._desk.end_silence(number))


def _number(data: Data, key: str) -> int:
    return count_of(data, key, 0, 2**53)


def _note(data: Data) -> str:
    note = text_of(data, "note", "").strip()
    if len(note) > LONGEST_NOTE:
        raise CommandError(f"note has {len(note)} characters: {LONGEST_NOTE} are enough")
    return note
