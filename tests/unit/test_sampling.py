"""What counts as a sample: a value that was measured anew, and nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ockle.common.common import OpState
from ockle.common.errors import DeviceUnreachable
from ockle.config.templates import Template, driver_template
from ockle.controllers.ControllerTemplate import ControllerTemplate
from ockle.engine.sampling import Sampler
from ockle.engine.settings import Settings
from ockle.networkTree.ServerNetwork import ServerNetwork
from ockle.networkTree.ServerNode import ServerNode
from ockle.outlets.OutletTemplate import OutletTemplate
from ockle.store.samples.sample_store import Series
from ockle.testers.TemplateTester import TemplateTester, TesterOpState

SETTINGS = Settings(poll_interval=30.0, test_interval=15.0)
NOW = 1000.0


class Meter(OutletTemplate):
    @classmethod
    def template(cls) -> Template:
        return driver_template("outlets", "Dummy")

    def _setOutletState(self, state: bool) -> None:
        pass

    def _getOutletState(self) -> bool:
        return True

    def updateData(self) -> None:
        pass


class Agent(ControllerTemplate):
    """A control that measures, as one of somebody else might."""

    asked = 0
    silent = False

    @classmethod
    def template(cls) -> Template:
        return driver_template("controllers", "Dummy")

    def updateData(self) -> None:
        self.asked += 1
        if self.silent:
            raise DeviceUnreachable("no answer")
        self.data["load_percent"] = 12


class Figures(TemplateTester):
    @classmethod
    def template(cls) -> Template:
        return driver_template("testers", "Dummy")


def metered(name: str, measured_at: float = NOW - 1, **data: Any) -> Meter:
    outlet = Meter(name)
    outlet.data, outlet.measured_at = data, measured_at
    return outlet


def look(sampler: Sampler, *nodes: ServerNode, now: float = NOW) -> dict[Series, float]:
    network = ServerNetwork()
    for node in nodes:
        network.addServer(node, ())
    return asyncio.run(sampler.look(network, SETTINGS, now))[0]


def test_a_measurement_counts_once() -> None:
    sampler, outlet = Sampler(10.0), metered("psu", power_w=5)
    node, series = ServerNode("web", [outlet]), Series("web", "outlet", "psu", "power_w")
    assert look(sampler, node)[series] == 5.0
    assert series not in look(sampler, node)
    outlet.measured_at = NOW + 5
    assert look(sampler, node)[series] == 5.0


@pytest.mark.parametrize("value", ["12", None, float("nan"), float("inf"), 10**400, [1]])
def test_what_is_no_finite_number_is_no_sample(value: object) -> None:
    found = look(Sampler(10.0), ServerNode("web", [metered("psu", volt_v=value)]))
    assert set(found) == {Series("", "network", "", "servers_on")}


def test_an_outlet_that_cannot_be_read_gives_nothing() -> None:
    outlet = metered("psu", power_w=5)
    outlet.last_error = "no answer"
    assert Series("web", "outlet", "psu", "power_w") not in look(Sampler(10.0), ServerNode("web", [outlet]))


def test_a_sum_is_left_out_while_a_part_of_it_is_not_known() -> None:
    network, web = Series("", "network", "", "power_w"), Series("web", "server", "", "power_w")
    good = ServerNode("web", [metered("a", power_w=5), metered("b", power_w=7)])
    dumb = ServerNode("dns", [metered("c", volt_v=230)])
    found = look(Sampler(10.0), good, dumb)
    assert (found[network], found[web]) == (12.0, 12.0)
    late = ServerNode("db", [metered("d", measured_at=NOW - 100, power_w=1)])
    found = look(Sampler(10.0), good, dumb, late)
    assert network not in found
    assert found[web] == 12.0


def test_tests_count_when_they_ran() -> None:
    test = Figures("http")
    node, passed = ServerNode("web", tests=[test]), Series("web", "test", "http", "passed")
    sampler = Sampler(10.0)
    assert passed not in look(sampler, node)
    test.opState, test.data["cpu_percent"], test.seen_at = TesterOpState.FAILED, 99, NOW
    found = look(sampler, node)
    assert (found[passed], found[passed._replace(key="cpu_percent")]) == (0.0, 99.0)
    assert passed not in look(sampler, node)


def test_controls_are_measured_of_servers_that_are_up_and_left_alone() -> None:
    agent, series = Agent("ssh"), Series("web", "control", "ssh", "load_percent")
    node = ServerNode("web", controls=[agent])
    assert series not in look(Sampler(10.0), node)
    assert agent.asked == 0
    node.facts.op_state = OpState.OK
    assert look(Sampler(10.0), node)[series] == 12.0
    agent.silent = True
    assert series not in look(Sampler(10.0), node)
    assert agent.asked == 2


def test_the_pace_of_a_series_is_that_of_its_source() -> None:
    network = ServerNetwork()
    test = Figures("http")
    test.opState, test.seen_at = TesterOpState.SUCCEEDED, NOW
    network.addServer(ServerNode("web", [metered("psu", power_w=5)], tests=[test]), ())
    for interval, expected in ((10.0, (30.0, 15.0)), (60.0, (60.0, 60.0))):
        _values, pace = asyncio.run(Sampler(interval).look(network, SETTINGS, NOW))
        assert pace[Series("web", "outlet", "psu", "power_w")] == expected[0]
        assert pace[Series("web", "test", "http", "passed")] == expected[1]
