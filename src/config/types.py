"""The types that an option of an INI template can have: text of an INI file ⇄ typed value.

A type is one small class, registered under the name that templates use. ``args`` of an option are what follows the
default in its JSON list, e.g. ``["intrange", 1, "1-8"]`` has the args ``("1-8",)``.
"""

from __future__ import annotations

import csv
import io
import ipaddress
import math
import re
import shlex
from abc import ABC, abstractmethod
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from typing_extensions import override

from .references import Secret

if TYPE_CHECKING:
    from .templates import Option


class OptionType(ABC):
    """How one type reads, writes and describes its values. Without state: one object serves all options."""

    textual: ClassVar[bool] = False
    """Whether ``${env:…}`` and ``${file:…}`` may stand in the value."""
    addresses: ClassVar[bool] = True
    """Whether such an option of an outlet says *which* outlet it is, rather than how it is treated."""
    default_at: ClassVar[int | None] = 1
    """Where in the JSON list the default stands; None: the type has none and the option is required."""
    fallback: ClassVar[object] = None
    """The default when the JSON list ends before ``default_at``."""

    @abstractmethod
    def parse(self, raw: object, option: Option) -> Any:
        """Return the typed value of text, of a list of texts, or of an already typed value.

        Raises ValueError saying what is wrong in a few words; the text never repeats the value, which may be secret.
        """

    def format(self, value: Any) -> str:
        """Return the text which ``parse`` turns into ``value`` again."""
        return str(value)

    @abstractmethod
    def describe(self, option: Option) -> str:
        """Return what is allowed, so that it completes "write …"."""


TYPES: dict[str, OptionType] = {}


def _register(name: str) -> Callable[[type[OptionType]], type[OptionType]]:
    def add(kind: type[OptionType]) -> type[OptionType]:
        TYPES[name] = kind()
        return kind

    return add


def _text(raw: object) -> str:
    """Return one text; ConfigObj makes a list of every value with a comma, which is undone here."""
    if isinstance(raw, str):
        return raw
    if isinstance(raw, (list, tuple)) and all(isinstance(item, str) for item in raw):
        return ", ".join(raw)
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        return str(raw)
    raise ValueError("not a text")


@_register("string")
class String(OptionType):
    textual = True

    @override
    def parse(self, raw: object, option: Option) -> Any:
        text = _text(raw)
        if "\0" in text:
            raise ValueError("contains a NUL character")
        return text

    @override
    def describe(self, option: Option) -> str:
        return "a text"


@_register("secret")
class SecretText(OptionType):
    textual = True

    @override
    def parse(self, raw: object, option: Option) -> Any:
        return raw if isinstance(raw, Secret) else Secret(_text(raw))

    @override
    def format(self, value: Any) -> str:
        return str(value.source)

    @override
    def describe(self, option: Option) -> str:
        return "a secret, best as ${file:path} or ${env:NAME}"


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


@_register("int")
class Integer(OptionType):
    """``["int", default, minimum?, maximum?]``"""

    @override
    def parse(self, raw: object, option: Option) -> Any:
        return _within(_whole(raw), *_limits(option))

    @override
    def describe(self, option: Option) -> str:
        return _span("an integer", *_limits(option))


@_register("intrange")
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


@_register("port")
class Port(OptionType):
    @override
    def parse(self, raw: object, option: Option) -> Any:
        return _within(_whole(raw), 1, 65535)

    @override
    def describe(self, option: Option) -> str:
        return "a port from 1 to 65535"


@_register("float")
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


@_register("bool")
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
    return seconds


