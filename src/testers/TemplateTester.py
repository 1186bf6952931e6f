"""TemplateTester: what every test does around the one method that a type implements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, ClassVar

from ..common.errors import DeviceError, DeviceRefused
from ..drivers.driver import Driver


class TesterOpState(StrEnum):
    """State of a test; the value is the text that people read."""

    __test__ = False  # not a class of tests, whatever its name makes pytest think

    INIT = "Not run"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class TemplateTester(Driver):
    """A test that tells whether a server serves.

    A type implements ``_test``, plain or async.

    ``last_error``  why the last run failed, "" when it succeeded
    ``since_power_on``  tells of a moment (a stamp of the host's clock) whether it is for sure later than the last time
                        when the server's power may have been away; the engine sets it, without one all moments are
    """

    KIND: ClassVar[str] = "testers"
    SECTION: ClassVar[str] = "tester"
    PARAMS: ClassVar[str] = "testerParams"
    NEEDS_BOOT_SERVER: ClassVar[bool] = False
    """Whether a server with such a test boots from the network: its start takes one of the boot server's places."""

    def __init__(
        self,
        name: str,
        testerConfigDict: Mapping[str, object] | None = None,
        testerParams: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(name, testerConfigDict, testerParams)
        self.opState = TesterOpState.INIT
        self.since_power_on: Callable[[str], bool] = lambda _stamp: True

    def _test(self) -> Any:
        """Return True when the server passes; may be ``async def``.

        A DeviceError fails the test with its text as the reason; so does False, without one.
        """
        raise DeviceRefused(f"{self.name}: the type {type(self).__name__} cannot test")

    async def run_test(self) -> bool:
        """Run the test once; the reason of a failure stands in ``last_error``."""
        try:
            passed = await self.invoke(self._test)
            reason = "" if passed else "failed"
        except DeviceError as error:
            passed, reason = False, str(error)
        self.last_error = reason
        self.seen_at = self.device.clock.now()
        self.opState = TesterOpState.SUCCEEDED if passed else TesterOpState.FAILED
        return bool(passed)

    def forget(self) -> None:
        """Take the last result back: the server has been switched since."""
        self.opState = TesterOpState.INIT
        self.last_error = ""

    def test(self) -> bool:
        """Run the test, from any thread."""
        return bool(self.run_sync(self.run_test()))

    def getOpState(self) -> TesterOpState:
        return self.opState

    def setOpState(self, opState: TesterOpState) -> None:
        self.opState = opState
