"""Alerts and silences: what is remembered of them. Times are seconds since 1970."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from ...common.problems import Severity

MOST_AFFECTED = 200
"""So many of what an alert takes along are listed and stored; all are counted."""
MOST_HAPPENINGS, MOST_TOLD = 100, 50


class State(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SILENCED = "silenced"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Acknowledged:
    who: str
    at: float
    note: str = ""


@dataclass(slots=True)
class Affected:
    """A problem that the alert's explains. ``until``: when that ended, None while it lasts."""

    subject: str
    server: str
    text: str
    since: float
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """A line of an alert's history."""

    at: float
    what: str
    text: str = ""
    who: str = ""


@dataclass(slots=True)
class Alert:
    """A problem that is told, or would be if it were not silenced, with all that it explains.

    ``worst``         the most severe that it was since it opened
    ``told``          when messages about it were sent
    ``is_told``       a message says that it is there, and none yet that it is over
    ``again``         how often it has come back soon after it was over
    ``flapping``      it comes and goes; nothing more is told until it is steady
    ``explained_by``  number of the alert that it became a part of, 0 = none
    ``affected``      by the keys of the problems
    """

    id: int
    key: str
    kind: str
    severity: Severity
    subject: str
    server: str
    title: str
    text: str
    opened: float
    closed: float | None = None
    worst: Severity = Severity.INFO
    told: list[float] = field(default_factory=list)
    is_told: bool = False
    silenced: bool = False
    acknowledged: Acknowledged | None = None
    again: int = 0
    flapping: bool = False
    explained_by: int = 0
    affected: dict[str, Affected] = field(default_factory=dict)
    affected_count: int = 0
    history: list[Happening] = field(default_factory=list)

    @property
    def state(self) -> State:
        if self.closed is not None:
            return State.CLOSED
        if self.acknowledged is not None:
            return State.ACKNOWLEDGED
        return State.SILENCED if self.silenced else State.OPEN

    def note(self, at: float, what: str, text: str = "", who: str = "") -> None:
        """Add a line to the history; of a very long one the middle is left out."""
        self.history.append(Happening(at, what, text, who))
        if len(self.history) > MOST_HAPPENINGS:
            del self.history[MOST_HAPPENINGS // 2]

    def tell(self, at: float, what: str) -> None:
        """Take down that a message is sent."""
        self.is_told = what != "recovery"
        self.told = [*self.told[1 - MOST_TOLD :], at]
        self.note(at, "told", what)

    def servers(self) -> list[str]:
        """Return the servers that it is about: its own and those of all that it explains, or did."""
        return sorted({self.server, *(one.server for one in self.affected.values())} - {""})

    def as_dict(self) -> dict[str, Any]:
        """Return it for a client."""
        return {
            "id": self.id,
            "state": self.state.value,
            "severity": self.severity.value,
            "kind": self.kind,
            "subject": self.subject,
            "server": self.server,
            "title": self.title,
            "text": self.text,
            "opened": self.opened,
            "closed": self.closed,
            "flapping": self.flapping,
            "explained_by": self.explained_by,
            "told": [{"at": at} for at in self.told],
            "acknowledged": asdict(self.acknowledged) if self.acknowledged is not None else None,
            "affected": [asdict(one) for one in list(self.affected.values())[:MOST_AFFECTED]],
            "affected_count": self.affected_count,
        }

    def with_history(self) -> dict[str, Any]:
        return {**self.as_dict(), "history": [asdict(one) for one in self.history]}

    def body(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it, see ``of_body``."""
        found = asdict(self)
        found["affected"] = dict(list(found["affected"].items())[:MOST_AFFECTED])
        return found

    @classmethod
    def of_body(cls, body: Mapping[str, Any]) -> Alert:
        """Return what ``body`` gave. Raises TypeError, ValueError, KeyError or AttributeError for anything else."""
        acknowledged = body["acknowledged"]
        return cls(
            **{
                **body,
                "severity": Severity(body["severity"]),
                "worst": Severity(body["worst"]),
                "acknowledged": Acknowledged(**acknowledged) if acknowledged is not None else None,
                "affected": {key: Affected(**one) for key, one in body["affected"].items()},
                "history": [Happening(**one) for one in body["history"]],
            }
        )


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing is told of these servers, nor of subjects that ``subject`` fits (``*`` and ``?`` stand for any), until
    ``until``."""

    id: int
    servers: tuple[str, ...]
    subject: str
    until: float
    who: str
    note: str
    at: float

    def covers(self, server: str, subject: str) -> bool:
        return bool(server and server in self.servers) or fnmatchcase(subject, self.subject)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "servers": list(self.servers)}

    @classmethod
    def of_dict(cls, data: Mapping[str, Any]) -> Silence:
        """Return what ``as_dict`` gave. Raises TypeError, ValueError or KeyError for anything else."""
        return cls(**{**data, "servers": tuple(data["servers"])})
