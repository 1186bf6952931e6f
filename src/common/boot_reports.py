"""What machines have said of their boot: asked by tests, answered by whoever knows the boot server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .errors import DeviceUnreachable


@dataclass(frozen=True, slots=True)
class BootReport:
    """How far a board has come.

    ``board``  its name, or its MAC address
    ``stage``  as people read it: "loads boot files"
    ``text``   what it said last, "" = nothing
    ``at``     when it came to this stage, seconds since 1970
    ``stamp``  the same as ``Clock.stamp`` has it; "" = never
    ``ok``     whether it has booted
    ``up``     whether its system has said itself that it is up
    """

    board: str
    mac: str
    stage: str
    text: str = ""
    at: float = 0.0
    stamp: str = ""
    ok: bool = False
    up: bool = False


Source = Callable[[str], BootReport]
"""Returns the report of a board by its name, MAC address or address; raises DeviceError."""


class BootReports:
    """The one place where a test can ask. May be used from any thread."""

    def __init__(self) -> None:
        self._source: Source | None = None

    def answer_by(self, source: Source | None) -> None:
        """Have ``source`` answer from now on; None: nobody does."""
        self._source = source

    def ask(self, board: str) -> BootReport:
        """Return how far ``board`` has come. Raises DeviceUnreachable when nobody knows, or what the source raises."""
        source = self._source
        if source is None:
            raise DeviceUnreachable("there is no boot server: add NetBoot to `plugins` in config.ini")
        return source(board)


REPORTS = BootReports()
"""Of this process; the NetBoot plugin puts its source in."""
