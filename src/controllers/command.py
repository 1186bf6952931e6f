"""Controls that are programs of the user."""

from __future__ import annotations

from typing_extensions import override

from ..common.errors import DeviceRefused, DeviceStateError, DeviceUnreachable
from ..common.process import run_program
from .ControllerTemplate import ControllerTemplate


class Command(ControllerTemplate):
    """A machine that one program shuts down, and of which another one tells whether it is up.

    ``{target}`` in any of their arguments stands for the option ``target``; no shell is involved.
    Evidence: status 0 of ``status_command`` = up, status ``down_code`` = down for certain, any other = not known.
    """

    @override
    async def _setControlState(self, state: bool) -> None:
        if state:
            raise DeviceRefused(f"{self.name}: the type Command only shuts down")
        outcome = await run_program(self._argv("off_command"), self.timeout)
        if outcome.code != 0:
            raise DeviceStateError(f"{self.name}: off_command ended with {outcome.code}: {outcome.said}")

    @override
    async def _getControlState(self) -> bool:
        outcome = await run_program(self._argv("status_command"), self.timeout)
        if outcome.code in {0, self.settings["down_code"]}:
            return outcome.code == 0
        raise DeviceUnreachable(f"{self.name}: status_command ended with {outcome.code}: {outcome.said}")

    def _argv(self, option: str) -> list[str]:
        return [part.replace("{target}", self.params["target"]) for part in self.settings[option]]
