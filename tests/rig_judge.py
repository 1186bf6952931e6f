"""The judge of the engine's tests: saw every command from the machines' side, and knows the invariants."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ockle.engine.engine import Engine
from ockle.engine.settings import Settings
from rig_machine import Fuse, Machine


@dataclass(frozen=True)
class Sight:
    """What was seen at a machine; ``bad`` says which invariant it breaks, if any."""

    t: float
    machine: str
    what: str
    bad: str = ""


class Judge:
    """Looks at what happens to ``machines``.

    ``sights``    all that was seen, oldest first
    ``carriers``  machines without which the engine itself would stop
    ``operator_orders``  machines whose neighbours' guards an operator has overruled
    ``closed_at``  machine and relay -> when it was closed by a command
    ``in_flight``  relay -> commands on their way
    """

    def __init__(
        self,
        needs: Mapping[str, tuple[str, ...]],
        circuits: Mapping[str, Fuse],
        carriers: set[str],
        settings: Settings,
        policy: Mapping[str, Any],
    ) -> None:
        self.machines = {name: Machine(name, self, needs=wanted) for name, wanted in needs.items()}
        self.circuits = dict(circuits)
        self.carriers = carriers
        self.settings = settings
        self.policy = dict(policy)
        self.sights: list[Sight] = []
        self.operator_orders: set[str] = set()
        self.closed_at: dict[tuple[str, str], float] = {}
        self.in_flight: dict[str, int] = {}
        self.engine: Engine

    def saw(self, machine: Machine, what: str) -> None:
        self.sights.append(Sight(asyncio.get_running_loop().time(), machine.name, what, self._judge(machine, what)))

    def carried(self, fuse: Fuse) -> float:
        """Return the watts that the machines on a circuit draw now; what somebody pressed draws no inrush here."""
        now, total = asyncio.get_running_loop().time(), 0.0
        for name, watts in fuse.watts.items():
            for relay, closed in self.machines[name].relays.items():
                if closed:
                    fresh = now - self.closed_at.get((name, relay), float("-inf")) < fuse.inrush_s
                    total += max(watts, fuse.inrush.get(name, 0.0)) if fresh else watts
        return total

    def _judge_circuits(self, machine: Machine) -> None:
        """I11, after a command has closed a relay: running and inrush within the budget of its circuit."""
        for name, fuse in self.circuits.items():
            carried = self.carried(fuse) if machine.name in fuse.watts and fuse.max_watts else 0.0
            known = not any(self._pressed_lately(self.machines[one]) for one in fuse.watts)
            if carried > fuse.max_watts + 1e-6 and known:
                now, text = asyncio.get_running_loop().time(), f"I11: {carried:g} of {fuse.max_watts:g} W on {name}"
                self.sights.append(Sight(now, machine.name, "overload", text))

    def _judge(self, machine: Machine, what: str) -> str:
        may_be_cycled = machine.os in ("wedged", "booting") and self.policy.get("retry_cycle") == "always"
        if what.startswith("second command"):
            return f"I3: {what}"
        ends = what == "shutdown asked" or (what.startswith("SET") and what.endswith("off"))
        if ends and machine.name in self.carriers - self.operator_orders:
            return f"I13: {what}, and the engine runs on it"
        if "cut" in what and (machine.expendable or may_be_cycled or self._is_late(machine)):
            return ""
        if machine.name in self.operator_orders:
            return "I2: cut while mounted" if what == "cut while mounted" and not machine.hang_shutdown else ""
        if what.startswith("SET") and what.endswith("on") and not machine.powered:
            missing = [name for name in machine.needs if not self._served_lately(self.machines[name])]
            return f"I1: switched on before {', '.join(missing)}" if missing else ""
        if what == "cut while mounted":
            return "I2: cut while mounted"
        if what in ("shutdown asked", "cut"):
            users = [
                one.name
                for one in self.machines.values()
                if machine.name in one.needs
                and one.powered
                and not self._pressed_lately(one)
                and not self._is_late(one)
            ]
            return f"I2c: {what} while {', '.join(users)} is not down" if users else ""
        return ""

    def _served_lately(self, machine: Machine) -> bool:
        """Whether fresh evidence may say that it serves: tests run every so often, and a failure has to repeat."""
        fresh = self.settings.test_interval * (self.policy.get("fail_after", 3) + 1)
        return machine.serving or asyncio.get_running_loop().time() - machine.lost_at <= fresh

    def _is_late(self, machine: Machine) -> bool:
        """Whether an emergency has been declared and its share of the time is over."""
        by = self.engine.network.getServernode(machine.name).facts.emergency_by
        return by is not None and asyncio.get_running_loop().time() >= by

    def _pressed_lately(self, machine: Machine) -> bool:
        """Whether nobody can know yet what somebody did: outlets are read every so often, and a slow one is slow."""
        slowest = max(one.slow_s for one in self.machines.values())
        return asyncio.get_running_loop().time() - machine.pressed_at <= self.settings.poll_interval + 2 * slowest

    def broken(self) -> list[Sight]:
        return [sight for sight in self.sights if sight.bad]

    def order(self, what: str) -> list[str]:
        return [sight.machine for sight in self.sights if sight.what == what]
