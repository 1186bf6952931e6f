"""The topics of the channel MQTT: which there are, and how names become parts of them. Pure functions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

ONLINE, OFFLINE = "online", "offline"
"""Payloads of ``availability``, and of Home Assistant's own status."""

_NOT_IN_ID = re.compile(r"[^A-Za-z0-9-]")


def level(name: str) -> str:
    """Return ``name`` as one level of a topic: ``/``, ``+``, ``#``, blanks and the like become ``%2F`` and so on.

    Different names give different levels. ``name_of`` is the way back.
    """
    return quote(name, safe="")


def name_of(level: str) -> str:
    """Return the name that ``level`` was made of."""
    return unquote(level)


def object_id(name: str) -> str:
    """Return ``name`` in the letters that a discovery topic may have, ``[a-zA-Z0-9_-]``: ``web 1`` is ``web_20_1``.

    Different names give different ids: each other letter is the hexadecimal code point between two underscores.
    Source: home-assistant.io, MQTT, "Discovery topic".
    """
    return _NOT_IN_ID.sub(lambda found: f"_{ord(found[0]):x}_", name)


@dataclass(frozen=True, slots=True)
class Topics:
    """``base``: what all topics of this installation begin with; ``prefix``: Home Assistant's discovery prefix."""

    base: str
    prefix: str

    @property
    def availability(self) -> str:
        return f"{self.base}/availability"

    @property
    def alerts(self) -> str:
        """Where the messages go, each once."""
        return f"{self.base}/alerts"

    @property
    def network(self) -> str:
        return f"{self.base}/network"

    @property
    def home_status(self) -> str:
        """Where Home Assistant says that it has started."""
        return f"{self.prefix}/status"

    @property
    def node_id(self) -> str:
        """What stands for this installation in the topics of discovery, and begins each unique id."""
        return object_id(self.base)

    def alert(self, number: int) -> str:
        return f"{self.base}/alert/{number}"

    def server(self, name: str) -> str:
        return f"{self.base}/server/{level(name)}"

    def command(self, name: str) -> str:
        return f"{self.server(name)}/set"

    def result(self, name: str) -> str:
        return f"{self.server(name)}/result"

    def node(self, name: str) -> str:
        return f"{self.base}/node/{level(name)}"

    def device(self, identifier: str) -> str:
        """Return the discovery topic of a device."""
        return f"{self.prefix}/device/{self.node_id}/{identifier}/config"

    @property
    def commands(self) -> str:
        """The filter that meets all commands."""
        return f"{self.base}/server/+/set"

    def commanded(self, topic: str) -> str | None:
        """Return the server that a command is for; None: ``topic`` is none of a command."""
        head, tail = f"{self.base}/server/", "/set"
        if not (topic.startswith(head) and topic.endswith(tail)) or len(topic) <= len(head) + len(tail):
            return None
        name = name_of(topic[len(head) : -len(tail)])
        return name if self.command(name) == topic and name.isprintable() else None

    @property
    def kept(self) -> list[str]:
        """Filters that meet everything that is kept on the broker and belongs to one of many."""
        kinds = ("server", "alert", "node")
        return [*(f"{self.base}/{kind}/+" for kind in kinds), self.device("+")]

    def keeps(self, topic: str) -> bool:
        """Tell whether one of the filters ``kept`` meets ``topic``."""
        levels = topic.split("/")
        return any(
            len(levels) == len(wanted) and all(one in ("+", level) for one, level in zip(wanted, levels, strict=True))
            for wanted in (one.split("/") for one in self.kept)
        )
