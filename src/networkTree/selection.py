"""From what people write for servers to names: ``web[1-4]``, ``@tag``, ``state:failed``, ``all``."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from ..common.errors import CommandError
from ..common.hostranges import expand
from .explain import short_word
from .ServerNetwork import ServerNetwork

MAX_UNKNOWN = 1000
"""Names that a selection may get wrong: a message of the size that the socket takes can name millions."""


def select(network: ServerNetwork, selectors: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the selected servers in the network's order of names, and what selects nothing.

    A range counts as unknown name by name; so does a tag or a state that no server has only if nothing can have it:
    ``state:failed`` while none has failed selects nobody, which is no mistake.
    Raises CommandError for a text that is no selection, and for more than MAX_UNKNOWN unknown names.
    """
    found: set[str] = set()
    unknown: dict[str, None] = {}
    having = _Having(network)
    for selector in dict.fromkeys(selectors):
        names, missing = _one(network, selector, having)
        found.update(names)
        unknown.update(dict.fromkeys(missing))
        if len(unknown) > MAX_UNKNOWN:
            few = ", ".join(name[:80] for name in list(unknown)[:3])
            raise CommandError(f"more than {MAX_UNKNOWN} names that no server has: {few}, …", "not_found")
    return sorted(found), list(unknown)


class _Having:
    """Who has a tag or a state: one look at all servers for as many selectors as there are."""

    def __init__(self, network: ServerNetwork) -> None:
        self._network = network

    @cached_property
    def tag(self) -> dict[str, list[str]]:
        names: dict[str, list[str]] = {}
        for node in self._network:
            for tag in node.facts.policy.tags:
                names.setdefault(tag, []).append(node.name)
        return names

    @cached_property
    def state(self) -> dict[str, list[str]]:
        """By the short word and by the full name of the state, in small letters."""
        names: dict[str, list[str]] = {}
        for node in self._network:
            state = node.facts.op_state
            for word in {short_word(state), state.value.lower()}:
                names.setdefault(word, []).append(node.name)
        return names


def _one(network: ServerNetwork, selector: str, having: _Having) -> tuple[list[str], list[str]]:
    if selector in network:
        return [selector], []
    if selector == "all":
        return [node.name for node in network], []
    if selector.startswith("@"):
        tagged = having.tag.get(selector[1:], [])
        return tagged, [] if tagged else [selector]
    if selector.startswith("state:"):
        return having.state.get(selector[6:].replace("-", " ").lower(), []), []
    try:
        names = expand(selector)
    except ValueError as error:
        raise CommandError(f"{selector[:200]!r} is no selection of servers: {error}") from error
    return [name for name in names if name in network], [name for name in names if name not in network]
