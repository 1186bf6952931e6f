"""Positive evidence that a server is down. The lack of an answer never is: a broken network looks the same."""

from __future__ import annotations

from ..common.clock import Clock
from ..common.errors import DeviceError
from ..networkTree.ServerNode import ServerNode


class DownWatch:
    """Collects evidence over repeated looks at one server that was asked to shut down.

    A look finds it down when its controls say so and, by the server's ``down_evidence``:

    power    its outlets measure less than ``idle_watts``
    silence  the controls have said so for ``halt_grace`` seconds without a break
    auto     power where all its outlets measure, else silence

    Controls that merely do not answer are no evidence by themselves; with measured power below ``idle_watts`` for
    ``halt_grace`` seconds they are, except within ``boot_timeout`` of switching on, when a booting server looks so.
    """

    def __init__(self, node: ServerNode, clock: Clock) -> None:
        self._node = node
        self._clock = clock
        self._quiet_since: float | None = None
        self.last = "not looked yet"

    async def is_down(self) -> bool:
        """Look once; ``last`` says what was seen."""
        said_down = await self._controls()
        watts = await self._watts() if said_down is not False else None
        policy = self._node.facts.policy
        low = watts is not None and watts < policy.idle_watts
        if said_down is False or (said_down is None and not low) or (watts is not None and not low):
            if watts is not None:
                self.last += f", draws {watts:g} W"
            self._quiet_since = None
            return False
        now = self._clock.now()
        if self._quiet_since is None:
            self._quiet_since = now
        quiet = now - self._quiet_since
        if said_down and low and policy.down_evidence != "silence":
            self.last = f"down, draws {watts:g} W"
            return True
        if policy.down_evidence == "power" and not low:
            self.last = "its outlets do not measure power"
            return False
        if said_down is None and self._may_be_booting(now):
            self.last += ", and may be booting"
            return False
        self.last = f"down for {quiet:.0f} s of {policy.halt_grace:g} s"
        return quiet >= policy.halt_grace

    def _may_be_booting(self, now: float) -> bool:
        newest = max((outlet.fed_at for outlet in self._node.outlets), default=float("-inf"))
        return now - newest < self._node.facts.policy.boot_timeout

    async def _controls(self) -> bool | None:
        """Return True when all controls say down, False when one says up, None when one cannot tell."""
        if not self._node.controls:
            self.last = "it has no control that could tell"
            return None
        answer: bool | None = True
        for control in self._node.controls:
            try:
                up = await control.get_state()
            except DeviceError as error:
                self.last = str(error)
                answer = None
                continue
            if up:
                self.last = f"{control.name} still answers"
                return False
        return answer

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
