"""What comes back from a form: only what the user has changed becomes a change of the file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from .fields import Place, shown

Values = dict[str, dict[str, Any]]
"""Section -> option -> new value; None: back to the default."""


class Posted(Protocol):
    """The fields of a form as they arrive (WebOb's MultiDict)."""

    def getall(self, key: str) -> list[Any]: ...
    def __contains__(self, key: object, /) -> bool: ...


@dataclass(slots=True)
class Reading:
    """``texts``: what stood in the fields; ``values``: what was changed; ``conflicts``: by somebody else, too.

    A conflict is section, option, and what it is now.
    """

    texts: dict[Place, Any] = field(default_factory=dict)
    values: Values = field(default_factory=dict)
    conflicts: list[tuple[str, str, str]] = field(default_factory=list)


def read_form(sections: Iterable[Mapping[str, Any]], posted: Posted) -> Reading:
    """Return what a form for ``sections`` (of ``configForm``, as they are now) brought back.

    A field that is not in the form at all is left alone. The hidden field ``base`` says what the user has seen.
    """
    reading = Reading()
    seen = _base(posted)
    for section in sections:
        name = str(section["name"])
        for option in section["options"]:
            key = f"{name},{option['name']}"
            if f"o,{key}" in posted or f"all,{key}" in posted:
                _read(reading, name, option, key, posted, seen)
    return reading


def _base(posted: Posted) -> dict[Place, Any]:
    try:
        found = json.loads("".join(_texts(posted, "base")) or "[]")
        return {(str(section), str(option)): value for section, option, value in found}
    except (ValueError, TypeError, RecursionError):  # not ours: then what is there now counts as seen
        return {}


def _texts(posted: Posted, key: str) -> list[str]:
    """Return the texts under ``key``; uploaded files are none."""
    return [one.replace("\r\n", "\n") for one in posted.getall(key) if isinstance(one, str)]


def _read(reading: Reading, section: str, option: Mapping[str, Any], key: str, posted: Posted, seen: Any) -> None:
    place = (section, str(option["name"]))
    values = reading.values.setdefault(section, {})
    is_list = option["type"] == "multilist"
    given: Any = _texts(posted, f"o,{key}") if is_list else "".join(_texts(posted, f"o,{key}")[:1])
    reading.texts[place] = given
    if f"reset,{key}" in posted:
        if option["set"]:
            values[place[1]] = None
        return
    if option["type"] == "secret":
        if given and given != shown(option):
            values[place[1]] = given
        return
    now = shown(option)
    was = seen.get(place, now)
    emptied = f"empty,{key}" in posted and not given and not option["set"]
    if (given == was or (is_list and not _ordered(option) and sorted(given) == sorted(was))) and not emptied:
        return
    if now not in (was, given):
        reading.conflicts.append((*place, ", ".join(now) if isinstance(now, list) else str(now)))
    values[place[1]] = _new_value(option, given, emptied)


def _ordered(option: Mapping[str, Any]) -> bool:
    return bool(option["args"] and option["args"][0])


def _new_value(option: Mapping[str, Any], given: Any, emptied: bool) -> Any:
    if isinstance(given, list) or given or emptied:
        return given
    # A field that was emptied: what the default is says whether that means anything of its own.
    meaningless = option["type"] in _NEVER_EMPTY and not option["required"]
    return None if meaningless or option["default"] == "" else given


_NEVER_EMPTY = frozenset({"bool", "choice", "select", "int", "intrange", "port", "float", "duration"})
