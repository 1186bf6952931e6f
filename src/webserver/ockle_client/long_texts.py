"""Texts that are longer than the daemon takes in one message: sent in parts, then named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Call = Callable[[str, dict[str, Any]], dict[str, Any]]
ASCII_PART, OTHER_PART = 40_000, 8_000
"""Characters of a part; what is not ASCII may take six bytes in a message."""


def call_with_text(call: Call, command: str, data: Mapping[str, Any], store: str) -> dict[str, Any]:
    """Send ``command``, whose ``text`` may be long. ``store``: the command that takes its parts. Raises as ``call``."""
    text = str(data["text"])
    parts = list(_parts(text))
    if len(parts) < 2:
        return call(command, dict(data))
    staged = ""
    for part in parts:
        staged = str(call(store, {"text": part, **({"id": staged} if staged else {})})["id"])
    return call(command, {**{name: value for name, value in data.items() if name != "text"}, "staged": staged})


def _parts(text: str) -> Iterator[str]:
    step = ASCII_PART if text.isascii() else OTHER_PART
    for begin in range(0, len(text), step):
        yield text[begin : begin + step]
