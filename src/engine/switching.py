"""Switches one server: the steps of a start and of a stop, in the only order that is safe.

Every command that cannot be taken back is journaled first, durably, and its guard is asked again right before it is
sent. What is sent goes through its ``Sender``.
"""

from __future__ import annotations

from contextlib import suppress

from ..common.common import OpState
from ..common.errors import (
    DeviceAnswerError,
    DeviceError,
    DeviceRefused,
    DeviceStateError,
    DeviceUnreachable,
)
from ..common.failpoints import failpoint
from ..networkTree.decide import is_overdue
from ..networkTree.facts import Desired, Phase, Supply
from ..networkTree.ServerNode import ServerNode
from .core import Core
from .evidence import DownWatch
from .guards import Guards
from .mates import MateWatch
from .observer import Observer
from .probing import next_probe
from .sender import Sender

LOOK_EVERY_S = 1.0
"""How often a server that shuts down is looked at, unless it is probed more often while it boots."""


class Switching:
    """One server being switched on or off.

    ``unguarded``  an operator wants it whatever the neighbours do; a shutdown still comes before the cut
    ``graceful``   False: an operator wants the power cut without a shutdown
    """

    def __init__(
        self,
        core: Core,
        observer: Observer,
        node: ServerNode,
        run: int | None,
        *,
        unguarded: bool = False,
        graceful: bool = True,
    ) -> None:
        self._core = core
        self._observer = observer
        self._node = node
        self._graceful = graceful
        self._guards = Guards(core, observer, node, unguarded=unguarded)
        self._sender = Sender(core, observer, node, self._guards, run)

    @property
    def in_command(self) -> bool:
        return self._sender.in_command

    @property
    def committed(self) -> bool:
        return self._guards.committed

    @property
    def is_dropped(self) -> bool:
        """Whether somebody has asked for the end."""
        return self._guards.dropped.is_set()

    def drop(self) -> None:
        """Ask for the end at the next moment when that is safe."""
        self._guards.dropped.set()

    # -- on

    async def on(self) -> None:
        """Switch on and wait until it serves. Raises Dropped or DeviceError."""
        node, facts = self._node, self._node.facts
        self._guards.goal = Desired.ON
        failpoint("switching.on")
        if facts.forced is not None:
            await self._observer.look(node)
        if facts.start_attempts and facts.supply in (Supply.ON, Supply.MIXED) and not await self._serves():
            await self._cycle_if_allowed()
        self._observer.forget_boot(node)
        off = [outlet for outlet in node.outlets if outlet.state is not True]
        if off:
            await self._sender.switch(off, True, self._guards.on)
        facts.phase = Phase.BOOT
        await self._boot()

    async def _boot(self) -> None:
        node, clock = self._node, self._core.clock
        policy = node.facts.policy
        began = clock.now()
        deadline = began + policy.boot_timeout
        passes = 0
        while True:
            asked = clock.now()
            if await self._serves():
                passes += 1
                if passes >= policy.ok_after:
                    return
            else:
                passes = 0
            failpoint("switching.booting")
            if clock.now() >= deadline:
                reason = self._observer.tests.failed_text(node) or "its control does not answer"
                raise DeviceStateError(f"not up after {policy.boot_timeout:g} s: {reason}{_hint(node)}")
            self._core.set_why(node, self._observer.tests.failed_text(node) or "booting")
            pause = policy.probe_interval
            if not passes:  # successes in a row prove something only at their distance
                now = clock.now()
                pause = min(pause, next_probe(now - began, now - asked))
            await self._guards.pause(pause)

    async def _serves(self) -> bool:
        return await self._observer.tests.run(self._node) and await self._controls_up()

    async def _controls_up(self) -> bool:
        """Without tests, a control that answers is the only sign of life; with tests they decide alone."""
        node = self._node
        for control in node.controls:
            if node.tests:
                control.opState = OpState.OK
                continue
            try:
                if not await control.get_state():
                    return False
            except DeviceError:
                return False
            control.opState = OpState.OK
        return True

    async def _cycle_if_allowed(self) -> None:
        """Before another attempt: take the power away, where the policy and the neighbours allow it.

        A server whose control still answers is shut down first; if it does not go down, the attempt fails instead.
        """
        node, facts = self._node, self._node.facts
        allowed = facts.policy.retry_cycle
        if allowed == "never" or not self._guards.may_cycle():
            return
        watch = DownWatch(node, self._core.clock) if allowed == "if-down" else None
        if watch is not None and not await watch.is_down():
            return
        self._core.set_why(node, "power-cycling for another attempt")
        if allowed == "always" and await self._any_control_answers():
            watch = await self._shut_down()
        facts.phase = Phase.CYCLE
        await self._wait_to_cut(watch)
        await self._sender.switch(
            [outlet for outlet in node.outlets if outlet.state is not False], False, self._guards.off
        )
        facts.forget_shutdown()
        self._guards.no_way_back = False

    async def _any_control_answers(self) -> bool:
        for control in self._node.controls:
            with suppress(DeviceError):
                if await control.get_state():
                    return True
        return False

    # -- off

    async def off(self) -> None:
        """Shut down, wait until it is down, switch off. Raises Dropped or DeviceError."""
        node, facts = self._node, self._node.facts
        self._guards.goal = Desired.OFF
        self._guards.no_way_back = facts.shutdown_sent
        began = self._core.clock.now()
        failpoint("switching.off")
        if facts.supply is Supply.OFF:
            await self._observer.look(node)  # somebody may have switched it on since it was read
        if facts.supply is Supply.OFF:
            facts.forget_shutdown()
            return
        watch = await self._shut_down() if self._graceful and node.controls else None
        self._observer.tests.forget(node)  # what the controls saw is needed until the power is off
        facts.phase = Phase.CUT
        await self._wait_to_cut(watch)
        await MateWatch(self._core, node, watch).wait(self._guards.dropped)
        failpoint("switching.down")
        # A mate may have cut what they share while this one waited for it.
        left = [outlet for outlet in node.outlets if outlet.state is not False or outlet.marks.off_at < began]
        if left:
            await self._sender.switch(left, False, self._guards.off)
        self._observer.see_supplies(node)
        facts.forget_shutdown()

    async def _wait_to_cut(self, watch: DownWatch | None) -> None:
        """Wait until its outlets may be switched off. If that takes time, ``watch`` has to find it down once more."""
        on = [outlet for outlet in self._node.outlets if outlet.state is not False]
        if await self._sender.wait_ready(on, False) and watch is not None and not await watch.is_down():
            raise DeviceStateError(f"not cut: it was down, and is back: {watch.last}")

    async def _shut_down(self) -> DownWatch | None:
        """Send the shutdown and wait; return what proves that it is down, None if it is cut all the same."""
        refused = await self._sender.shut_down()
        facts = self._node.facts
        if refused is not None and facts.policy.shutdown_policy == "fail" and facts.emergency_by is None:
            raise refused
        failpoint("switching.shutdown.answered")
        return await self._wait_until_down()

    async def _wait_until_down(self) -> DownWatch | None:
        node, clock = self._node, self._core.clock
        policy = node.facts.policy
        began = clock.now()
        watch = DownWatch(node, clock)
        pause = min(policy.probe_interval, LOOK_EVERY_S)
        while not await watch.is_down():
            failpoint("switching.waiting")
            waited = clock.now() - began
            cause = "in the emergency" if is_overdue(node.facts, clock.now()) else ""
            if not cause and waited >= policy.shutdown_timeout:
                if policy.shutdown_policy != "cut":
                    raise DeviceStateError(f"not down after {policy.shutdown_timeout:g} s: {watch.last}")
                cause = "by its policy"
            if cause:
                self._core.events.publish("cut", f"{node.name}: not down after {waited:g} s, cut {cause}", node.name)
                return None
            self._core.set_why(node, watch.last)
            await clock.sleep(pause)
            if not self._sender.accepted and await self._any_control_answers():
                await self._sender.shut_down_again()
        self._guards.found_down_at = clock.now()
        for control in node.controls:
            control.opState = OpState.OFF
        return watch


def _hint(node: ServerNode) -> str:
    """Return what the power that it draws tells about a server that does not come up."""
    watts = node.power_w()
    if watts is None or watts >= node.facts.policy.idle_watts:
        return ""
    return f" (it draws {watts:g} W: does its BIOS switch it on when power returns?)"


def is_final(error: BaseException) -> bool:
    """Tell whether trying again cannot help."""
    return isinstance(error, DeviceRefused | DeviceAnswerError) and not isinstance(error, DeviceUnreachable)
