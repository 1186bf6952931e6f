"""A control without a machine, to try a site and for tests."""

from __future__ import annotations

from collections.abc import Mapping

from typing_extensions import override

from ..common.errors import DeviceRefused, DeviceUnreachable
from .ControllerTemplate import ControllerTemplate


class Dummy(ControllerTemplate):
    """A machine that exists in memory only. It comes up when asked to, or when its power was switched.

    ``delay`` passes by the device's clock.

    ``fault`` may be changed in ``params`` at any time: stuck (accepts and stays as it is), silent, refuse.
    """

    def __init__(
        self,
        name: str,
        controllerConfigDict: Mapping[str, object] | None = None,  # noqa: N803 - documented spelling
        controllerParams: Mapping[str, object] | None = None,  # noqa: N803
    ) -> None:
        super().__init__(name, controllerConfigDict, controllerParams)
        self.up: bool = self.params["state"]
        self._asked = self.up
        self._due = float("-inf")

    @override
    async def _setControlState(self, state: bool) -> None:
        if self._fault() != "stuck":
            self._settle()
            self._asked = state
            self._due = self.device.clock.now() + self.params["delay"]

    @override
    async def _getControlState(self) -> bool:
        self._fault()
        self._settle()
        return self.up

    @override
    def forget(self) -> None:
        """Boot: power that was switched is all that this machine needs to come up."""
        super().forget()
        self._settle()
        self._asked = True
        self._due = self.device.clock.now() + self.params["delay"]

    def _settle(self) -> None:
        if self.device.clock.now() >= self._due:
            self.up = self._asked

    def _fault(self) -> str:
        fault: str = self.params["fault"]
        if fault == "silent":
            raise DeviceUnreachable(f"{self.name}: no answer (this dummy is silent)")
        if fault == "refuse":
            raise DeviceRefused(f"{self.name}: refused (this dummy refuses)")
        return fault
