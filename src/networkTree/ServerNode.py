"""ServerNode: a server with its outlets, controls and tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..common.common import OpState
from ..common.errors import OckleError
from ..controllers.ControllerTemplate import ControllerTemplate
from ..drivers.driver import Driver
from ..outlets.circuit import Circuit
from ..outlets.OutletTemplate import OutletTemplate
from ..testers.TemplateTester import TemplateTester, TesterOpState
from .facts import ServerFacts
from .runner import NetworkRunner


class ServerNode:
    """A server in the network.

    ``circuits``  what limits its starts, besides the circuits of its outlets
    ``facts``   what decisions about it are made from; changed by the engine only
    ``runner``  who carries out ``turnOn`` and the like; set by whoever runs the network

    The documented methods are synchronous and may be called from any thread but the device loop.
    """

    __slots__ = ("_name", "circuits", "controls", "facts", "outlets", "runner", "tests", "why", "why_since")

    def __init__(
        self,
        name: str,
        outlets: Sequence[OutletTemplate] = (),
        tests: Sequence[TemplateTester] = (),
        controls: Sequence[ControllerTemplate] = (),
    ) -> None:
        self._name = name
        self.outlets: list[OutletTemplate] = list(outlets)
        self.tests: list[TemplateTester] = list(tests)
        self.controls: list[ControllerTemplate] = list(controls)
        self.circuits: list[Circuit] = []
        self.facts = ServerFacts()
        self.why = ""
        self.why_since = 0.0
        self.runner: NetworkRunner | None = None

    def __repr__(self) -> str:
        return f"ServerNode({self._name!r}, {self.facts.op_state.name})"

    def parts(self) -> list[Driver]:
        """Return the outlets, controls and tests."""
        return [*self.outlets, *self.controls, *self.tests]

    # -- name and state

    @property
    def name(self) -> str:
        return self._name

    def getName(self) -> str:
        return self._name

    def setName(self, name: str) -> None:
        """Set the name of the server; only before it is added to a network, which knows it by its name."""
        if self.runner is not None:
            raise OckleError(f"{self._name} is part of a running network: rename its file and reload")
        self._name = name

    def getOpState(self) -> OpState:
        return self.facts.op_state

    def setOpState(self, state: OpState) -> None:
        """Set the operation state by hand; the next observation corrects it."""
        if self.runner is not None:
            self.runner.set_op_state(self._name, state)
        else:
            self.facts.op_state = OpState(state)

    def setState(self, state: OpState | bool | str) -> None:
        """Set the server's state: an OpState, or a switching order (True, False, "on", "off")."""
        if isinstance(state, OpState):
            self.setOpState(state)
        else:
            self.action("on" if state in (True, "on") else "off")

    # -- switching

    def _running(self) -> NetworkRunner:
        if self.runner is None:
            raise OckleError(f"{self._name} is not run by a daemon; setOutletsState switches its outlets directly")
        return self.runner

    def action(self, actionString: str, ignoreDeps: bool = False) -> bool:
        """Switch the server "on" or "off" and wait for the end; True when it got there.

        ``ignoreDeps``  switch it whatever other servers do; a shutdown still comes before the cut
        """
        if actionString not in ("on", "off"):
            raise OckleError(f"action is {actionString!r}: use 'on' or 'off'")
        return self._running().turn(self._name, actionString == "on", ignoreDeps)

    def turnOn(self, ignoreDeps: bool = False) -> bool:
        """Switch on, in order, and wait until it serves; True when it does."""
        return self.action("on", ignoreDeps)

    def turnOff(self, ignoreDeps: bool = False) -> bool:
        """Shut down and switch off, in order, and wait for the end; True when it is off."""
        return self.action("off", ignoreDeps)

    def updateOpState(self, runTests: bool = True) -> None:
        """Read the outlets, run the tests and bring the state up to date."""
        self._running().observe(self._name, runTests)

    # -- outlets

    def getOutlets(self) -> list[int]:
        """Return the numbers that ``getOutlet`` takes."""
        return list(range(len(self.outlets)))

    def getOutlet(self, number: int) -> OutletTemplate:
        return self.outlets[number]

    def setOutletsState(self, state: bool) -> list[OutletTemplate]:
        """Switch all outlets at once, with neither order nor shutdown; return those that failed."""
        return [outlet for outlet in self.outlets if not outlet.setState(state)]

    def setOutletsOpState(self, opState: OpState) -> None:
        for outlet in self.outlets:
            outlet.setOpState(opState)

    def getNotOutletsOpState(self, opState: OpState) -> list[OutletTemplate]:
        """Return the outlets that are not in ``opState``."""
        return [outlet for outlet in self.outlets if outlet.opState != opState]

    def outletsStillStarting(self) -> bool:
        return any(outlet.opState is OpState.SwitchingOn for outlet in self.outlets)

    def getOutletsDataDict(self) -> dict[str, dict[str, Any]]:
        """Return outlet name -> measured values, as the logger stores them."""
        return {outlet.name: dict(outlet.data) for outlet in self.outlets}

    # -- controls

    def setControlOpState(self, opState: OpState) -> None:
        for control in self.controls:
            control.setOpState(opState)

    def getNotControlsOpState(self, opState: OpState) -> list[ControllerTemplate]:
        """Return the controls that are not in ``opState``."""
        return [control for control in self.controls if control.opState != opState]

    def controlsStillStarting(self) -> bool:
        return any(control.opState is OpState.SwitchingOn for control in self.controls)

    def getControlsDataDict(self) -> dict[str, dict[str, Any]]:
        """Return control name -> measured values."""
        return {control.name: dict(control.data) for control in self.controls}

    # -- tests and attempts

    def getFailedTests(self) -> list[TemplateTester]:
        return [test for test in self.tests if test.opState is TesterOpState.FAILED]

    def getStartAttempts(self) -> int:
        return self.facts.start_attempts

    def getShutdownAttempts(self) -> int:
        return self.facts.stop_attempts

    def incrementStartAttempt(self) -> int:
        self.facts.start_attempts += 1
        return self.facts.start_attempts

    def incrementShutdownAttempt(self) -> int:
        self.facts.stop_attempts += 1
        return self.facts.stop_attempts

    def power_w(self) -> float | None:
        """Return the watts that the outlets measure together; None when none of them does."""
        readings = [outlet.data["power_w"] for outlet in self.outlets if "power_w" in outlet.data]
        return sum(readings) if readings else None
