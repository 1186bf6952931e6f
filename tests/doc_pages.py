"""Reads console sessions out of Markdown pages, and compares what they show with what is said now."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CLOCK = re.compile(r"\b\d\d?(:\d\d)+\b")
_DURATION = re.compile(r"\b(\d+ min )?\d+(\.\d+)? ?(s|ms|min)\b")
_NUMBER = re.compile(r"(?<![\w.])\d+(\.\d+)?\b")
_DROPPED = re.compile(r" --host \S+| critical path [^:]*|(?<=\w) critical$|^[\w-]+: (on|off) running$")
_USER = re.compile(r"[\w.-]+ (?=\(local\))")


@dataclass(frozen=True)
class Session:
    """One command of a page, with the lines shown below it."""

    command: str
    shown: tuple[str, ...]


def sessions(page: str) -> list[Session]:
    """Return the commands of all ``console`` blocks of ``page`` in order; each block begins with ``$ ``."""
    found = []
    for block in _BLOCK.findall(page):
        first, *rest = block.splitlines()
        assert first.startswith("$ "), block
        found.append(Session(first.removeprefix("$ "), tuple(rest)))
    return found


def shape(lines: list[str] | tuple[str, ...]) -> list[str]:
    """Return ``lines`` without what differs from run to run: times, run numbers, order, widths of columns."""
    found = (" ".join(sorted(_common(line).split())) for line in lines)
    return sorted(filter(None, found))


def _common(line: str) -> str:
    line = _DURATION.sub("DURATION", _CLOCK.sub("CLOCK", line))
    line = _DROPPED.sub("", _USER.sub("", line))
    return _NUMBER.sub("N", line).replace(",", " ")
