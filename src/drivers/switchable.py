"""What outlets and controls have in common: a state, an OpState, measurements, and the synchronous door."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from ..common.common import OpState
from ..common.errors import DeviceError
from .driver import Driver


class Switchable(Driver, ABC):
    """Base of OutletTemplate and ControllerTemplate.

    ``state``        True or False as last read, None = not known
    ``measured_at``  moment of the clock of the last good measurement
    """

    def __init__(
        self,
        name: str,
        configDict: Mapping[str, object] | None = None,  # noqa: N803 - documented spelling
        params: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(name, configDict, params)
        self.opState = OpState.INIT
        self.state: bool | None = None
        self.measured_at = float("-inf")

    # -- what a type implements

    def updateData(self) -> Any:  # noqa: N802 - documented
        """Measure into ``self.data``; may be ``async def``. Types without measurements leave it as it is."""

    # -- what the engine uses, on the device loop

    @abstractmethod
    async def get_state(self) -> bool:
        """Read now; raises DeviceError when that fails."""

    @abstractmethod
    async def _carry_out(self, state: bool) -> None:
        """Do what ``setState`` asks for; raises DeviceError."""

    @property
    def measures(self) -> bool:
        """Whether the type has measurements."""
        return type(self).updateData is not Switchable.updateData

    async def measure(self) -> dict[str, Any]:
        """Update ``data`` and return it; a failed measurement leaves no old values, and is told by DeviceError."""
        if self.measures:
            try:
                await self.invoke(self.updateData)
            except DeviceError:
                self.data.clear()
                raise
            self.measured_at = self.device.clock.now()
        return self.data

    # -- documented synchronous door, from any thread but the device loop

    def setState(self, state: bool) -> bool:  # noqa: N802 - documented
        """Switch; True when the outlet shows ``state``, or the server has accepted."""
        try:
            self.run_sync(self._carry_out(state))
        except DeviceError:
            return False
        return True

    def getState(self) -> bool | None:  # noqa: N802 - documented
        """Read; None when that fails."""
        try:
            return bool(self.run_sync(self.get_state()))
        except DeviceError:
            return None

    def getOpState(self) -> OpState:  # noqa: N802 - documented
        return self.opState

    def setOpState(self, opState: OpState) -> None:  # noqa: N802, N803 - documented
        self.opState = opState
