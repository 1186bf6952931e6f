"""Tests whether a board that boots from the network has said that it has booted."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from ..common.boot_reports import REPORTS, BootReport
from ..common.errors import DeviceStateError
from .TemplateTester import TemplateTester


class HelloProtocol(TemplateTester):
    """Passes when the boot server has heard it from the board itself, since its power was last switched on.

    What was said before proves nothing: the boot server remembers it across restarts, as the engine does the moment of
    the power-on. Where the two cannot be put in order for sure, the board has to say it again.
    """

    NEEDS_BOOT_SERVER: ClassVar[bool] = True

    @override
    async def _test(self) -> bool:
        board: str = self.params["board"]
        report = REPORTS.ask(board)
        if not report.stamp:
            raise DeviceStateError(f"{board} has not been heard of by the boot server")
        if not self.since_power_on(report.stamp):
            raise DeviceStateError(
                f"{board} has said nothing since its power was switched on (before that it {self._told(report)})"
            )
        if not (report.up if self.settings["stage"] == "up" else report.ok):
            raise DeviceStateError(f"{board} {self._told(report)}{f': {report.text}' if report.text else ''}")
        return True

    def _told(self, report: BootReport) -> str:
        age = self.device.clock.since(report.stamp)
        return f"{report.stage} {_spoken(age)}"


def _spoken(seconds: float) -> str:
    """Return an age for a sentence; the clock knows the least that it can be."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"since {seconds // size:.0f} {unit}"
    return f"since {seconds:.0f} s"
