"""Single commands that an operator sends to one outlet or one control, journaled like any other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager

from ..common.common import OpState
from ..common.errors import DeviceError, DeviceRefused, OckleError
from ..controllers.ControllerTemplate import ControllerTemplate
from ..networkTree.facts import UNNAMED, Desired, Supply
from ..networkTree.ServerNode import ServerNode
from ..outlets.OutletTemplate import OutletTemplate
from .core import Core
from .observer import Observer

Guard = Callable[[], None]


def always() -> None:
    """The guard of who is to be obeyed whatever follows."""


class ByHand:
    """Sends what it is told; whether that is allowed is the business of the command that asks.

    It says so by a ``guard``, which is asked right before each send: a command may wait long for its turn. What the
    guard raises keeps it from being sent. Meanwhile no switching of the server begins.
    """

    def __init__(
        self,
        core: Core,
        observer: Callable[[], Observer],
        reserved: Callable[[ServerNode], AbstractContextManager[None]],
    ) -> None:
        self._core = core
        self._observer = observer
        self._reserved = reserved

    async def switch_outlet(self, node: ServerNode, outlet: OutletTemplate, on: bool, guard: Guard = always) -> None:
        """Switch and verify one outlet: on only after its ``min_off_time``, and nothing while the opposite may still
        arrive. Raises DeviceError, StoreError."""
        self._core.check_trust()
        with self._reserved(node):
            await outlet.wait_ready(on, urgent=True)
            intent = self._core.journal.intend_to_switch(node, outlet, on, None)
            try:
                await self._send_to_outlet(outlet, on, guard, intent)
            finally:
                self._core.journal.save_marks(node, outlet)
                self._observer().evaluate(node)

    async def switch_spare(self, outlet: OutletTemplate, on: bool, guard: Guard = always) -> None:
        """Switch and verify an outlet that feeds no server, as ``switch_outlet`` does; it is read before."""
        self._core.check_trust()
        nobody = ServerNode(outlet.device.name)
        await outlet.get_state()
        await outlet.wait_ready(on, urgent=True)
        intent = self._core.journal.intend_to_switch(nobody, outlet, on, None)
        try:
            await self._send_to_outlet(outlet, on, guard, intent)
        finally:
            self._core.journal.save_marks(nobody, outlet)

    async def _send_to_outlet(self, outlet: OutletTemplate, on: bool, guard: Guard, intent: int) -> None:
        journal, before, begun = self._core.journal, outlet.opState, outlet.marks.switchings
        try:
            await journal.commit()
            outlet.opState = OpState.SwitchingOn if on else OpState.SwitchingOff
            await outlet.set_state(on, before_send=guard)
        except DeviceError as error:
            journal.outcome(intent, f"{type(error).__name__}: {error}")
            outlet.opState = OpState.failedToStart if on else OpState.failedToStop
            raise
        except (OckleError, asyncio.CancelledError) as error:
            sent = outlet.marks.switchings != begun
            journal.outcome(intent, f"{'given up, maybe sent' if sent else 'not sent'}: {error}")
            outlet.opState = OpState.INIT if sent else before
            raise
        journal.outcome(intent, "verified")
        outlet.opState = OpState.OK if on else OpState.OFF

    async def check_outlet(self, node: ServerNode, outlet: OutletTemplate, guard: Guard = always) -> None:
        """Have one outlet take a command that changes nothing. Raises DeviceError, StoreError."""
        self._core.check_trust()
        journal = self._core.journal
        with self._reserved(node):
            intent = journal.intend(node, outlet.name, "check", None)
            try:
                await journal.commit()
                await outlet.check(guard)
            except OckleError as error:
                journal.outcome(intent, f"{type(error).__name__}: {error}")
                raise
            journal.outcome(intent, "taken")

    async def switch_control(
        self, node: ServerNode, control: ControllerTemplate, on: bool, guard: Guard = always
    ) -> None:
        """Have one control shut down or start its server. Raises DeviceError, StoreError.

        A server that is shut down this way is left to the operator: it is no longer meant to be on.
        """
        self._core.check_trust()
        with self._reserved(node):
            intent = self._core.journal.intend(node, control.name, "start" if on else "shutdown", None)
            before = node.facts.shutdown_sent, node.facts.poison_boot
            if not on:
                node.facts.shutdown_sent, node.facts.poison_boot = True, UNNAMED
                self._core.journal.save(node)
            try:
                await self._send_to_control(control, on, guard, intent)
            except DeviceRefused:
                self._not_begun(node, before)
                raise
            except DeviceError:
                node.facts.poison_boot = before[1]  # nobody has accepted this one
                self._left_to_the_operator(node, on)
                raise
            except OckleError:
                self._not_begun(node, before)
                raise
            if not on:
                node.facts.poison_boot = control.boot_id or UNNAMED
                self._has_power(node)
            self._left_to_the_operator(node, on)

    async def _send_to_control(self, control: ControllerTemplate, on: bool, guard: Guard, intent: int) -> None:
        journal = self._core.journal
        try:
            await journal.commit()
            await control.switch(on, guard)
        except DeviceError as error:
            journal.outcome(intent, f"{type(error).__name__}: {error}")
            control.opState = OpState.failedToStart if on else OpState.failedToStop
            raise
        except OckleError as error:
            journal.not_sent([intent], error)
            raise
        journal.outcome(intent, "accepted")
        control.opState = OpState.SwitchingOn if on else OpState.SwitchingOff

    def _has_power(self, node: ServerNode) -> None:
        """It took a shutdown: if its outlets were seen off, somebody has switched them on since.

        Believed, they would count as proof that nothing is stopping any more.
        """
        if node.facts.supply is Supply.OFF:
            for outlet in node.outlets:
                outlet.state = None
            self._observer().evaluate(node)

    def _not_begun(self, node: ServerNode, before: tuple[bool, str]) -> None:
        node.facts.shutdown_sent, node.facts.poison_boot = before
        self._core.journal.save(node)
        self._core.mark_around(node)

    def _left_to_the_operator(self, node: ServerNode, on: bool) -> None:
        if not on:
            if node.facts.desired is Desired.ON:
                self._core.set_desired(node, None)
            if node.facts.supply is not Supply.OFF:
                self._observer().evaluate(node)
            self._core.journal.save(node)
        self._core.mark_around(node)
