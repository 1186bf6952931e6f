"""Orders by way of a plan: looked at first, then started if it is still the same. Pages and REST interface share it.

The web process keeps nothing: what was looked at travels as the id of the plan, which holds the question and the steps
of the answer. It needs no signature, as it is no more than what its bearer could ask for anyway; the daemon makes the
plan anew, checks roles and confirmation, and compares.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .ockle_client.connection import ClientError
from .ockle_client.plans import changes, steps_of

Daemon = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Carries out a command: ``request.daemon.call``."""

ACTIONS = ("on", "off", "restart", "cut")
LARGEST_ID = 1 << 20


class PlanChanged(Exception):
    """``plan``: as it is now; ``changes``: what came and went, such as ``["+ db1 off"]``."""

    def __init__(self, plan: Looked, changes: list[str]) -> None:
        super().__init__(", ".join(changes))
        self.plan, self.changes = plan, changes


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: ``servers`` and ``exclude`` are names or other selectors."""

    action: str
    servers: tuple[str, ...]
    exclude: tuple[str, ...] = ()

    def question(self) -> dict[str, Any]:
        found: dict[str, Any] = {"action": self.action, "servers": list(self.servers)}
        return {**found, "exclude": list(self.exclude)} if self.exclude else found

    def query(self) -> list[tuple[str, str]]:
        """Return what follows ``?`` in the address of the preview."""
        found = [("action", self.action), *(("server", name) for name in self.servers)]
        return [*found, *(("exclude", name) for name in self.exclude)]


@dataclass(frozen=True, slots=True)
class Looked:
    """A plan that was looked at; ``plan`` is the daemon's reply, of an id only its ``rev`` and steps."""

    wish: Wish
    plan: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Return text for an address or a field, from which ``from_id`` makes all of it again."""
        steps = [list(step) for step in steps_of(self.plan)]
        text = json.dumps([self.wish.question(), self.plan["rev"], steps], separators=(",", ":"))
        return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")

    def changes_to(self, now: Looked) -> list[str]:
        """Return what came and went since, such as ``["+ db1 off"]``."""
        return changes(steps_of(self.plan), steps_of(now.plan))

    def as_dict(self) -> dict[str, Any]:
        return {"id": self.id, "exclude": list(self.wish.exclude), **self.plan}


def from_id(text: str) -> Looked:
    """Return what ``Looked.id`` made a text of; raises ValueError for any other text."""
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(packed, LARGEST_ID)
        question, rev, steps = json.loads(raw)
        wish = Wish(question["action"], tuple(question["servers"]), tuple(question.get("exclude", ())))
        if wish.action not in ACTIONS or not _texts(rev, *wish.servers, *wish.exclude):
            raise ValueError("its parts are no plan")
        found = [{"server": server, "action": action} for server, action in steps]
        if not _texts(*(value for step in found for value in step.values())):
            raise ValueError("its steps are no steps")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, zlib.error, binascii.Error) as error:
        raise ValueError(f"this is no plan: {error}") from None
    return Looked(wish, {"rev": rev, "steps": found})


def _texts(*values: object) -> bool:
    return all(isinstance(value, str) and value.isprintable() for value in values)


def look(daemon: Daemon, wish: Wish) -> Looked:
    """Return the plan as it is now. Raises ClientError, ConnectionFailed."""
    return Looked(wish, daemon("plan", wish.question()))


def start(
    daemon: Daemon, looked: Looked, *, confirm: str = "", note: str = "", grace: float = 0.0, timeout: float = 0.0
) -> dict[str, Any]:
    """Start what was looked at and return ``run`` and ``plan``. Raises PlanChanged, ClientError, ConnectionFailed."""
    request = {**looked.wish.question(), "rev": looked.plan["rev"], "confirm": confirm, "note": note, "grace_s": grace}
    if timeout:
        request["timeout_s"] = timeout
    try:
        return daemon("run", request)
    except ClientError as error:
        now = error.data.get("plan")
        if error.code != "conflict" or now is None:
            raise
        new = Looked(looked.wish, now)
        raise PlanChanged(new, looked.changes_to(new)) from None


def again(run: Mapping[str, Any]) -> Wish | None:
    """Return the wish that tries anew what failed, or was left out, in a run that has ended; None if nothing is left.

    A restart of which only starts are left is not done as a whole once more.
    """
    left = [step for step in run["steps"] if step["state"] in ("failed", "skipped")]
    if run["state"] == "running" or not left:
        return None
    actions = {step["action"] for step in left}
    action = "on" if run["action"] == "restart" and actions == {"on"} else run["action"]
    return Wish(action, tuple(dict.fromkeys(step["server"] for step in left)))


def back(run: Mapping[str, Any]) -> Wish | None:
    """Return the wish that undoes what a run has done, so far; None for a restart, and when it has done nothing."""
    done = tuple(step["server"] for step in run["steps"] if step["state"] == "done" and step["started"] is not None)
    if not done or run["action"] == "restart":
        return None
    return Wish("off" if run["action"] == "on" else "on", done)


def taken_over(servers: Mapping[str, Mapping[str, Any]], plan: Mapping[str, Any]) -> dict[int, list[str]]:
    """Return the runs from whose hands a plan takes servers, as the newest order counts: run -> servers.

    ``servers``  as ``status`` has them
    """
    found: dict[int, list[str]] = {}
    for name in dict.fromkeys(step["server"] for step in plan["steps"]):
        run = servers.get(name, {}).get("run")
        if run is not None:
            found.setdefault(run, []).append(name)
    return found
