"""Was it said since the server's power was last switched on? Across restarts of the daemon and reboots of the host."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ockle.common.boot_reports import REPORTS, BootReport
from ockle.common.device import Device
from ockle.common.errors import DeviceRefused
from ockle.common.stamps import BOOTS_KEPT, before, boot_of, is_later, with_boot
from ockle.engine.engine import Engine
from ockle.engine.journal import Journal
from ockle.engine.power_on import PowerOn
from ockle.networkTree.ServerNetwork import ServerNetwork
from ockle.networkTree.ServerNode import ServerNode
from ockle.outlets.dummy import Dummy
from ockle.simulator.virtual_time import run
from ockle.testers.hello_protocol import HelloProtocol
from rig import Rig


class Host:
    """A machine whose clock goes on from boot to boot, and whose wall clock jumps about."""

    def __init__(self) -> None:
        self.time = 1000.0  # the true one, which nobody can read
        self.boot, self.booted_at, self.wall_offset = 1, 900.0, 0.0
        self.process_at = 950.0

    def now(self) -> float:
        return self.time - self.process_at + 7.0  # where a process's clock begins means nothing

    def wall(self) -> float:
        return self.time + self.wall_offset

    def stamp(self) -> str:
        return f"boot{self.boot} {self.time - self.booted_at:.3f}"

    def since(self, stamp: str) -> float:
        boot, _, moment = stamp.partition(" ")
        uptime = self.time - self.booted_at
        return max(0.0, uptime - float(moment)) if boot == f"boot{self.boot}" else uptime

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


class Rows:
    """As much of a store as the journal needs; what is in it survives as JSON."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[Any, str]] = {}

    def put(self, table: str, key: Any, **values: Any) -> None:
        rows = self.tables.setdefault(table, {})
        rows[key] = json.dumps({**json.loads(rows.get(key, "{}")), **values})

    def load(self, table: str, equal: tuple[str, Any] | None = None, **_options: Any) -> list[dict[str, Any]]:
        found = [{"name": key, "id": key, **json.loads(row)} for key, row in self.tables.get(table, {}).items()]
        return [row for row in found if equal is None or row[equal[0]] == equal[1]]

    def prune(self, _table: str, _keep: int) -> None:
        pass


class Site:
    """The engine's memory of one server with one outlet, and what is really so."""

    def __init__(self) -> None:
        self.host, self.rows = Host(), Rows()
        self.away_at = 0.0  # when its power was away last
        self.on = False
        self.said_at, self.said = -1.0, ""
        self.begin()

    def begin(self) -> None:
        """The daemon starts."""
        self.host.process_at = self.host.time
        self.outlet = Dummy("psu")
        self.outlet.device = Device("strip", clock=self.host)
        self.node = ServerNode("pi", [self.outlet], [HelloProtocol("hello", {}, {"board": "pi"})])
        self.journal = Journal(self.rows, self.host)  # type: ignore[arg-type]
        network = ServerNetwork()
        network.addServer(self.node)
        self.journal.load(network)
        self.power_on = PowerOn(self.host, self.journal)
        self.power_on.tell(self.node)
        self.outlet.observe(self.on)
        self._note_if_off()

    def _note_if_off(self) -> None:
        if not self.on:
            self.away_at = self.host.time
            self.journal.save_marks(self.node, self.outlet)

    def act(self, what: str, seconds: float) -> None:
        self.host.time += seconds
        getattr(self, what)()

    def switch_on(self) -> None:
        self.journal.intend_to_switch(self.node, self.outlet, True, None)
        self.outlet.marks.begin(True, self.host.now())
        self.on, self.away_at = True, self.host.time
        self.host.time += 0.01
        self.outlet.observe(True)

    def switch_off(self) -> None:
        self.on = False
        self.outlet.observe(False)
        self._note_if_off()

    def somebody_switches_off_and_on(self) -> None:
        self.switch_off()
        self.host.time += 1.0
        self.on = True
        self.outlet.observe(True)

    def say(self) -> None:
        if self.on:
            self.said_at, self.said = self.host.time, self.host.stamp()

    def restart_daemon(self) -> None:
        self.begin()

    def reboot_host(self) -> None:
        self.host.boot += 1
        self.host.booted_at = self.host.time
        self.host.time += 20.0
        self.begin()

    def step_the_wall_clock(self) -> None:
        self.host.wall_offset = -86400.0 if self.host.wall_offset >= 0 else 30 * 86400.0

    @property
    def passes(self) -> bool:
        return bool(self.said) and self.node.tests[0].since_power_on(self.said)


ACTS = [
    "switch_on",
    "switch_off",
    "somebody_switches_off_and_on",
    "say",
    "restart_daemon",
    "reboot_host",
    "step_the_wall_clock",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.floats(0.5, 5000)), max_size=25))
