"""Fields of a command's data, taken out with their types checked. All raise CommandError."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..common.errors import CommandError

Fields = Mapping[str, Any]


def text(data: Fields, name: str) -> str:
    """Return a text that UTF-8 knows."""
    value = data.get(name)
    try:
        if isinstance(value, str):
            value.encode("utf-8")
            return value
    except UnicodeEncodeError:  # half a surrogate pair: JSON can carry it, no file and no reply can
        raise CommandError(f"{name} has characters that UTF-8 does not know") from None
    raise CommandError(f"{name} must be a text")


def maybe_text(data: Fields, name: str) -> str | None:
    """Return a text, None without one."""
    return None if data.get(name) is None else text(data, name)


def maybe_number(data: Fields, name: str) -> int | None:
    """Return an integer, None without one."""
    value = data.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise CommandError(f"{name} must be an integer")
    return value


def texts(data: Fields, name: str) -> list[str] | None:
    """Return a list of texts, None without one."""
    values = data.get(name)
    if values is not None and (not isinstance(values, list) or not all(isinstance(one, str) for one in values)):
        raise CommandError(f"{name} must be a list of texts")
    return values


def files(data: Fields) -> dict[str, str | None]:
    """Return ``files``: file -> text or None."""
    found = data.get("files")
    if not isinstance(found, dict) or not all(one is None or isinstance(one, str) for one in found.values()):
        raise CommandError("files must be file -> text or null")
    return found


def sections(data: Fields, name: str) -> dict[str, dict[str, Any]]:
    """Return section -> option -> value, where a value is a text, a list of texts, a number, a truth value or None."""
    found = data.get(name)
    if not isinstance(found, dict) or not all(isinstance(options, dict) for options in found.values()):
        raise CommandError(f"{name} must be section -> option -> value")
    for options in found.values():
        for value in options.values():
            items = value if isinstance(value, list) else [value]
            if not all(item is None or isinstance(item, (str, int, float)) for item in items):
                raise CommandError(f"{name}: a value is a text, a number, true, false, null or a list of texts")
            try:
                "".join(item for item in items if isinstance(item, str)).encode("utf-8")
            except UnicodeEncodeError:
                raise CommandError(f"{name} has characters that UTF-8 does not know") from None
    return found
