"""From what people type for servers to names: ``web[1-4]``, ``@tag``, ``state:failed``, ``all``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..common.errors import CommandError
from ..common.hostranges import expand
from ..networkTree.explain import short_word
from ..networkTree.ServerNetwork import ServerNetwork

SELECTOR_HELP = "list of names, ranges web[1-4], @tag, state:WORD, all"


def select(network: ServerNetwork, selectors: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the selected servers in the network's order of names, and what selects nothing.

    A range counts as unknown name by name; so does a tag or a state that no server has only if nothing can have it:
    ``state:failed`` while none has failed selects nobody, which is no mistake.
    """
    found: set[str] = set()
    unknown: list[str] = []
    for selector in selectors:
        names, missing = _one(network, selector)
        found.update(names)
        unknown.extend(missing)
    return sorted(found), unknown


def _one(network: ServerNetwork, selector: str) -> tuple[list[str], list[str]]:
    if selector in network:
        return [selector], []
    if selector == "all":
        return [node.name for node in network], []
    if selector.startswith("@"):
        tagged = [node.name for node in network if selector[1:] in node.facts.policy.tags]
        return tagged, [] if tagged else [selector]
    if selector.startswith("state:"):
        wanted = selector[6:].replace("-", " ").lower()
        return [node.name for node in network if wanted in _words(network, node.name)], []
    try:
        names = expand(selector)
    except ValueError as error:
        raise CommandError(f"{selector!r} is no selection of servers: {error}") from error
    return [name for name in names if name in network], [name for name in names if name not in network]


def _words(network: ServerNetwork, name: str) -> tuple[str, str]:
    state = network.getServernode(name).facts.op_state
    return short_word(state), state.value.lower()


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
