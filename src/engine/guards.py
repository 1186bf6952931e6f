"""What has to hold right before a command that cannot be taken back: asked again before each single send."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator

from ..common.errors import OckleError
from ..common.failpoints import failpoint
from ..networkTree.decide import off_guard, on_guard
from ..networkTree.facts import Desired, Supply
from ..networkTree.ServerNode import ServerNode
from .core import Core
from .observer import Observer


class Dropped(OckleError):
    """The switching ends without having failed: its guard or its order is gone."""


class Guards:
    """The guards of one switching.

    ``unguarded``    an operator wants it whatever the neighbours do
    ``goal``         what its order is
    ``no_way_back``  a shutdown may have been sent: only off can follow, whatever is ordered meanwhile (S11)
    ``sent``         something was sent that the server may have noticed: from here a failure counts as an attempt
    ``dropped``      set to ask for the end at the next moment when that is safe
    """

    def __init__(self, core: Core, observer: Observer, node: ServerNode, *, unguarded: bool) -> None:
        self._core = core
        self._observer = observer
        self._node = node
        self._unguarded = unguarded
        self.goal = Desired.ON
        self.no_way_back = False
        self.sent = False
        self.dropped = asyncio.Event()

    def on(self) -> None:
        """Raises Dropped unless outlets may be switched on now."""
        self._still_ordered()
        if self._unguarded:
            return
        blockers = on_guard(self._fresh(self._core.network.dependencies(self._node.name)))
        if blockers:
            raise Dropped("waiting for " + ", ".join(one.name for one in blockers))

    def off(self) -> None:
        """Raises Dropped unless the server may be shut down, or its power be cut, now."""
        self._still_ordered()
        blockers = self.needed_by()
        if blockers:
            raise Dropped("still needed by " + ", ".join(blockers))

    def needed_by(self) -> list[str]:
        """Return the servers that forbid to shut this one down or to cut its power."""
        if self._unguarded:
            return []
        return [one.name for one in off_guard(self._fresh(self._core.network.dependents(self._node.name)))]

    def _fresh(self, neighbours: Iterable[ServerNode]) -> Iterator[ServerNode]:
        """Yield ``neighbours`` with what is known of them now: evidence may have become too old since it was taken in,
        if a device takes its time."""
        for one in neighbours:
            if one.facts.supply is not Supply.UNKNOWN and self._observer.supply(one) is Supply.UNKNOWN:
                self._observer.evaluate(one)
            yield one

    def _still_ordered(self) -> None:
        facts = self._node.facts
        if self.no_way_back:
            return
        if self.dropped.is_set() or (facts.forced or facts.desired) is not self.goal:
            raise Dropped("the order was taken back")

    def before_switching(self, guard: Callable[[], None]) -> Callable[[], None]:
        """Return what an outlet asks right before it is commanded."""

        def ask() -> None:
            guard()
            self.sent = True

        return ask

    def before_shutdown(self) -> None:
        """Asked right before a shutdown is sent; raises Dropped. From here there is no way back."""
        self.off()
        self.sent = self.no_way_back = True
        failpoint("control.sending")

    async def pause(self, seconds: float) -> None:
        """Sleep, unless the switching is dropped meanwhile; then raises Dropped."""
        try:
            await asyncio.wait_for(self.dropped.wait(), seconds)
        except TimeoutError:
            return
        raise Dropped("the order was taken back")
