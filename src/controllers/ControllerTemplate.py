"""ControllerTemplate: what every control does around the three methods that a type implements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from typing_extensions import override

from ..common.errors import DeviceAnswerError, DeviceError, DeviceRefused
from ..common.failpoints import failpoint
from ..drivers.switchable import Switchable


class ControllerTemplate(Switchable):
    """A way to ask a server to shut itself down, and to know whether it is up.

    A type implements ``_setControlState`` and ``_getControlState`` (and ``updateData``), plain or async.

    ``data``     measured values of the server, as far as the type knows any
    ``boot_id``  names the boot that was asked to shut down last, "" = not known
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
        self.boot_id = ""

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

    def _getBootId(self) -> Any:
        """Return text that names the server's present boot, another one after each; "" where the type cannot tell.

        May be ``async def``. Raises DeviceError. Asked only of a server that gave ``boot_id`` when it was last shut
        down: the type puts it there, as its ``_setControlState`` asks for the shutdown.
        """
        return ""

    # -- what the engine uses, on the device loop

    async def get_boot_id(self) -> str:
        """Return what names the server's present boot, "" = not known."""
        try:
            return str(await self.invoke(self._getBootId))
        except DeviceError as error:
            self.last_error = str(error)
            return ""

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
        failpoint("control.sent")
        self.last_error = ""

    @override
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
        self.seen_at = self.device.clock.now()
        self.last_error = ""
        return state

    def forget(self) -> None:
        """Take back what was seen of a shutdown: the server's power has been switched since.

        Types that keep evidence, or a session for it, give it up here.
        """
        self.state = None

    @override
    async def _carry_out(self, state: bool) -> None:
        await self.switch(state)
