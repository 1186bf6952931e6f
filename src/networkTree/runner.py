"""The door from the network to whoever runs it: the network knows its engine only by this."""

from __future__ import annotations

from typing import Protocol

from ..common.common import OpState


class NetworkRunner(Protocol):
    """Carries out the documented synchronous methods; may be called from any thread but the device loop."""

    def turn(self, server: str, on: bool, ignore_dependencies: bool = False) -> bool:
        """Switch a server in order and wait for the end; True when it got there."""

    def cut_all(self) -> bool:
        """Switch every outlet off, dependents first, without any shutdown; True when all are off."""

    def observe(self, server: str | None = None, tests: bool = True) -> None:
        """Read the outlets and run the tests of one server, or of all, now."""

    def set_op_state(self, server: str, state: OpState) -> None:
        """Take over the state that a caller sets by hand."""
