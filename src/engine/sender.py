"""Sends the commands of one switching: journaled first, guarded right before, and the outcome written down."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from ..common.clock import TICK_S
from ..common.common import OpState
from ..common.errors import DeviceError, DeviceRefused, OckleError
from ..common.failpoints import failpoint
from ..controllers.ControllerTemplate import ControllerTemplate
from ..networkTree.facts import UNNAMED, Phase, Supply
from ..networkTree.ServerNode import ServerNode
from ..outlets.OutletTemplate import OutletTemplate
from .core import Core
from .guards import Dropped, Guards
from .observer import Observer


class Sender:
    """All that a switching of one server sends goes through here.

    ``accepted``  a control has accepted the shutdown
    """

    def __init__(self, core: Core, observer: Observer, node: ServerNode, guards: Guards, run: int | None) -> None:
        self.accepted = False
        self._core = core
        self._observer = observer
        self._node = node
        self._guards = guards
        self._run = run
        self._commands = 0  # in flight now

    @property
    def in_command(self) -> bool:
        return self._commands > 0

    async def _command(self, work: Awaitable[None]) -> None:
        self._commands += 1
        try:
            await work
        finally:
            self._commands -= 1

    # -- shutdowns

    async def shut_down(self) -> DeviceRefused | None:
        """Have all controls ask for a shutdown; return a refusal if all of them refused. Raises Dropped, StoreError.

        From before the first one is sent the server counts as stopping, durably, unless all refused.
        """
        node, facts, journal = self._node, self._node.facts, self._core.journal
        intents = self._intend_to_shut_down()
        before = facts.shutdown_sent, facts.poison_boot
        facts.shutdown_sent, facts.poison_boot = True, UNNAMED
        journal.save(node)
        failpoint("switching.shutdown.noted")
        try:
            await journal.commit()
            failpoint("switching.shutdown.journaled")
            self._guards.off()
            facts.phase = Phase.SHUTDOWN
            refusals = await self._ask_to_shut_down(intents, before[1])
        except OckleError as error:
            journal.not_sent(intents.values(), error)
            if not self._guards.no_way_back:
                facts.shutdown_sent, facts.poison_boot = before
                journal.save(node)
            raise
        if len(refusals) < len(node.controls):
            return None
        self._guards.no_way_back = before[0]
        facts.shutdown_sent, facts.poison_boot = before  # refused means: not begun
        journal.save(node)
        return refusals[0]

    async def shut_down_again(self) -> None:
        """A control answers that did not when the shutdown was sent, on a booting server for one: send it again."""
        facts, journal = self._node.facts, self._core.journal
        intents = self._intend_to_shut_down()
        before, facts.poison_boot = facts.poison_boot, UNNAMED
        journal.save(self._node)
        try:
            await journal.commit()
            await self._ask_to_shut_down(intents, before)
        except OckleError as error:
            journal.not_sent(intents.values(), error)
            if len(intents) == len(self._node.controls):  # none was sent
                facts.poison_boot = before
                journal.save(self._node)
            raise

    def _intend_to_shut_down(self) -> dict[ControllerTemplate, int]:
        node, journal = self._node, self._core.journal
        return {control: journal.intend(node, control.name, "shutdown", self._run) for control in node.controls}

    async def _ask_to_shut_down(self, intents: dict[ControllerTemplate, int], known: str) -> list[DeviceRefused]:
        """Send the shutdown by each control; return the refusals. What is done leaves ``intents``. Raises Dropped.

        ``known``  the boot that was asked before, which stays in doubt when no control accepts it now
        """
        refusals: list[DeviceRefused] = []
        facts, journal = self._node.facts, self._core.journal
        boots: list[str] = []
        for control in list(intents):
            before, control.opState = control.opState, OpState.SwitchingOff
            try:
                await self._command(control.shut_down(self._guards.before_shutdown))
            except DeviceError as error:
                control.opState = OpState.failedToStop
                journal.outcome(intents.pop(control), f"{type(error).__name__}: {error}")
                if isinstance(error, DeviceRefused):
                    refusals.append(error)
            except Dropped:
                control.opState = before
                raise
            else:
                self.accepted = True
                boots.append(control.boot_id or UNNAMED)
                journal.outcome(intents.pop(control), "accepted")
        facts.poison_boot = " ".join(dict.fromkeys(boots)) or known
        journal.save(self._node)
        return refusals

    # -- outlets

    async def switch(self, outlets: list[OutletTemplate], state: bool, guard: Callable[[], None]) -> None:
        """Journal, then switch ``outlets`` at once; raises the first error after all of them ended."""
        node, journal = self._node, self._core.journal
        await self.wait_ready(outlets, state)
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

    async def wait_ready(self, outlets: list[OutletTemplate], state: bool) -> bool:
        """Wait until all ``outlets`` may be switched: not too soon after the last time, nor across a late command.

        Returns whether that took any time: what was known before may not hold any more. Raises Dropped.
        """
        clock, waited = self._core.clock, False
        while outlets:  # meanwhile somebody else may have switched one
            moment, reason = max(outlet.ready(state, urgent=self._guards.urgent) for outlet in outlets)
            wait = moment - clock.now()
            if wait <= TICK_S:
                break
            waited = True
            self._core.set_why(self._node, f"another {wait:.0f} s: {reason}")
            await (clock.sleep(wait) if self._guards.no_way_back else self._guards.pause(wait))
        return waited
