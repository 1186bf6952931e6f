"""Messages of the socket protocol: one JSON object per line, UTF-8.

Request:  ``{"command": NAME, "data": {…}, "id": any}`` — ``data`` and ``id`` may be left out.
Reply:    ``{"command": NAME, "id": …, "data": {…}}``; ``"command": "Unknown Command"`` when there is none of that name;
          with ``"error": {"code": …, "message": …}`` beside empty data when it could not be done.
Event:    ``{"command": "event", "id": id of the subscription, "data": {…}}``.

The module imports nothing heavy: the command line starts with it.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False  # as typing has it, whose import alone is a tenth of what `ockle status` costs
if TYPE_CHECKING:
    from typing import Any

UNKNOWN_COMMAND = "Unknown Command"
EVENT = "event"
MAX_REQUEST = 65_536
"""Bytes of one request, unless the listener is configured otherwise."""
MAX_REPLY = 64 * 1024 * 1024
"""Bytes of one reply that a client accepts."""
MAX_DEPTH = 32
"""Lists and objects inside each other in a request; what is deeper could be read, but not written again."""


class MessageError(ValueError):
    """Bytes that are no message; the text says why."""


class Message:
    """One request, reply or event.

    ``error``  None, or a dict with ``code`` and ``message``
    """

    __slots__ = ("command", "data", "error", "id")

    def __init__(
        self,
        command: str,
        data: dict[str, Any] | None = None,
        id: Any = None,
        error: dict[str, str] | None = None,
    ) -> None:
        self.command = command
        self.data = {} if data is None else data
        self.id = id
        self.error = error

    def encode(self) -> bytes:
        """Return the line, newline included."""
        parts: dict[str, Any] = {"command": self.command, "id": self.id, "data": self.data}
        if self.error is not None:
            parts["error"] = self.error
        try:
            return _dumps(parts, ensure_ascii=False).encode() + b"\n"
        except ValueError:  # a lone surrogate, which JSON can bring and UTF-8 cannot carry; a number that is none
            return _dumps(_finite(parts), ensure_ascii=True).encode() + b"\n"

    @classmethod
    def parse_request(cls, line: bytes) -> Message:
        """Return the request in ``line``, which comes from anywhere; raises MessageError, also for deep nesting."""
        message = cls.parse(line)
        if line.count(b"[") + line.count(b"{") > MAX_DEPTH and _too_deep([message.data, message.id, message.error]):
            raise MessageError(f"more than {MAX_DEPTH} lists and objects inside each other")
        return message

    @classmethod
    def parse(cls, line: bytes) -> Message:
        """Return the message in ``line``; raises MessageError."""
        try:
            parts = json.loads(line.decode())
        except (UnicodeDecodeError, ValueError, RecursionError) as error:
            raise MessageError(f"not JSON: {error}") from error
        if not isinstance(parts, dict):
            raise MessageError("not a JSON object")
        command, data, problem = parts.get("command"), parts.get("data"), parts.get("error")
        if not isinstance(command, str) or not command:
            raise MessageError('no command: give it as {"command": NAME, "data": {…}}')
        if data is not None and not isinstance(data, dict):
            raise MessageError("data is not an object")
        if problem is not None and not isinstance(problem, dict):
            raise MessageError("error is not an object")
        return cls(command, data, parts.get("id"), problem)

    def reply(self, data: dict[str, Any] | None = None) -> Message:
        return Message(self.command, data, self.id)

    def refuse(self, code: str, message: str, data: dict[str, Any] | None = None) -> Message:
        return Message(self.command, data, self.id, {"code": code, "message": message})


def _dumps(parts: dict[str, Any], *, ensure_ascii: bool) -> str:
    return json.dumps(parts, ensure_ascii=ensure_ascii, allow_nan=False, separators=(",", ":"), default=str)


def _finite(value: Any) -> Any:
    """Return ``value`` with null in place of infinities and of what is not a number: JSON has none of them."""
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return value


def _too_deep(values: list[Any]) -> bool:
    for _ in range(MAX_DEPTH):
        values = [
            inner
            for one in values
            if isinstance(one, (dict, list))
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not values:
            return False
    return True
