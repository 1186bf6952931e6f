"""The servers that hang on one outlet with a server: none of them loses its power while it may be running."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from ..common.common import OpState
from ..common.errors import DeviceError, DeviceRefused, DeviceStateError
from ..networkTree.decide import cutting_guard, is_down, is_overdue, sharing_text
from ..networkTree.facts import Desired, ServerFacts
from ..networkTree.ServerNode import ServerNode
from ..networkTree.sharing import Sharer
from .core import Core
from .evidence import DownWatch

FRESH_S = 60.0
"""How long a look that found a server down may be ago when its power is cut."""
LOOK_EVERY_S = 1.0


def running(sharers: Iterable[Sharer], now: float) -> list[Sharer]:
    """Return those that must not lose their power now: neither off nor found down lately, nor late in an emergency."""
    return [one for one in sharers if not (is_down(one.facts) or is_overdue(one.facts, now) or _found_down(one, now))]


def _found_down(one: Sharer, now: float) -> bool:
    return now - one.facts.released_at <= FRESH_S


class MateWatch:
    """Waits, once its own server is ready to be cut, until all that would be cut with it are."""

    def __init__(self, core: Core, node: ServerNode, own: DownWatch | None) -> None:
        """``own``  has found the server down, and goes on looking; None: it is cut whatever it does."""
        self._core = core
        self._node = node
        self._own = own
        self._watches: dict[str, DownWatch] = {}

    async def wait(self, dropped: asyncio.Event) -> None:
        """Return when the outlets may be cut, or ``dropped`` is set. Meanwhile the server may be cut by its mates, too.

        Raises DeviceStateError when one of the mates is not going to be down, or the server has come back;
        DeviceRefused when a mate gave up, which only a person can end.
        """
        node, core = self._node, self._core
        if not core.network.mates(node.name):
            return
        deadline = core.clock.now() + node.facts.policy.shutdown_timeout
        try:
            while True:
                node.facts.released_at = core.clock.now()
                core.mark_around(node)
                sharers = list(core.network.sharers(node, False))
                missing = running(sharers, core.clock.now())
                if not missing or dropped.is_set():
                    return
                stay = cutting_guard(missing)
                if stay:
                    gave_up = any(one.facts.op_state is OpState.permanentlyFailedToStop for one in stay)
                    kind = DeviceRefused if gave_up else DeviceStateError
                    raise kind(f"not cut: {sharing_text(stay)}")
                if any(one.facts.op is Desired.OFF for one in missing):
                    deadline = core.clock.now() + node.facts.policy.shutdown_timeout
                elif core.clock.now() >= deadline and node.facts.emergency_by is None:
                    raise DeviceStateError(f"not cut: {sharing_text(missing)}, which does not go down")
                core.set_why(node, f"down, and not cut yet: {sharing_text(missing)}")
                await core.clock.sleep(LOOK_EVERY_S)
                await self._look(missing)
        except DeviceError:
            node.facts.released_at = float("-inf")
            raise

    async def _look(self, missing: list[Sharer]) -> None:
        """Look whether the server is still down, and those of the mates that nobody else looks after."""
        if self._own is not None and not await self._own.is_down():
            raise DeviceStateError(f"not cut: it was down, and is back: {self._own.last}")
        waiting = [one for one in missing if one.facts.op is None]
        found = await asyncio.gather(*(self._watch(one.name).is_down() for one in waiting))
        for one, down in zip(waiting, found, strict=True):
            _release(one.facts, self._core.clock.now() if down else float("-inf"))

    def _watch(self, name: str) -> DownWatch:
        if name not in self._watches:
            self._watches[name] = DownWatch(self._core.network.getServernode(name), self._core.clock)
        return self._watches[name]


def _release(facts: ServerFacts, moment: float) -> None:
    if facts.op is None:  # else the one that switches it knows better
        facts.released_at = moment
