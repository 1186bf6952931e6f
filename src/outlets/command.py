"""Outlets that are switched by programs of the user."""

from __future__ import annotations

from typing_extensions import override

from ..common.errors import DeviceAnswerError, DeviceStateError
from ..common.process import Outcome, run_program
from .OutletTemplate import OutletTemplate


class Command(OutletTemplate):
    """An outlet behind three programs: one switches on, one off, one tells the state.

    ``{outlet}`` in any of their arguments stands for the option ``outlet``; no shell is involved. Exit status 0 means
    "done"; the state is what the first word of the status program's output says.
    """

    @override
    async def _setOutletState(self, state: bool) -> None:
        await self._run("on_command" if state else "off_command")

    @override
    async def _getOutletState(self) -> bool:
        words = (await self._run("status_command")).output.split(maxsplit=1)
        word = words[0] if words else ""
        for shown, state in ((self.settings["on_text"], True), (self.settings["off_text"], False)):
            if word.casefold() == shown.casefold():
                return state
        raise DeviceAnswerError(f"{self.name}: status_command says {word[:100]!r}, neither on nor off")

    async def _run(self, option: str) -> Outcome:
        argv = [part.replace("{outlet}", self.params["outlet"]) for part in self.settings[option]]
        outcome = await run_program(argv, self.timeout)
        if outcome.code != 0:
            raise DeviceStateError(f"{self.name}: {option} ended with {outcome.code}: {outcome.said}")
        return outcome
