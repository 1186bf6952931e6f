"""Who asks, by what right, and what became of it. Knows no users: the daemon's come in as an ``Access``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

ROLES = ("viewer", "operator", "admin")
"""Each may do what the ones before it may."""
ANYONE = "anyone"
"""What a command needs that has to work before a login."""


def least(one: str, other: str) -> str:
    """Return the lesser of two roles; "", none at all, is less than any."""
    return min(one, other, key=lambda role: ROLES.index(role) if role in ROLES else -1)


def suffices(role: str, needed: str) -> bool:
    """Tell whether ``role`` ("" for none) may do what needs the role ``needed``."""
    return needed == ANYONE or (role in ROLES and ROLES.index(role) >= ROLES.index(needed))


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token gives.

    ``name``     how its holder is called in the records
    ``user``     whose it is; "" for a token that the configuration names
    ``session``  True: it came from a login with a password; False: it was made for a program
    ``id``       a digest of the token, by which it is found again
    """

    name: str
    role: str
    user: str = ""
    session: bool = False
    id: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a command.

    ``via``       cli, gui, api, socket, mqtt or internal
    ``address``   where the connection comes from, as the daemon sees it
    ``reported``  where a web server says that its client is; "" if it says nothing
    """

    name: str = "local"
    role: str = "admin"
    via: str = "internal"
    address: str = ""
    reported: str = ""
    grant: Grant | None = None

    @property
    def user(self) -> str:
        """The user whose token this is, "" without one."""
        return self.grant.user if self.grant is not None else ""


@dataclass(frozen=True, slots=True)
class Action:
    """What somebody did, or was not let do. ``result``: "ok", or the code of the refusal that ``text`` explains."""

    caller: Caller
    command: str
    data: Mapping[str, Any]
    result: str
    text: str = ""
    reply: Mapping[str, Any] = field(default_factory=dict)


class Access(Protocol):
    """The daemon's users, as the registry of commands and the listeners know them. Every thread may call it."""

    def grant(self, token: str) -> Grant | None:
        """Return what ``token`` gives, None if that is nothing. Takes no time to speak of."""

    def current(self, grant: Grant) -> Grant | None:
        """Return what a token gives now that gave ``grant``; None once it was taken back or has expired."""

    def record(self, action: Action) -> None:
        """Write an action down for good. May take a commit of the store; never raises."""
