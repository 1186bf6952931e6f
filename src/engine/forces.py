"""Forces: an operator takes a server out of all automation, for good or for a while, and gives it back."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from ..common.errors import CommandError, OckleError
from ..common.failpoints import failpoint
from ..networkTree.facts import Desired
from ..networkTree.ServerNode import ServerNode
from ..networkTree.states import Trigger
from .conductor import Conductor
from .core import Core
from .run_book import RunBook
from .store_watch import StoreWatch
from .tasks import Tasks

log = logging.getLogger(__name__)

RETRY_S = 60.0
"""When a force whose time is over is lifted again if that could not be written down."""


@dataclass(frozen=True, slots=True)
class Force:
    """What a server is forced to; ``state`` None = nothing. ``seconds`` until it ends by itself, None = never."""

    state: Desired | None
    note: str = ""
    who: str = ""
    seconds: float | None = None


class Forces:
    """Sets and lifts forces; durable before anything is switched (S18, S19)."""

    def __init__(self, core: Core, runs: RunBook, store_watch: StoreWatch, conductor: Conductor) -> None:
        self._core = core
        self._runs = runs
        self._store_watch = store_watch
        self._conductor = conductor
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks = Tasks("a force")

    async def force(self, name: str, force: Force) -> None:
        """Take a server out of all automation and switch it as ordered; state None gives it back.

        Raises CommandError, StoreError.
        """
        node = self._core.network.getServernode(name)
        if force.state is None and node.facts.forced is None:
            raise CommandError(f"{name} is not forced", "refused")
        if force.state is not None:
            self._core.check_trust()
        with self._conductor.reserved(node):
            await self._conductor.end_switching(node)
            await self._note(node, force)
            failpoint("force.durable")
            if force.state is None:
                await self._conductor.observer.read_server(node)
            else:
                node.facts.graceful = True
                self._conductor.launch(node, force.state, None, unguarded=True)

    async def _note(self, node: ServerNode, force: Force) -> None:
        """Set or lift a force, durably; raises StoreError, and then all is as it was."""
        facts, name = node.facts, node.name
        before = _present(node, self._core.clock.now()), facts.desired, facts.forced_open
        self._set(node, force, opened=force.state is not None)
        if force.state is None:
            self._core.set_desired(node, None)
        self._core.journal.save(node)

        def undo() -> None:
            was, desired, opened = before
            self._set(node, was, opened=opened)
            self._core.set_desired(node, desired)
            self._conductor.observer.evaluate(node)

        failpoint("force.noted")
        await self._store_watch.durably(undo)
        run = self._runs.of_server(name)
        if run is not None and force.state is not None:
            self._runs.forced(run, name, f"forced {force.state}")
        self._core.events.publish(
            "force", f"{name}: force {force.state or 'lifted'}", name, note=force.note, who=force.who
        )

    def _set(self, node: ServerNode, force: Force, *, opened: bool) -> None:
        facts, clock = node.facts, self._core.clock
        was, forced = facts.forced, force.state is not None
        facts.forced, facts.forced_open = force.state, opened
        facts.forced_note, facts.forced_by = (force.note, force.who) if forced else ("", "")
        facts.forced_since = clock.wall() if forced else 0.0
        facts.forced_until = clock.now() + force.seconds if forced and force.seconds is not None else None
        self._set_timer(node)
        if force.state is not None:
            self._core.move(node, Trigger.FORCE_ON if force.state is Desired.ON else Trigger.FORCE_OFF)
        elif was is not None:
            self._core.move(node, Trigger.UNFORCE)

    # -- for a while

    def _set_timer(self, node: ServerNode) -> None:
        timer = self._timers.pop(node.name, None)
        if timer is not None:
            timer.cancel()
        if node.facts.forced_until is not None:
            left = node.facts.forced_until - self._core.clock.now()
            self._timers[node.name] = self._core.later(left, lambda: self._tasks.spawn(self._lift(node.name)))

    async def _lift(self, name: str) -> None:
        node = self._core.network.getServer(name)
        if node is None or node.facts.forced is None:
            return
        log.info("%s: the time of its force is over", name)
        try:
            await self.force(name, Force(None, "its time is over", node.facts.forced_by))
        except OckleError as error:
            log.warning("%s: the force is not lifted yet: %s", name, error)
            self._timers[name] = self._core.later(RETRY_S, lambda: self._tasks.spawn(self._lift(name)))

    # -- across a restart

    def resume(self) -> None:
        """Take up the forces that the network's servers have; the conductor goes on with what had not ended."""
        for name in [name for name in self._timers if name not in self._core.network]:
            self._timers.pop(name).cancel()
        for node in self._core.network:
            if node.facts.forced is not None:
                self._set_timer(node)
                self._core.mark(node)

    async def stop(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        await self._tasks.stop()


def _present(node: ServerNode, now: float) -> Force:
    facts = node.facts
    left = None if facts.forced_until is None else facts.forced_until - now
    return Force(facts.forced, facts.forced_note, facts.forced_by, left)
