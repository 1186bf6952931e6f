"""What has to hold right before a command that cannot be taken back: asked again before each single send."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator

from ..common.errors import OckleError
from ..common.failpoints import failpoint
from ..networkTree.decide import cutting_guard, feeding_guard, off_guard, on_guard, sharing_text
from ..networkTree.facts import Desired, Supply
from ..networkTree.ServerNode import ServerNode
from ..networkTree.sharing import Sharer
from ..outlets.OutletTemplate import OutletTemplate
from .core import Core
from .mates import running
from .observer import Observer


class Dropped(OckleError):
    """The switching ends without having failed: its guard or its order is gone."""


class Guards:
    """The guards of one switching.

    ``unguarded``    an operator wants it whatever the neighbours do
    ``goal``         what its order is
    ``no_way_back``  a shutdown may have been sent: only off can follow, whatever is ordered meanwhile (S11)
    ``sent``         something was sent that the server may have noticed: from here a failure counts as an attempt
    ``found_down_at``  moment of the clock when it was proven to be down, None = not (yet)
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
        self.found_down_at: float | None = None
        self.dropped = asyncio.Event()

    def on(self) -> None:
        """Raises Dropped unless outlets may be switched on now."""
        self._still_ordered()
        if self._unguarded:
            return
        blockers = on_guard(self._fresh(self._core.network.dependencies(self._node.name)))
        if blockers:
            raise Dropped("waiting for " + ", ".join(one.name for one in blockers))
        others = feeding_guard(self._core.network.sharers(self._node, True))
        if others:
            raise Dropped(sharing_text(others))

    def off(self) -> None:
        """Raises Dropped unless the server may be shut down, or its power be cut, now."""
        self._still_ordered()
        carries = self._carries_daemon()
        if carries:
            raise Dropped(f"not switched off: {carries}")
        blockers = self.needed_by()
        if blockers:
            raise Dropped("still needed by " + ", ".join(blockers))
        others = () if self._unguarded else cutting_guard(self._core.network.sharers(self._node, False))
        if others:
            raise Dropped(sharing_text(others))

    def _carries_daemon(self) -> str:
        """Return why it must stay on for Ockle's own sake, whatever is ordered (I13); a person may force it off."""
        facts = self._node.facts
        return "" if facts.forced is Desired.OFF else facts.policy.carries_daemon

    def all_read(self) -> None:
        """Raises Dropped when a supply cannot be read: what is shut down could not be proven to be off then (B13)."""
        if self._unguarded or self.no_way_back or self._node.facts.emergency_by is not None:
            return
        unread = self._observer.supplies(self._node).unread
        if unread:
            raise Dropped(unread)

    def needed_by(self) -> list[str]:
        """Return the servers that forbid to shut this one down or to cut its power."""
        if self._unguarded:
            return []
        dependents = self._fresh(self._core.network.dependents(self._node.name))
        return [one.name for one in off_guard(dependents, self._core.clock.now())]

    @property
    def urgent(self) -> bool:
        """Whether limits that only spare the hardware are left aside: for an operator's force and in an emergency."""
        return self._node.facts.emergency_by is not None or self._node.facts.forced is not None

    def _fresh(self, neighbours: Iterable[ServerNode]) -> Iterator[ServerNode]:
        """Yield ``neighbours`` with what is known of them now: evidence may have become too old since it was taken in,
        if a device takes its time."""
        for one in neighbours:
            known = one.facts.supply is not Supply.UNKNOWN
            if known and (self._observer.supply(one) is Supply.UNKNOWN or self._observer.tests.are_old(one)):
                self._observer.evaluate(one)
            yield one

    @property
    def committed(self) -> bool:
        """Whether this switching has to come to its end: by what it sent, or for the sake of a mate.

        A mate that is down and not cut would be stuck otherwise: it can only come back once the outlet has been off.
        """
        return self.sent or self._mates_go_down()

    def _mates_go_down(self) -> bool:
        if self.goal is Desired.ON:
            return False
        mates = self._core.network.sharers(self._node, False)
        return any(one.facts.op is Desired.OFF and one.facts.shutdown_sent for one in mates)

    def _still_ordered(self) -> None:
        facts = self._node.facts
        if self.no_way_back or (not self.dropped.is_set() and self._mates_go_down()):
            return
        if self.dropped.is_set() or (facts.forced or facts.desired) is not self.goal:
            raise Dropped("the order was taken back")

    def may_cycle(self) -> bool:
        """Tell whether neither a neighbour nor a mate forbids to take the power away for a moment."""
        if self._carries_daemon() or self.needed_by():
            return False
        return not self._running(self._core.network.sharers(self._node, False))

    def _running(self, sharers: Iterable[Sharer]) -> list[Sharer]:
        return running(sharers, self._core.clock.now())

    def before_switching(self, guard: Callable[[], None], cut: OutletTemplate | None = None) -> Callable[[], None]:
        """Return what an outlet asks right before it is commanded; ``cut``: the one that is switched off."""

        def ask() -> None:
            guard()
            if cut is not None:
                if self.found_down_at is not None and cut.fed_at > self.found_down_at:
                    raise Dropped("its power may have come back since it was found down")
                others = self._running(self._core.network.fed_by(cut, self._node))
                if others:
                    raise Dropped(sharing_text(others))
            self.sent = True

        return ask

    def before_shutdown(self) -> None:
        """Asked right before a shutdown is sent; raises Dropped. From here there is no way back."""
        self.off()
        self.all_read()
        self.sent = self.no_way_back = True
        failpoint("control.sending")

    async def pause(self, seconds: float) -> None:
        """Sleep, unless the switching is dropped meanwhile; then raises Dropped."""
        try:
            await asyncio.wait_for(self.dropped.wait(), seconds)
        except TimeoutError:
            return
        raise Dropped("the order was taken back")
