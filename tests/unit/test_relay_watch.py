"""Relays that do not do what their outlets show: when that is noticed, and what follows. Time is virtual."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from ockle.common.clock import LoopClock
from ockle.common.device import Device
from ockle.common.events import EventBus
from ockle.config.templates import Template, driver_template
from ockle.engine.core import Core
from ockle.engine.relay_watch import RelayWatch
from ockle.engine.settings import Settings
from ockle.networkTree.facts import Policy, Supply
from ockle.networkTree.relays import METER_LAG_S, relay_doubt
from ockle.networkTree.ServerNetwork import ServerNetwork
from ockle.networkTree.ServerNode import ServerNode
from ockle.networkTree.supplies import take_together
from ockle.outlets.OutletTemplate import OutletTemplate
from ockle.simulator.virtual_time import run

LONG = 1e9


@pytest.mark.parametrize(
    ("state", "power_w", "settled_s", "odd"),
    [
        (False, 60.0, LONG, "stuck"), (False, 5.0, LONG, ""), (False, 5.1, METER_LAG_S, "stuck"),
        (False, 60.0, METER_LAG_S - 1, ""), (False, None, LONG, ""), (False, True, LONG, ""), (False, "60", LONG, ""),
        (True, 0.0, LONG, "may not have closed"), (True, 0.0, 299.0, ""), (True, 0.0, 300.0, "may not have closed"),
        (True, 1.0, LONG, ""), (True, None, LONG, ""), (None, 60.0, LONG, ""), (None, 0.0, LONG, ""),
    ],
)  # fmt: skip
def test_what_an_outlet_shows_against_what_it_draws(
    state: bool | None, power_w: object, settled_s: float, odd: str
) -> None:
    found = relay_doubt(state, power_w, settled_s, idle_watts=5.0, boot_timeout=300.0)
    assert odd in found
    assert bool(found) is bool(odd)


class Metered(OutletTemplate):
    """An outlet that shows and draws what a test wants."""

    shows, draws = False, 0.0

    @classmethod
    def template(cls) -> Template:
        return driver_template("outlets", "Dummy")

    async def _getOutletState(self) -> bool:
        return self.shows

    async def updateData(self) -> None:
        self.data["power_w"] = self.draws


class Bench:
    """One server on one metered outlet."""

    def __init__(self) -> None:
        self.outlet = Metered("psu1")
        self.outlet.device = Device("pdu", clock=LoopClock())
        self.node = ServerNode("nas", [self.outlet])
        self.node.facts.policy = Policy()
        self.events = EventBus(clock=LoopClock())
        journal: Any = None  # nothing is written down here
        self.watch = RelayWatch(Core(ServerNetwork(), journal, self.events, LoopClock(), Settings()))

    async def poll(self) -> None:
        await asyncio.sleep(30)
        await self.outlet.get_state()
        await self.outlet.measure()
        self.watch.look([(self.node, self.outlet)])

    def supply(self) -> Supply:
        return take_together([self.outlet], 0.0, 0).supply

    def told(self) -> list[str]:
        return [event.text for event in self.events.since(0) if event.kind == "relay"]


def play(scenario: Callable[[Bench], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        await scenario(Bench())

    run(whole())


def test_off_with_watts_is_unknown_and_alarms_once_and_only_after_a_second_look() -> None:
    async def scenario(bench: Bench) -> None:
        bench.outlet.draws = 60.0
        await bench.poll()
        assert bench.supply() is Supply.OFF
        for _ in range(3):
            await bench.poll()
            assert bench.supply() is Supply.UNKNOWN
        assert "cannot be believed: it shows off and draws 60 W" in take_together([bench.outlet], 0.0, 0).unread
        bench.outlet.draws = 0.0
        await bench.poll()
        assert bench.supply() is Supply.OFF
        assert bench.told() == [
            "nas: outlet psu1: it shows off and draws 60 W: its relay may be stuck",
            "nas: outlet psu1: what it shows and what it draws agree again",
        ]

    play(scenario)


def test_on_without_watts_alarms_and_stays_on() -> None:
    async def scenario(bench: Bench) -> None:
        bench.outlet.shows = True
        for _ in range(3):
            await bench.poll()
        assert bench.supply() is Supply.ON
        assert len(bench.told()) == 1

    play(scenario)


def test_a_measurement_is_counted_once_and_an_old_one_says_nothing_of_a_new_switching() -> None:
    async def scenario(bench: Bench) -> None:
        bench.outlet.draws = 60.0
        await bench.poll()
        bench.watch.look([(bench.node, bench.outlet)])
        assert bench.supply() is Supply.OFF
        bench.outlet.marks.off_at = asyncio.get_running_loop().time() + 20
        await bench.poll()
        await bench.poll()
        assert bench.told() == []

    play(scenario)


def test_a_restart_of_the_device_may_have_fed_the_outlet() -> None:
    async def scenario(bench: Bench) -> None:
        assert bench.outlet.fed_at == float("-inf")
        bench.outlet.device.restarted(0.0)
        assert bench.outlet.fed_at == asyncio.get_running_loop().time()

    play(scenario)