def test_only_what_was_said_since_the_power_was_away_last_counts(acts: list[tuple[str, float]]) -> None:
    site = Site()
    for what, seconds in acts:
        site.act(what, seconds)
        # the engine sees all that happens here, so nothing that was said in this boot is left out either
        assert site.passes is (bool(site.said) and site.said_at > site.away_at)


def test_a_device_that_has_restarted_may_have_taken_the_power_away() -> None:
    site = Site()
    for what in ("switch_on", "say"):
        site.act(what, 10)
    assert site.passes
    site.host.time += 5
    site.outlet.device.restarted(site.host.now())
    site.outlet.observe(True)
    assert not site.passes
    site.act("say", 5)
    assert site.passes


def test_one_of_two_supplies_that_goes_off_and_on_is_no_power_on() -> None:
    site = Site()
    second = Dummy("psu2")
    second.device = Device("other strip", clock=site.host)
    site.node.outlets.append(second)
    site.act("switch_on", 1)
    second.observe(True)
    site.act("say", 30)
    site.host.time += 30
    second.observe(False)
    assert site.passes  # the first has fed it all the time
    second.marks.begin(True, site.host.now())
    second.observe(True)
    assert site.passes
    site.outlet.observe(False)  # now the second carries it, since before this: but after what was said
    assert not site.passes


def test_stamps_of_boots_that_nobody_knows_are_later_than_nothing() -> None:
    boots = ["a", "b", "c"]
    assert is_later("b 5.000", "a 900.000", boots)
    assert not is_later("a 900.000", "b 5.000", boots)
    assert not is_later("x 5.000", "a 1.000", boots)
    assert is_later("a 1.000", "x 5.000", boots)  # it is older than all that are remembered
    assert is_later("x 2.0", "x 1.0", boots)
    assert not is_later("a soon", "a 1.0", boots)
    assert before("a 5.000", 7) == "a -2.000"
    assert before("12.500", 2) == "10.500"
    assert boot_of("12.500") == ""
    many = with_boot([str(number) for number in range(100)], "new 1.0")
    assert len(many) == BOOTS_KEPT and many[-1] == "new"
    assert with_boot(many, "new 2.0") == many


@pytest.mark.parametrize(
    ("report", "stage", "reason"),
    [
        (BootReport("pi3", "B8", "has booted", stamp="110.0", ok=True), "booted", ""),
        (BootReport("pi3", "B8", "is up", stamp="110.0", ok=True, up=True), "up", ""),
        (BootReport("pi3", "B8", "has booted", stamp="110.0", ok=True), "up", "pi3 has booted since 12 s"),
        (BootReport("pi3", "B8", "asks for an address", stamp="110.0"), "booted", "pi3 asks for an address since 12 s"),
        (BootReport("pi3", "B8", "failed", "no disk", stamp="110.0"), "booted", "pi3 failed since 12 s: no disk"),
        (BootReport("pi3", "B8", "not seen yet"), "booted", "pi3 has not been heard of by the boot server"),
        (
            BootReport("pi3", "B8", "has booted", stamp="-7080.0", ok=True),
            "booted",
            "pi3 has said nothing since its power was switched on (before that it has booted since 2 h)",
        ),
        (None, "booted", "there is no boot server: add NetBoot to `plugins` in config.ini"),
        (DeviceRefused("pi3 is not in hosts.csv"), "booted", "pi3 is not in hosts.csv"),
    ],
)
def test_the_tester_says_how_far_the_board_has_come(
    report: BootReport | Exception | None, stage: str, reason: str
) -> None:
    def source(board: str) -> BootReport:
        assert board == "pi3"
        if isinstance(report, BootReport):
            return report
        assert report is not None
        raise report

    class Clock(Host):
        def stamp(self) -> str:
            return "122.0"

        def since(self, stamp: str) -> float:
            return 122.0 - float(stamp)

    test = HelloProtocol("hello", {"stage": stage}, {"board": "pi3"})
    test.device = Device("boot", parallel=0, clock=Clock())
    test.since_power_on = lambda stamp: float(stamp) > 100.0
    REPORTS.answer_by(source if report is not None else None)
    try:
        assert run(test.run_test()) is (reason == "")
    finally:
        REPORTS.answer_by(None)
    assert test.last_error == reason


def test_that_somebody_has_switched_it_off_is_remembered() -> None:
    rig = Rig({"pi": []})

    async def scenario(engine: Engine) -> float:
        await engine.order("on", ["pi"], who="test")
        await asyncio.sleep(60)
        rig.by_hand("pi")
        await asyncio.sleep(10)
        rig.by_hand("pi")
        await asyncio.sleep(30)
        await engine.core.journal.commit()
        [row] = engine.store.load("outlets")
        return float(row["noted"]) - float(row["marks"]["dark"])

    assert 60 <= rig.play(scenario) < 70  # the moment when it was first seen off
