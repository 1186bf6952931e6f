"""Positive evidence that a server is down. The lack of an answer never is: a broken network looks the same."""

from __future__ import annotations

from ..common.clock import Clock
from ..common.errors import DeviceError
from ..networkTree.ServerNode import ServerNode


class DownWatch:
    """Collects evidence over repeated looks at one server that was asked to shut down.

    A look finds it down when a control says so and, by the server's ``down_evidence``:

    power    its outlets measure less than ``idle_watts``
    silence  the control has said so for ``halt_grace`` seconds without a break
    auto     power where all its outlets measure, else silence
    """

    def __init__(self, node: ServerNode, clock: Clock) -> None:
        self._node = node
        self._clock = clock
        self._down_since: float | None = None
        self.last = "not looked yet"

    async def is_down(self) -> bool:
        """Look once; ``last`` says what was seen."""
        if not await self._controls_down():
            self._down_since = None
            return False
        now = self._clock.now()
        if self._down_since is None:
            self._down_since = now
        policy = self._node.facts.policy
        if policy.down_evidence != "silence":
            watts = await self._watts()
            if watts is not None:
                self.last = f"down, draws {watts:g} W"
                return watts < policy.idle_watts
            if policy.down_evidence == "power":
                self.last = "its outlets do not measure power"
                return False
        silent = now - self._down_since
        self.last = f"down for {silent:.0f} s"
        return silent >= policy.halt_grace

    async def _controls_down(self) -> bool:
        if not self._node.controls:
            self.last = "it has no control that could tell"
            return False
        for control in self._node.controls:
            try:
                if await control.get_state():
                    self.last = f"{control.name} still answers"
                    return False
            except DeviceError as error:
                self.last = str(error)
                return False
        return True

    async def _watts(self) -> float | None:
        """Return what the outlets that are on measure together; None unless all of them do."""
        total = 0.0
        for outlet in self._node.outlets:
            if outlet.state is False:
                continue
            try:
                watts = (await outlet.measure()).get("power_w")
            except DeviceError as error:
                self.last = str(error)
                return None
            if watts is None:
                return None
            total += watts
        return total
