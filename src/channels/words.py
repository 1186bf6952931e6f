"""What channels for people make of a message, in common. Pure."""

from __future__ import annotations

from ..common.alert_message import AlertMessage
from ..common.problems import Severity

_MARKS = {Severity.INFO: "🔵", Severity.WARNING: "🟠", Severity.CRITICAL: "🔴"}
_COLOURS = {Severity.INFO: 0x3B82F6, Severity.WARNING: 0xF59E0B, Severity.CRITICAL: 0xDC2626}
OVER = 0x16A34A


def mark(message: AlertMessage) -> str:
    """Return one sign for what it is; the words never rely on it."""
    return "🟢" if message.kind == "recovery" else _MARKS[message.severity]


def colour(message: AlertMessage) -> int:
    """Return a colour as red, green and blue in one number."""
    return OVER if message.kind == "recovery" else _COLOURS[message.severity]


def cut(text: str, most: int) -> str:
    """Return the text with at most so many characters."""
    return text if len(text) <= most else text[: most - 1] + "…"
