"""Switching by MQTT: what a command says, whether it may be carried out without a person, and what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from ..common.access import Action, Caller
from ..common.CommunicationMessage import Message
from ..common.services import DaemonServices
from .mqtt_discovery import OFF, ON
from .mqtt_link import Received
from .mqtt_payloads import Data
from .mqtt_topics import Topics

ACTIONS = {ON: "on", OFF: "off"}
MOST_WAITING = 32
"""Commands that wait for their turn; more are refused."""
FRESH_S = 15.0
"""A command that waited longer is refused: who gave it may have thought better of it."""
AGREED_TIER = 1
"""Plans up to this tier a person confirms with the Enter key; what is above needs somebody who has read the plan."""
LONGEST_NAME, MOST_COMMAND = 200, 40


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command. ``run``: the number of the run that was begun, None = none was."""

    server: str
    command: str
    ok: bool
    text: str
    run: int | None = None

    def as_dict(self) -> Data:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Waiting:
    server: str
    command: str
    since: float


class Orders:
    """Carries commands out, one after the other.

    ``take`` and ``run`` are for the loop of the channel. ``tell`` is awaited with each outcome.
    """

    def __init__(self, services: DaemonServices, topics: Topics, channel: str) -> None:
        self._services = services
        self._topics = topics
        self._note = f"by MQTT, channel {channel}"
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue(MOST_WAITING)

    def take(self, message: Received, refuse: Callable[[Outcome], None]) -> None:
        """Take in a message that is a command; ``refuse`` is called if it is not even put into the queue."""
        server = self._topics.commanded(message.topic)
        if server is None or len(server) > LONGEST_NAME or not (message.payload or not message.retained):
            return
        text = message.payload[:MOST_COMMAND].decode("utf-8", "replace")
        command = text if text.isprintable() else ascii(text)
        if message.retained:
            refuse(
                Outcome(server, command, False, "ignored: a kept (retained) message would switch at each connection")
            )
            return
        try:
            self._waiting.put_nowait(_Waiting(server, command, asyncio.get_running_loop().time()))
        except asyncio.QueueFull:
            refuse(Outcome(server, command, False, "too many commands are waiting"))

    async def next(self) -> Outcome:
        """Wait for the next command, carry it out, and return what became of it."""
        one = await self._waiting.get()
        action = ACTIONS.get(one.command)
        if action is None:
            return Outcome(one.server, one.command, False, f"a command is {ON} or {OFF}")
        if asyncio.get_running_loop().time() - one.since > FRESH_S:
            return Outcome(one.server, one.command, False, f"it has waited for more than {FRESH_S:g} s")
        return await asyncio.to_thread(self._order, one.server, one.command, action)

    def _order(self, server: str, command: str, action: str) -> Outcome:
        caller = Caller("mqtt", "operator", "mqtt")
        wanted: Data = {"action": action, "servers": [server]}
        looked = self._ask("plan", wanted, caller)
        if looked.error is not None:
            return Outcome(server, command, False, looked.error["message"])
        plan = looked.data
        refusal = _refusal(plan, server)
        if refusal:
            self._services.communicationHandler.record(Action(caller, "run", wanted, "refused", refusal))
            return Outcome(server, command, False, refusal)
        if not plan["steps"]:
            left = plan["untouched"].get(server, "")
            return Outcome(server, command, not left, left or f"{server} is {action} already")
        reply = self._ask("run", {**wanted, "rev": plan["rev"], "note": self._note}, caller)
        if reply.error is not None:
            return Outcome(server, command, False, reply.error["message"])
        number = reply.data["run"]
        return Outcome(server, command, True, f"run {number} was begun: {_switched(plan, server)}", number)

    def _ask(self, command: str, data: Data, caller: Caller) -> Message:
        return self._services.communicationHandler.handleMessage(Message(command, data), caller)


def _switched(plan: dict[str, Any], server: str) -> str:
    others = len({step["server"] for step in plan["steps"]} - {server})
    return f"{server} and {others} that it needs" if others else server


def _refusal(plan: dict[str, Any], server: str) -> str:
    """Return why nobody but a person may order this plan, or ""."""
    if plan["targets"] != [server]:
        return f"{server[:80]!r} is not the name of a server"
    if plan["tier"] <= AGREED_TIER:
        return ""
    others = sorted({step["server"] for step in plan["steps"]} - {server})
    if not others:
        return f"{server} is protected: only a person can switch it off"
    more = f" and {len(others) - 5} more" if len(others) > 5 else ""
    return f"this also switches {', '.join(others[:5])}{more}: only a person can agree to that"
