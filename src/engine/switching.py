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
from ..common.failpoints import failpoint
from ..controllers.ControllerTemplate import ControllerTemplate
from ..networkTree.decide import is_overdue
from ..networkTree.facts import Desired, Phase, Supply
from ..networkTree.ServerNode import ServerNode
from ..outlets.OutletTemplate import OutletTemplate
from .core import Core
from .evidence import DownWatch
from .guards import Dropped, Guards
from .mates import MateWatch
from .observer import Observer
from .probing import next_probe

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
        self._run = run
        self._graceful = graceful
        self._guards = Guards(core, observer, node, unguarded=unguarded)
        self._accepted = False  # a control has accepted the shutdown
        self._commands = 0  # in flight now

    @property
    def in_command(self) -> bool:
        return self._commands > 0

    @property
    def committed(self) -> bool:
        return self._guards.committed

    def drop(self) -> None:
        """Ask for the end at the next moment when that is safe."""
        self._guards.dropped.set()

    # -- on

    async def on(self) -> None:
        """Switch on and wait until it serves. Raises Dropped or DeviceError."""
        node, facts = self._node, self._node.facts
        self._guards.goal = Desired.ON
        failpoint("switching.on")
        if facts.start_attempts and facts.supply in (Supply.ON, Supply.MIXED) and not await self._serves():
            await self._cycle_if_allowed()
        self._observer.forget_boot(node)
        off = [outlet for outlet in node.outlets if outlet.state is not True]
        if off:
            await self._switch(off, True, self._guards.on)
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
                reason = self._observer.failed_tests_text(node) or "its control does not answer"
                raise DeviceStateError(f"not up after {policy.boot_timeout:g} s: {reason}{_hint(node)}")
            self._core.set_why(node, self._observer.failed_tests_text(node) or "booting")
            pause = policy.probe_interval
            if not passes:  # successes in a row prove something only at their distance
                now = clock.now()
                pause = min(pause, next_probe(now - began, now - asked))
            await self._guards.pause(pause)

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
        if allowed == "never" or not self._guards.may_cycle():
            return
        if allowed == "if-down" and not await DownWatch(node, self._core.clock).is_down():
            return
        self._core.set_why(node, "power-cycling for another attempt")
        if allowed == "always" and await self._any_control_answers():
            await self._shut_down()
        facts.phase = Phase.CYCLE
        await self._switch([outlet for outlet in node.outlets if outlet.state is not False], False, self._guards.off)
        facts.shutdown_sent = self._guards.no_way_back = False

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
            facts.shutdown_sent = False
            return
        watch = await self._shut_down() if self._graceful and node.controls else None
        self._observer.forget_boot(node)
        facts.phase = Phase.CUT
        await MateWatch(self._core, node, watch).wait(self._guards.dropped)
        failpoint("switching.down")
        # A mate may have cut what they share while this one waited for it.
        left = [outlet for outlet in node.outlets if outlet.state is not False or outlet.marks.off_at < began]
        if left:
            await self._switch(left, False, self._guards.off)
        self._observer.see_supplies(node)
        facts.shutdown_sent = False

    async def _shut_down(self) -> DownWatch | None:
        """Send the shutdown and wait; return what proves that it is down, None if it is cut all the same."""
        node, facts = self._node, self._node.facts
        intents = {
            control: self._core.journal.intend(node, control.name, "shutdown", self._run) for control in node.controls
        }
        sent_before, facts.shutdown_sent = facts.shutdown_sent, True
        self._core.journal.save(node)
        failpoint("switching.shutdown.noted")
        try:
            await self._core.journal.commit()
            failpoint("switching.shutdown.journaled")
            self._guards.off()
            facts.phase = Phase.SHUTDOWN
            refusals = await self._ask_to_shut_down(intents)
        except OckleError as error:
            self._core.journal.not_sent(intents.values(), error)
            if not self._guards.no_way_back:
                facts.shutdown_sent = sent_before
                self._core.journal.save(node)
            raise
        if len(refusals) == len(node.controls):
            self._guards.no_way_back = sent_before
            if not sent_before:
                facts.shutdown_sent = False  # refused means: not begun
                self._core.journal.save(node)
            if facts.policy.shutdown_policy == "fail" and facts.emergency_by is None:
                raise refusals[0]
        failpoint("switching.shutdown.answered")
        return await self._wait_until_down()

    async def _ask_to_shut_down(self, intents: dict[ControllerTemplate, int]) -> list[DeviceError]:
        """Send the shutdown by each control; return the refusals. What is done leaves ``intents``. Raises Dropped."""
        refusals: list[DeviceError] = []
        facts = self._node.facts
        facts.poison_boot = ""
        for control in list(intents):
            before, control.opState = control.opState, OpState.SwitchingOff
            try:
                await self._command(control.shut_down(self._guards.before_shutdown))
            except DeviceError as error:
                control.opState = OpState.failedToStop
                self._core.journal.outcome(intents.pop(control), f"{type(error).__name__}: {error}")
                if isinstance(error, DeviceRefused):
                    refusals.append(error)
            except Dropped:
                control.opState = before
                raise
            else:
                self._accepted = True
                facts.poison_boot = control.boot_id or facts.poison_boot
                self._core.journal.save(self._node)
                self._core.journal.outcome(intents.pop(control), "accepted")
        return refusals

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
            if not self._accepted and await self._any_control_answers():
                await self._ask_again()
        for control in node.controls:
            control.opState = OpState.OFF
        return watch

    async def _ask_again(self) -> None:
        """A control answers that did not when the shutdown was sent, on a booting server for one: send it again."""
        node, journal = self._node, self._core.journal
        intents = {control: journal.intend(node, control.name, "shutdown", self._run) for control in node.controls}
        try:
            await journal.commit()
            await self._ask_to_shut_down(intents)
        except OckleError as error:
            journal.not_sent(intents.values(), error)
            raise

    # -- outlets

    async def _switch(self, outlets: list[OutletTemplate], state: bool, guard: Callable[[], None]) -> None:
        """Journal, then switch ``outlets`` at once; raises the first error after all of them ended."""
        node, journal = self._node, self._core.journal
        await self._wait_ready(outlets, state)
        intents = [journal.intend_to_switch(node, outlet, state, self._run) for outlet in outlets]
        failpoint("switching.noted")
        try:
            await journal.commit()
            failpoint("switching.journaled")
            guard()
        except OckleError as error:
            journal.not_sent(intents, error)
            for outlet in outlets:
                journal.save_marks(node, outlet)
            raise
        if state:
            node.facts.phase = Phase.SET
        results = await asyncio.gather(
            *(self._switch_one(outlet, state, guard) for outlet in outlets), return_exceptions=True
        )
        failpoint("switching.verified")
        problem: BaseException | None = None
        for outlet, intent, result in zip(outlets, intents, results, strict=True):
            if isinstance(result, BaseException):
                problem = problem or result
                journal.outcome(intent, f"{type(result).__name__}: {result}")
            else:
                journal.outcome(intent, "verified")
            journal.save_marks(node, outlet)
        failpoint("switching.concluded")
        self._observer.see_supplies(node)
        fed = state and node.facts.supply is Supply.ON and isinstance(problem, DeviceError)
        if problem is not None and not fed:  # what is missing of a server that is fed well enough is told as degraded
            raise problem

    async def _switch_one(self, outlet: OutletTemplate, state: bool, guard: Callable[[], None]) -> None:
        outlet.opState = OpState.SwitchingOn if state else OpState.SwitchingOff
        before_send = self._guards.before_switching(guard, cut=None if state else outlet)
        try:
            await self._command(outlet.set_state(state, before_send=before_send))
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

    async def _wait_ready(self, outlets: list[OutletTemplate], state: bool) -> None:
        """Wait until all ``outlets`` may be switched: not too soon after the last time, nor across a late command."""
        clock = self._core.clock
        moment, reason = max(outlet.ready(state, urgent=self._guards.urgent) for outlet in outlets)
        wait = moment - clock.now()
        if wait > 0:
            self._core.set_why(self._node, f"another {wait:.0f} s: {reason}")
            await self._guards.pause(wait)

    async def _command(self, work: Awaitable[None]) -> None:
        self._commands += 1
        try:
            await work
        finally:
            self._commands -= 1


def _hint(node: ServerNode) -> str:
    """Return what the power that it draws tells about a server that does not come up."""
    watts = node.power_w()
    if watts is None or watts >= node.facts.policy.idle_watts:
        return ""
    return f" (it draws {watts:g} W: does its BIOS switch it on when power returns?)"


def is_final(error: BaseException) -> bool:
    """Tell whether trying again cannot help."""
    return isinstance(error, DeviceRefused | DeviceAnswerError) and not isinstance(error, DeviceUnreachable)
