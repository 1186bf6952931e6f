"""What the data of a command says: selections of servers, texts, on or off."""

from __future__ import annotations

from typing import Any

from ..common.errors import CommandError
from ..networkTree.selection import select
from ..networkTree.ServerNetwork import ServerNetwork

SELECTOR_HELP = "list of names, ranges web[1-4], @tag, state:WORD, all"


def selectors_of(data: dict[str, Any], key: str) -> list[str]:
    """Return the selectors in ``data[key]`` (a list, or one). Raises CommandError when they are no texts."""
    given = data.get(key)
    selectors = [given] if isinstance(given, str) else given
    if not isinstance(selectors, list) or not all(isinstance(one, str) for one in selectors):
        raise CommandError(f"{key} has to be a {SELECTOR_HELP}")
    return selectors


def servers_of(network: ServerNetwork, data: dict[str, Any], key: str = "servers") -> list[str]:
    """Return the servers that ``data[key]`` (a list of selectors, or one) names. Raises CommandError if unknown."""
    names, unknown = select(network, selectors_of(data, key))
    if unknown:
        raise CommandError(f"there is no server {', '.join(unknown)}", "not_found")
    return names


def text_of(data: dict[str, Any], key: str, default: str | None = None) -> str:
    """Return the text ``data[key]``. Raises CommandError when it is no text or, without a default, missing."""
    value = data.get(key, default)
    if not isinstance(value, str):
        raise CommandError(f"{key} is {value!r}: a text is needed")
    return value


def on_or_off(data: dict[str, Any], key: str = "state") -> bool:
    """Return True for on, False for off, in any of the spellings of the documented calls."""
    value = data.get(key)
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("on", "true"):
        return True
    if isinstance(value, str) and value.lower() in ("off", "false"):
        return False
    raise CommandError(f"{key} is {value!r}: use 'on' or 'off'")