def format_duration(seconds: float) -> str:
    """Return the shortest text that ``parse_duration`` turns into exactly ``seconds`` again."""
    if seconds != int(seconds):
        text = f"{round(seconds * 1000)}ms"
        if seconds < 1 and parse_duration(text) == seconds:
            return text
        return f"{Decimal(repr(seconds)):f}" + ("s" if seconds >= 1e-6 else "")
    parts, rest = [], int(seconds)
    for unit, size in (("h", 3600), ("m", 60)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    if rest or not parts:
        parts.append(f"{rest}s")
    return "".join(parts)


@_register("duration")
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


@_register("select")
class Select(OptionType):
    """``["select", disabled?]``: one name out of choices that are known only at run time (PDUs, types, …)."""

    textual = False
    addresses = False
    default_at = None

    @override
    def parse(self, raw: object, option: Option) -> Any:
        text = _text(raw).strip()
        if not text:
            raise ValueError("is empty")
        return text

    @override
    def describe(self, option: Option) -> str:
        return "one of the names on offer"


@_register("choice")
class Choice(OptionType):
    """``["choice", "fail", ["fail", "cut"]]``"""

    addresses = False

    @override
    def parse(self, raw: object, option: Option) -> Any:
        text = _text(raw).strip()
        by_fold = {choice.casefold(): choice for choice in self.choices(option)}
        if text.casefold() not in by_fold:
            raise ValueError("not one of the choices")
        return by_fold[text.casefold()]

    @override
    def describe(self, option: Option) -> str:
        *most, last = self.choices(option)
        return f"{', '.join(most)} or {last}" if most else last

    @staticmethod
    def choices(option: Option) -> list[str]:
        """Return the choices as the template spells them. Raises ValueError when the template has none."""
        choices = option.args[0] if option.args else None
        if not isinstance(choices, list) or not choices:
            raise ValueError("a choice needs the list of its choices")
        return [str(choice) for choice in choices]


def split_list(raw: object) -> list[str]:
    """Return the items of ``a, "b, c"`` (or of a list), stripped, without empty ones. Raises ValueError."""
    if isinstance(raw, str):
        try:
            rows = list(csv.reader([raw], skipinitialspace=True, strict=True)) if raw.strip() else [[]]
        except csv.Error:
            raise ValueError("not a list: a quote is not closed") from None
        items = [item for row in rows for item in row]
    elif isinstance(raw, (list, tuple)) and all(isinstance(item, str) for item in raw):
        items = list(raw)
    else:
        raise ValueError("not a list of texts")
    return [item.strip() for item in items if item.strip()]


def join_list(items: list[str]) -> str:
    """Return the text that ``split_list`` takes apart again."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(items)
    return out.getvalue().replace(",", ", ") if not any("," in item for item in items) else out.getvalue()


@_register("list")
class TextList(OptionType):
    textual = True
    addresses = False

    @override
    def parse(self, raw: object, option: Option) -> Any:
        return split_list(raw)

    @override
    def format(self, value: Any) -> str:
        return join_list(value)

    @override
    def describe(self, option: Option) -> str:
        return "a list with commas between its items"


@_register("multilist")
class MultiList(TextList):
    """``["multilist", ordered?, sorted?, "/url/~~name~~", default?]``: names out of choices known only at run time.

    Ordered: the user chooses the order and it counts. Sorted: forms show the choices in alphabetical order.
    """

    textual = False
    default_at = 4
    fallback: ClassVar[object] = ()

    @override
    def describe(self, option: Option) -> str:
        return "a list of names with commas between them"


_HOST_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


@_register("host")
class Host(OptionType):
    """A name (RFC 1123, underscores allowed as in many local zones) or an address; IPv6 may carry a zone."""

    textual = True

    @override
    def parse(self, raw: object, option: Option) -> Any:
        text = _text(raw).strip()
        if not text:
            return self._empty(option)
        try:
            return str(ipaddress.ip_address(text))
        except ValueError:
            labels = text.removesuffix(".").split(".")
            if len(text) > 253 or labels[-1].isdigit() or not all(_HOST_LABEL.fullmatch(label) for label in labels):
                raise ValueError("not a host") from None
            return text

    @staticmethod
    def _empty(option: Option) -> str:
        # Empty is allowed exactly where the template itself leaves the host empty.
        if option.default != "":
            raise ValueError("is empty")
        return ""

    @override
    def describe(self, option: Option) -> str:
        return "a host name, an IPv4 or an IPv6 address"


@_register("mac")
class Mac(OptionType):
    """Normalised to ``aa:bb:cc:dd:ee:ff``. Devices also write dashes, Cisco dots, no separator, or drop zeros."""

    textual = True

    @override
    def parse(self, raw: object, option: Option) -> Any:
        text = _text(raw).strip().lower()
        if text == option.default == "":
            return ""
        if re.fullmatch(r"[0-9a-f]{1,2}([:-])[0-9a-f]{1,2}(\1[0-9a-f]{1,2}){4}", text):
            return ":".join(part.zfill(2) for part in re.split("[:-]", text))
        digits = text.replace(".", "") if re.fullmatch(r"([0-9a-f]{4}\.){2}[0-9a-f]{4}", text) else text
        if not re.fullmatch(r"[0-9a-f]{12}", digits):
            raise ValueError("not a MAC address")
        return ":".join(digits[at : at + 2] for at in range(0, 12, 2))

    @override
    def describe(self, option: Option) -> str:
        return "a MAC address such as b8:27:eb:01:02:03"


@_register("command")
class Command(OptionType):
    """An argument list, run without a shell; a text is split the way a shell would, a list is taken as it is."""

    textual = True
    addresses = False

    @override
    def parse(self, raw: object, option: Option) -> Any:
        if isinstance(raw, (list, tuple)):
            parts = [_text(item) for item in raw]
            if len(parts) > 1 and " " in parts[0]:
                # `pdu set 1,2` arrives as ["pdu set 1", "2"]: what was meant cannot be known.
                raise ValueError("mixes commas and spaces; put the whole command into quotes")
        else:
            try:
                parts = shlex.split(_text(raw))
            except ValueError:
                raise ValueError("has a quote that is not closed") from None
        if any("\0" in part for part in parts):
            raise ValueError("contains a NUL character")
        return parts

    @override
    def format(self, value: Any) -> str:
        return shlex.join(value)

    @override
    def describe(self, option: Option) -> str:
        return "a command with its arguments (no shell: pipes and wildcards mean nothing)"


@_register("path")
class FilePath(String):
    """A file or folder; a relative one starts at etc, ``~`` is the home folder. The check makes it absolute."""

    @override
    def describe(self, option: Option) -> str:
        return "a path; a relative one starts at the configuration folder"


@_register("url")
class Url(OptionType):
    textual = True

    @override
    def parse(self, raw: object, option: Option) -> Any:
        text = _text(raw).strip()
        if text == option.default == "":
            return ""
        try:
            parts = urlsplit(text)
            complete = bool(parts.scheme and parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            complete = False
        if not complete or not text.isprintable() or " " in text:
            raise ValueError("not a URL")
        return text

    @override
    def describe(self, option: Option) -> str:
        return "a URL such as http://host:3000/path"
