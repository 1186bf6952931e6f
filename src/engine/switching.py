"""Switches one server: the steps of a start and of a stop, in the only order that is safe.

Every command that cannot be taken back is journaled first, durably, and its guard is asked again right before it is
sent. Only here are commands sent to outlets and controls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from ..common.common import OpState
from ..common.errors import (
    DeviceAnswerError,
    DeviceError,
    DeviceRefused,
    DeviceStateError,
    DeviceUnreachable,
    OckleError,
)
from ..networkTree.decide import off_guard, on_guard
from ..networkTree.facts import Desired, Phase, Supply
from ..networkTree.ServerNode import ServerNode
from ..outlets.OutletTemplate import OutletTemplate
from .core import Core
from .evidence import DownWatch
from .observer import Observer
from .probing import next_probe

LOOK_EVERY_S = 1.0
"""How often a server that shuts down is looked at, unless it is probed more often while it boots."""


class Dropped(OckleError):
    """The switching ends without having failed: its guard or its order is gone."""


class Switching:
    """One server being switched on or off.

    ``unguarded``  an operator wants it whatever the neighbours do; a shutdown still comes before the cut
    ``graceful``   False: an operator wants the power cut without a shutdown
    ``sent``       something was sent that the server may have noticed: from here a failure counts as an attempt
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
        self._run = run
        self._unguarded = unguarded
        self._graceful = graceful
        self._goal = Desired.ON
        self._generation = node.facts.desired_gen
        self._dropped = asyncio.Event()
        self.in_command = False
        self.sent = False

    def drop(self) -> None:
        """Ask for the end at the next moment when that is safe."""
        self._dropped.set()

    # -- on

    async def on(self) -> None:
        """Switch on and wait until it serves. Raises Dropped or DeviceError."""
        node, facts = self._node, self._node.facts
        self._goal = Desired.ON
        if facts.start_attempts and facts.supply in (Supply.ON, Supply.MIXED) and not await self._serves():
            await self._cycle_if_allowed()
        self._observer.forget_boot(node)
        off = [outlet for outlet in node.outlets if outlet.state is not True]
        if off:
            await self._switch(off, True, self._on_guard)
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
            if clock.now() >= deadline:
                reason = self._observer.failed_tests_text(node) or "its control does not answer"
                raise DeviceStateError(f"not up after {policy.boot_timeout:g} s: {reason}")
            self._core.set_why(node, self._observer.failed_tests_text(node) or "booting")
            pause = policy.probe_interval
            if not passes:  # successes in a row prove something only at their distance
                now = clock.now()
                pause = min(pause, next_probe(now - began, now - asked))
            await self._pause(pause)

    async def _serves(self) -> bool:
        return await self._observer.run_tests(self._node) and await self._controls_up()

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
        if allowed == "never" or self._off_blockers():
            return
        if allowed == "if-down" and not await DownWatch(node, self._core.clock).is_down():
            return
        self._core.set_why(node, "power-cycling for another attempt")
        if allowed == "always" and await self._any_control_answers():
            await self._shut_down()
        facts.phase = Phase.CYCLE
        await self._switch([outlet for outlet in node.outlets if outlet.state is not False], False, self._cycle_guard)
        facts.shutdown_sent = False

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
        self._goal = Desired.OFF
        if facts.supply is Supply.OFF:
            facts.shutdown_sent = False
            return
        if self._graceful and node.controls:
            await self._shut_down()
        self._observer.forget_boot(node)
        facts.phase = Phase.CUT
        if node.outlets:
            await self._switch(node.outlets, False, self._off_guard)
        facts.shutdown_sent = False

    async def _shut_down(self) -> None:
        node, facts = self._node, self._node.facts
        intents = {
            control: self._core.journal.intend(node, control.name, "shutdown", self._run) for control in node.controls
        }
        sent_before, facts.shutdown_sent = facts.shutdown_sent, True
        self._core.journal.save(node)
        try:
            await self._core.journal.commit()
            self._off_guard()
        except OckleError:
            facts.shutdown_sent = sent_before
            self._core.journal.save(node)
            raise
        facts.phase = Phase.SHUTDOWN
        refusals: list[DeviceError] = []
        for control, intent in intents.items():
            control.opState = OpState.SwitchingOff
            try:
                await self._command(control.shut_down(self._before_send(self._off_guard)))
            except DeviceError as error:
                control.opState = OpState.failedToStop
                self._core.journal.outcome(intent, f"{type(error).__name__}: {error}")
                if isinstance(error, DeviceRefused):
                    refusals.append(error)
            else:
                self._core.journal.outcome(intent, "accepted")
        if len(refusals) == len(node.controls):
            if not sent_before:
                facts.shutdown_sent = False  # refused means: not begun
                self._core.journal.save(node)
            if facts.policy.shutdown_policy == "fail":
                raise refusals[0]
        await self._wait_until_down()

    async def _wait_until_down(self) -> None:
        node, clock = self._node, self._core.clock
        policy = node.facts.policy
        deadline = clock.now() + policy.shutdown_timeout
        watch = DownWatch(node, clock)
        pause = min(policy.probe_interval, LOOK_EVERY_S)
        while not await watch.is_down():
            if clock.now() >= deadline:
                if policy.shutdown_policy == "cut":
                    self._core.events.publish(
                        "cut",
                        f"{node.name}: not down after {policy.shutdown_timeout:g} s, cut by its policy",
                        node.name,
                    )
                    return
                raise DeviceStateError(f"not down after {policy.shutdown_timeout:g} s: {watch.last}")
            self._core.set_why(node, watch.last)
            await clock.sleep(pause)
        for control in node.controls:
            control.opState = OpState.OFF

    # -- outlets

    async def _switch(self, outlets: list[OutletTemplate], state: bool, guard: Callable[[], None]) -> None:
        """Journal, then switch ``outlets`` at once; raises the first error after all of them ended."""
        node, journal = self._node, self._core.journal
        verb = "on" if state else "off"
        if state:
            await self._wait_min_off(outlets)
        intents = [journal.intend(node, outlet.name, verb, self._run) for outlet in outlets]
        await journal.commit()
        guard()
        if state:
            node.facts.phase = Phase.SET
        results = await asyncio.gather(
            *(self._switch_one(outlet, state, guard) for outlet in outlets), return_exceptions=True
        )
        problem: BaseException | None = None
        for outlet, intent, result in zip(outlets, intents, results, strict=True):
            if isinstance(result, BaseException):
                problem = problem or result
                journal.outcome(intent, f"{type(result).__name__}: {result}")
            else:
                journal.outcome(intent, "verified")
                if not state:
                    journal.switched_off(node, outlet)
        node.facts.supply = self._observer.supply(node)
        if problem is not None:
            raise problem

    async def _switch_one(self, outlet: OutletTemplate, state: bool, guard: Callable[[], None]) -> None:
        outlet.opState = OpState.SwitchingOn if state else OpState.SwitchingOff
        try:
            await self._command(outlet.set_state(state, before_send=self._before_send(guard)))
        except DeviceError:
            outlet.opState = OpState.failedToStart if state else OpState.failedToStop
            raise
        except Dropped:
            outlet.opState = OpState.INIT
            raise
        outlet.opState = OpState.OK if state else OpState.OFF
        self._core.events.publish(
            "outlet",
            f"{self._node.name}: outlet {outlet.name} is {'on' if state else 'off'}",
            self._node.name,
            outlet=outlet.name,
            state=state,
        )

    async def _wait_min_off(self, outlets: list[OutletTemplate]) -> None:
        clock = self._core.clock
        ready = max(outlet.off_at + float(outlet.params["min_off_time"]) for outlet in outlets)
        wait = ready - clock.now()
        if wait > 0:
            self._core.set_why(self._node, f"stays off for another {wait:.0f} s")
            await self._pause(wait)

    async def _command(self, work: Awaitable[None]) -> None:
        self.in_command = True
        try:
            await work
        finally:
            self.in_command = False

    # -- guards

    def _before_send(self, guard: Callable[[], None]) -> Callable[[], None]:
        def ask() -> None:
            guard()
            self.sent = True

        return ask

    def _on_guard(self) -> None:
        self._still_ordered()
        if self._unguarded:
            return
        blockers = on_guard(self._core.network.dependencies(self._node.name))
        if blockers:
            raise Dropped("waiting for " + ", ".join(one.name for one in blockers))

    def _off_guard(self) -> None:
        if self._goal is Desired.OFF and not self._node.facts.shutdown_sent:
            self._still_ordered()  # once a shutdown may have been sent there is no way back
        blockers = self._off_blockers()
        if blockers:
            raise Dropped("still needed by " + ", ".join(blockers))

    def _cycle_guard(self) -> None:
        self._still_ordered()
        blockers = self._off_blockers()
        if blockers:
            raise Dropped("cannot be power-cycled, needed by " + ", ".join(blockers))

    def _off_blockers(self) -> list[str]:
        if self._unguarded:
            return []
        return [one.name for one in off_guard(self._core.network.dependents(self._node.name))]

    def _still_ordered(self) -> None:
        facts = self._node.facts
        wanted = facts.forced or facts.desired
        if self._dropped.is_set() or (wanted is not self._goal and not facts.shutdown_sent):
            raise Dropped("the order was taken back")

    async def _pause(self, seconds: float) -> None:
        """Sleep, unless the switching is dropped meanwhile."""
        try:
            await asyncio.wait_for(self._dropped.wait(), seconds)
        except TimeoutError:
            return
        raise Dropped("the order was taken back")


def is_final(error: BaseException) -> bool:
    """Tell whether trying again cannot help."""
    return isinstance(error, DeviceRefused | DeviceAnswerError) and not isinstance(error, DeviceUnreachable)
