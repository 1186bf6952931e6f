"""Messages made of messages: of a problem and its end, of many, and with a word about those that were lost. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ...common.alert_message import AlertMessage
from ...common.problems import Severity
from ...config.types_numbers import format_duration

LINES_MOST = 30
"""More titles than these are only counted: every receiver has a limit, and no reader reads on."""

_NOUNS = {
    "problem": ("problem", "problems"),
    "recovery": ("recovery", "recoveries"),
    "reminder": ("reminder", "reminders"),
    "notice": ("notice", "notices"),
}


def over(problem: AlertMessage, recovery: AlertMessage) -> AlertMessage:
    """Return one message of a problem that was over before it could be told."""
    lasted = format_duration(round(max(0.0, recovery.at - problem.at)))
    return replace(
        recovery,
        title=f"{problem.title} (it is over, after {lasted})",
        lines=problem.lines,
        servers=tuple(dict.fromkeys((*problem.servers, *recovery.servers))),
    )


def newer(waiting: AlertMessage, later: AlertMessage) -> AlertMessage:
    """Return what takes the place of a message that still waits when there is a later one of the same alert."""
    return replace(later, kind=waiting.kind, at=waiting.at)


def digest(messages: Sequence[AlertMessage]) -> AlertMessage:
    """Return one message instead of several, with their titles in order. Its id follows from theirs."""
    kinds = Counter(message.kind for message in messages)
    counted = [f"{count} {_NOUNS[kind][count > 1]}" for kind in _NOUNS if (count := kinds[kind])]
    titles = [message.title for message in messages]
    shown = titles if len(titles) <= LINES_MOST else titles[: LINES_MOST - 1]
    more = [f"and {len(titles) - len(shown)} more"] if len(shown) < len(titles) else []
    first = messages[0]
    return AlertMessage(
        id=f"{first.id}+{len(messages) - 1}",
        kind="digest",
        severity=max((message.severity for message in messages), key=lambda one: one.rank, default=Severity.INFO),
        title=f"{len(messages)} messages: {', '.join(counted)}",
        lines=(*shown, *more),
        at=max(message.at for message in messages),
        servers=tuple(dict.fromkeys(name for message in messages for name in message.servers)),
        site=first.site,
    )


def with_lost(message: AlertMessage, lost: int) -> AlertMessage:
    """Return the message with a line about those before it that never arrived."""
    if not lost:
        return message
    text = "1 earlier message was not delivered" if lost == 1 else f"{lost} earlier messages were not delivered"
    return replace(message, lines=(*message.lines, text))
