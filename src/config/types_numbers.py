"""Types of options that are numbers, yes or no, or times."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from .option_type import OptionType, register

if TYPE_CHECKING:
    from .templates import Option


def _limits(option: Option) -> tuple[Any, Any]:
    low, high = (*option.args[:2], None, None)[:2]
    return low, high


def _within(value: Any, low: Any, high: Any) -> Any:
    if (low is not None and value < low) or (high is not None and value > high):
        raise ValueError("out of range")
    return value


def _span(noun: str, low: object, high: object) -> str:
    if low is not None and high is not None:
        return f"{noun} from {low} to {high}"
    if low is not None:
        return f"{noun} of at least {low}"
    return f"{noun} of at most {high}" if high is not None else noun


def _whole(raw: object) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and re.fullmatch(r"[+-]?[0-9]{1,18}", raw.strip()):
        return int(raw)
    raise ValueError("not an integer")


@register("int")
class Integer(OptionType):
    """``["int", default, minimum?, maximum?]``"""

    @override
    def parse(self, raw: object, option: Option) -> Any:
        return _within(_whole(raw), *_limits(option))

    @override
    def describe(self, option: Option) -> str:
        return _span("an integer", *_limits(option))


@register("intrange")
class IntegerRange(OptionType):
    """``["intrange", default, "1-8"]``; either end may be negative: ``"-8--1"``."""

    @override
    def parse(self, raw: object, option: Option) -> Any:
        return _within(_whole(raw), *self.ends(option))

    @override
    def describe(self, option: Option) -> str:
        return _span("an integer", *self.ends(option))

    @staticmethod
    def ends(option: Option) -> tuple[int, int]:
        """Return both ends of the range, inclusive. Raises ValueError when the template is wrong."""
        match = re.fullmatch(r"\s*(-?\d+)\s*-\s*(-?\d+)\s*", str(option.args[0]) if option.args else "")
        if match is None or int(match[1]) > int(match[2]):
            raise ValueError('the range must look like "1-8"')
        return int(match[1]), int(match[2])


@register("port")
class Port(OptionType):
    @override
    def parse(self, raw: object, option: Option) -> Any:
        return _within(_whole(raw), 1, 65535)

    @override
    def describe(self, option: Option) -> str:
        return "a port from 1 to 65535"


@register("float")
class Number(OptionType):
    """``["float", default, minimum?, maximum?]``"""

    addresses = False

    @override
    def parse(self, raw: object, option: Option) -> Any:
        try:
            value = float(raw) if isinstance(raw, (str, int, float)) and not isinstance(raw, bool) else math.nan
        except (ValueError, OverflowError):
            value = math.nan
        if not math.isfinite(value):
            raise ValueError("not a number")
        return _within(value, *_limits(option))

    @override
    def format(self, value: Any) -> str:
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)

    @override
    def describe(self, option: Option) -> str:
        return _span("a number", *_limits(option))


_BOOLS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


@register("bool")
class Boolean(OptionType):
    addresses = False

    @override
    def parse(self, raw: object, option: Option) -> Any:
        value = raw if isinstance(raw, bool) else _BOOLS.get(str(raw).strip().lower())
        if value is None:
            raise ValueError("neither true nor false")
        return value

    @override
    def format(self, value: Any) -> str:
        return "true" if value else "false"

    @override
    def describe(self, option: Option) -> str:
        return "true or false"


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(?:(\d{1,12}(?:\.\d{1,12})?)\s*(ms|s|m|h|d)\s*)+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_LONGEST_S = 366 * 86400.0


def parse_duration(raw: object) -> float:
    """Return seconds of ``"1h30m"``, ``"250ms"`` or a plain number of seconds. Raises ValueError."""
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        seconds = float(raw)
    elif isinstance(raw, str) and re.fullmatch(r"\d{1,12}(\.\d{1,18})?", text := raw.strip().lower()):
        seconds = float(text)
    elif isinstance(raw, str) and _DURATION.fullmatch(text):
        seconds = sum(float(count) * _UNITS[unit] for count, unit in _DURATION_PART.findall(text))
    else:
        raise ValueError("not a duration")
    if not 0 <= seconds <= _LONGEST_S:
        raise ValueError("out of range")
    return round(seconds, 6)


def format_duration(seconds: float) -> str:
    """Return a short text that ``parse_duration`` turns into exactly ``seconds`` (to the microsecond) again."""
    if seconds != int(seconds):
        count, unit = (seconds * 1000, "ms") if seconds < 1 else (seconds, "s")
        return f"{count:.6f}".rstrip("0").rstrip(".") + unit
    parts, rest = [], int(seconds)
    for unit, size in (("h", 3600), ("m", 60)):
        whole, rest = divmod(rest, size)
        if whole:
            parts.append(f"{whole}{unit}")
    if rest or not parts:
        parts.append(f"{rest}s")
    return "".join(parts)


@register("duration")
class Duration(OptionType):
    """``["duration", "10s", minimum?, maximum?]``; the value is in seconds (float)."""

    addresses = False

    @override
    def parse(self, raw: object, option: Option) -> Any:
        low, high = self._ends(option)
        return _within(parse_duration(raw), low, high)

    @override
    def format(self, value: Any) -> str:
        return format_duration(value)

    @override
    def describe(self, option: Option) -> str:
        low, high = (None if end is None else format_duration(end) for end in self._ends(option))
        return _span("a duration such as 10s, 5m, 1h30m or 250ms", low, high)

    @staticmethod
    def _ends(option: Option) -> tuple[float | None, float | None]:
        low, high = _limits(option)
        return None if low is None else parse_duration(low), None if high is None else parse_duration(high)
