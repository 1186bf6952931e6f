"""Limits as people write them: ``cpu_percent > 90 for 5m until 80``. Text in, object out."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ..common.problems import Severity
from .types_numbers import parse_duration

LONGEST_S = 30 * 86400.0
_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)"
_LIMIT = re.compile(
    rf"(?:(?P<severity>[A-Za-z]+)\s*:\s*)?(?P<key>[^\s<>=:,]{{1,120}})\s*(?P<side>[<>])\s*(?P<bound>{_NUMBER})\s*%?"
    r"(?P<rest>(?:\s+\S+)*)",
    re.ASCII,
)
_EXAMPLE = "such as: cpu_percent > 90 for 5m until 80"


@dataclass(frozen=True, slots=True)
class Limit:
    """A figure that must not stay beyond a bound.

    ``above``  whether beyond means greater; else it means less
    ``last``   seconds that it has to be beyond before it counts
    ``until``  from where on it is good again, the bound itself or on its good side
    """

    text: str
    key: str
    above: bool
    bound: float
    until: float
    last: float = 0.0
    severity: Severity = Severity.WARNING

    def is_beyond(self, value: float) -> bool:
        return value > self.bound if self.above else value < self.bound

    def is_good(self, value: float) -> bool:
        """Tell whether one that was beyond is good again; between both it stays what it was."""
        return value <= self.until if self.above else value >= self.until


def parse_limit(text: str) -> Limit:
    """Return what ``[critical:] KEY > NUMBER [for TIME] [until NUMBER]`` means. Raises ValueError."""
    shown = text[:80]
    match = _LIMIT.fullmatch(text.strip())
    if match is None:
        hint = ": there is only > and <" if re.search(r"[<>]\s*=|=", text) else ""
        raise ValueError(f"{shown!r} is no limit{hint}; write one {_EXAMPLE}")
    words = match["rest"].split()
    if len(words) % 2 or len(set(words[::2])) < len(words) // 2 or not set(words[::2]) <= {"for", "until"}:
        raise ValueError(f"{shown!r}: after the number comes for TIME or until NUMBER, each once; {_EXAMPLE}")
    tail = dict(zip(words[::2], words[1::2], strict=True))
    above, bound = match["side"] == ">", _number(match["bound"], shown)
    until = _number(tail["until"], shown) if "until" in tail else bound
    if (until > bound) if above else (until < bound):
        side = "greater" if above else "less"
        raise ValueError(f"{shown!r}: until {tail['until']} is {side} than the limit, so it would never be good again")
    return Limit(
        text=" ".join(text.split()),
        key=match["key"],
        above=above,
        bound=bound,
        until=until,
        last=_duration(tail.get("for", "0s"), shown),
        severity=_severity(match["severity"], shown),
    )


def _number(text: str, shown: str) -> float:
    number = float(text.removesuffix("%")) if re.fullmatch(rf"{_NUMBER}%?", text, re.ASCII) else math.inf
    if not math.isfinite(number):
        raise ValueError(f"{shown!r}: {text[:40]!r} is no number")
    return number


def _duration(text: str, shown: str) -> float:
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise ValueError(f"{shown!r}: for {text[:40]}: {error} such as 90s or 5m") from None
    if seconds > LONGEST_S:
        raise ValueError(f"{shown!r}: for {text[:40]} is longer than 30 days")
    return seconds


def _severity(word: str | None, shown: str) -> Severity:
    if word is None:
        return Severity.WARNING
    if word.lower() not in list(Severity):
        raise ValueError(f"{shown!r}: {word[:40]!r} is none of {', '.join(Severity)}")
    return Severity(word.lower())
