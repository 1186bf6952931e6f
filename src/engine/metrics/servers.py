"""What monitoring is told of each server, its outlets and its tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...common.common import OpState
from ...common.metrics import COUNTER, GAUGE, STATES, Family
from ...networkTree.facts import Desired
from ...networkTree.ServerNode import ServerNode
from ...outlets.OutletTemplate import OutletTemplate
from ...testers.TemplateTester import TesterOpState
from ..sampling import UP, WATTS, as_number
from .units import in_base_units

ENERGY = frozenset({"energy_wh", "energy_kwh"})
"""Keys of meters that only count up."""
LEAST_FRESH_S = 300.0


class ServerFamilies:
    """Takes one server after the other, on the device loop.

    ``now``        moment of the clock
    ``fresh_for``  how long the reading of a meter counts, in seconds
    """

    def __init__(self, now: float, fresh_for: float) -> None:
        self._outlets_since = now - fresh_for
        # tests and controls are asked at other intervals, and only now and then
        self._others_since = now - max(fresh_for, LEAST_FRESH_S)
        states = tuple(state.value for state in OpState)
        self._state = Family(
            "ockle_server_state", STATES, "State of a server: 1 for the one that it is in.", states=states
        )
        self._on = Family("ockle_server_on", GAUGE, "1 while a server is on and serves.")
        self._desired = Family(
            "ockle_server_desired", GAUGE, "What a server is to be: 1 on, 0 off; none if it is left alone."
        )
        self._outlet = Family("ockle_outlet_on", GAUGE, "State of an outlet: 1 on, 0 off; none while it is not known.")
        self._watts = Family("ockle_outlet_power_watts", GAUGE, "Power that an outlet measures.")
        self._joules = Family("ockle_outlet_energy_joules", COUNTER, "Energy that an outlet has counted.")
        self._test = Family("ockle_test_success", GAUGE, "1 if a test passed the last time, 0 if it failed.")
        self.measured = Family(
            "ockle_measured", GAUGE, "Anything else that was measured, in the unit with which its key ends."
        )

    def take(self, node: ServerNode) -> None:
        name, facts = node.name, node.facts
        self._state.add(1, server=name, state=facts.op_state.value)
        self._on.add(int(facts.op_state in UP), server=name)
        if facts.desired is not None:
            self._desired.add(int(facts.desired is Desired.ON), server=name)
        for outlet in node.outlets:
            self._take_outlet(name, outlet)
        for control in node.controls:
            if control.measured_at >= self._others_since:
                self._measured(name, "control", control.name, control.data)
        for test in node.tests:
            if test.opState is not TesterOpState.INIT:
                self._test.add(int(test.opState is TesterOpState.SUCCEEDED), server=name, test=test.name)
                if test.seen_at >= self._others_since:
                    self._measured(name, "test", test.name, test.data)

    def _take_outlet(self, server: str, outlet: OutletTemplate) -> None:
        labels = {"server": server, "outlet": outlet.name, "pdu": outlet.device.name}
        if outlet.state is not None and not outlet.last_error:
            self._outlet.add(int(outlet.state), **labels)
        if outlet.last_error or outlet.measured_at < self._outlets_since:
            return
        rest: dict[str, Any] = {}
        for key, raw in outlet.data.items():
            value = as_number(raw)
            if value is not None and key == WATTS:
                self._watts.add(value, **labels)
            elif value is not None and key in ENERGY:
                self._joules.count(in_base_units(key)[1].apply(value), **labels)
            else:
                rest[key] = raw
        self._measured(server, "outlet", outlet.name, rest)

    def _measured(self, server: str, kind: str, name: str, data: Mapping[str, Any]) -> None:
        for key, raw in data.items():
            value = as_number(raw)
            if value is not None:
                self.measured.add(value, server=server, kind=kind, object=name, key=str(key))

    def families(self) -> list[Family]:
        return [
            self._state, self._on, self._desired, self._outlet, self._watts, self._joules, self._test, self.measured,
        ]  # fmt: skip
