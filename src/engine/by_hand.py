"""Single commands that an operator sends to one outlet or one control, journaled like any other."""

from __future__ import annotations

from collections.abc import Callable

from ..common.common import OpState
from ..common.errors import DeviceError
from ..controllers.ControllerTemplate import ControllerTemplate
from ..networkTree.facts import Desired
from ..networkTree.ServerNode import ServerNode
from ..outlets.OutletTemplate import OutletTemplate
from .core import Core
from .observer import Observer


class ByHand:
    """Sends what it is told; whether that is allowed is the business of the command that asks."""

    def __init__(self, core: Core, observer: Callable[[], Observer]) -> None:
        self._core = core
        self._observer = observer

    async def switch_outlet(self, node: ServerNode, outlet: OutletTemplate, on: bool) -> None:
        """Switch and verify one outlet. Raises DeviceError, StoreError."""
        intent = self._core.journal.intend(node, outlet.name, "on" if on else "off", None)
        await self._core.journal.commit()
        outlet.opState = OpState.SwitchingOn if on else OpState.SwitchingOff
        try:
            await outlet.set_state(on)
        except DeviceError as error:
            self._core.journal.outcome(intent, f"{type(error).__name__}: {error}")
            outlet.opState = OpState.failedToStart if on else OpState.failedToStop
            raise
        else:
            self._core.journal.outcome(intent, "verified")
            outlet.opState = OpState.OK if on else OpState.OFF
            if not on:
                self._core.journal.switched_off(node, outlet)
        finally:
            self._observer().evaluate(node)

    async def switch_control(self, node: ServerNode, control: ControllerTemplate, on: bool) -> None:
        """Have one control shut down or start its server. Raises DeviceError, StoreError.

        A server that is shut down this way is left to the operator: it is no longer meant to be on.
        """
        intent = self._core.journal.intend(node, control.name, "start" if on else "shutdown", None)
        if not on:
            node.facts.shutdown_sent = True
            if node.facts.desired is Desired.ON:
                self._core.set_desired(node, None)
        self._core.journal.save(node)
        await self._core.journal.commit()
        try:
            await control.switch(on)
        except DeviceError as error:
            self._core.journal.outcome(intent, f"{type(error).__name__}: {error}")
            control.opState = OpState.failedToStart if on else OpState.failedToStop
            raise
        self._core.journal.outcome(intent, "accepted")
        control.opState = OpState.SwitchingOn if on else OpState.SwitchingOff
        self._core.mark_around(node)
