"""ControllerTemplate: what every control does around the three methods that a type implements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from ..common.common import OpState
from ..common.errors import DeviceAnswerError, DeviceError, DeviceRefused
from ..drivers.driver import Driver


class ControllerTemplate(Driver):
    """A way to ask a server to shut itself down, and to know whether it is up.

    A type implements ``_setControlState`` and ``_getControlState`` (and ``updateData``), plain or async.

    ``data``  measured values of the server, as far as the type knows any
    """

    KIND: ClassVar[str] = "controllers"
    SECTION: ClassVar[str] = "controller"
    PARAMS: ClassVar[str] = "controllerParams"

    def __init__(
        self,
        name: str,
        controllerConfigDict: Mapping[str, object] | None = None,
        controllerParams: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(name, controllerConfigDict, controllerParams)
        self.opState = OpState.INIT
        self.state: bool | None = None

    # -- what a type implements

    def _setControlState(self, state: bool) -> Any:
        """Ask the server to shut down (``state`` False), or to start if the type can (True); may be ``async def``.

        Returning means "accepted", nothing more. Raises DeviceError; the shutdown may have begun all the same.
        """
        raise DeviceRefused(f"{self.name}: the type {type(self).__name__} cannot switch")

    def _getControlState(self) -> Any:
        """Return True while the server is up, False when there is positive evidence that it is down.

        May be ``async def``. Raises DeviceUnreachable when it only does not answer: a broken network is not a halt.
        """
        raise DeviceRefused(f"{self.name}: the type {type(self).__name__} cannot be read")

    def updateData(self) -> Any:
        """Measure into ``self.data``; may be ``async def``."""

    # -- what the engine uses, on the device loop

    async def shut_down(self, before_send: Callable[[], None] | None = None) -> None:
        """Ask the server to shut down, once. Raises DeviceError; not answered is not the same as not begun.

        ``before_send``  called right before it is sent; what it raises ends the matter, unsent
        """
        await self.switch(False, before_send)

    async def switch(self, state: bool, before_send: Callable[[], None] | None = None) -> None:
        """Ask the server to shut down or, where the type can, to start. Raises DeviceError."""
        try:
            await self.invoke(self._setControlState, state, before=before_send)
        except DeviceError as error:
            self.last_error = str(error)
            raise
        self.last_error = ""

    async def get_state(self) -> bool:
        """Return True = up, False = positively down; raises DeviceError when neither is known."""
        try:
            state = await self.invoke(self._getControlState)
            if not isinstance(state, bool):
                raise DeviceAnswerError(f"{self.name}: the state read is {state!r}, neither up nor down")
        except DeviceError as error:
            self.state = None
            self.last_error = str(error)
            raise
        self.state = state
        self.last_error = ""
        return state

    def forget(self) -> None:
        """Take back what was seen of a shutdown: the server's power has been switched since.

        Types that keep evidence, or a session for it, give it up here.
        """
        self.state = None

    async def measure(self) -> dict[str, Any]:
        """Update ``data`` and return it; raises DeviceError."""
        if type(self).updateData is not ControllerTemplate.updateData:
            try:
                await self.invoke(self.updateData)
            except DeviceError:
                self.data.clear()
                raise
        return self.data

    # -- documented synchronous door

    def setState(self, state: bool) -> bool:
        """Ask, from any thread; True when the server accepted."""
        try:
            self.run_sync(self.switch(state))
        except DeviceError:
            return False
        return True

    def getState(self) -> bool | None:
        """Probe, from any thread; None when it is not known."""
        try:
            return bool(self.run_sync(self.get_state()))
        except DeviceError:
            return None

    def getOpState(self) -> OpState:
        return self.opState

    def setOpState(self, opState: OpState) -> None:
        self.opState = opState
