"""Tests that are programs of the user."""

from __future__ import annotations

from typing_extensions import override

from ..common.errors import DeviceAnswerError
from ..common.process import run_program
from .TemplateTester import TemplateTester


class Command(TemplateTester):
    """Passes when the program ends with status 0.

    ``{target}`` in any argument stands for the option ``target``; no shell is involved.
    """

    @override
    async def _test(self) -> bool:
        argv = [part.replace("{target}", self.params["target"]) for part in self.settings["command"]]
        outcome = await run_program(argv, self.timeout)
        if outcome.code != 0:
            raise DeviceAnswerError(f"{self.name}: {argv[0]} ended with {outcome.code}: {outcome.said}")
        return True
