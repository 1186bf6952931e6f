"""What is made of what is seen while one port after the other is off and on: a job on switches and boards made up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ockle.commands.netboot.port_mapping import MapJob, Row, parse_ports
from ockle.common.clock import LoopClock
from ockle.common.errors import CommandError, DeviceUnreachable, OckleError
from ockle.common.events import EventBus
from ockle.drivers.bridge_tables import Bridge, Port
from ockle.drivers.port_finder import Numbering, Place, places
from ockle.netboot.host_book import HostBook
from ockle.netboot.port_book import PoePort, PortBook
from ockle.simulator.virtual_time import run

MACS = [f"02:00:00:00:00:{number:02X}" for number in range(10)]


class Rack:
    """``at``: PoE port -> who hangs there; ``name``: of the interfaces; ``tables``: whether the switch shows them.

    A board is seen, and asks the boot server, a second after its power has come.
    """

    def __init__(self, at: dict[int, list[str]], name: str = "gi{}", *, tables: bool = True) -> None:
        self.at, self.name, self.tables = at, name, tables
        self.on_since = dict.fromkeys(range(1, 7), -100.0)
        self.asked_at: dict[str, float] = {}
        self.broken: dict[int, Exception] = {}
        self.alarms: list[str] = []

    # as SwitchPorts

    async def bridges(self, _names: list[str]) -> tuple[list[Bridge], dict[str, str]]:
        if not self.tables:
            return [], {"sw": "no answer"}
        ports = {number: Port(number + 40, 100 + number, self.name.format(number)) for number in range(1, 7)}
        macs = {number + 40: frozenset(self._seen(number)) for number in range(1, 7) if self._seen(number)}
        poe = frozenset((1, number) for number in range(1, 7))
        return [Bridge("sw", {port.bridge: port for port in ports.values()}, macs, {}, {}, poe)], {}

    def _seen(self, port: int) -> list[str]:
        now = asyncio.get_running_loop().time()
        return [
            mac for mac in self.at.get(port, ()) if 0 <= self.on_since[port] + 1 <= now or self.on_since[port] == -100
        ]

    async def judge(self, mac: str, bridges: list[Bridge]) -> list[Place]:
        return places(mac, bridges, {"sw": Numbering("name")}, {})

    def alarm(self, _mac: str, text: str) -> None:
        self.alarms.append(text)

    # as PortPower

    @asynccontextmanager
    async def borrowed(self, at: PoePort) -> AsyncIterator[int]:
        if at.port in self.broken:
            raise self.broken[at.port]
        yield at.port

    async def switch(self, port: int, on: bool) -> None:
        self.on_since[port] = asyncio.get_running_loop().time() if on else float("inf")
        if on:
            for mac in self.at.get(port, ()):
                self.asked_at[mac] = self.asked_at.get(mac, 0.0) + 1.0

    def job(self, folder: Path, ports: list[int], *, write: bool = False, wait_s: float = 10.0) -> MapJob:
        rows = [Row(PoePort("sw", 1, port)) for port in ports]
        hosts = HostBook(folder / "hosts.csv")
        parts: dict[str, Any] = {"ports": self, "power": self}
        return MapJob(
            1,
            "sw",
            rows,
            **parts,
            hosts=lambda: hosts,
            book=PortBook(folder / "ports.json"),
            asked=lambda: dict(self.asked_at),
            events=EventBus(),
            clock=LoopClock(),
            who="test",
            write=write,
            wait_s=wait_s,
        )


def mapped(make: Callable[[], MapJob]) -> dict[int, tuple[str, str, str]]:
    async def whole() -> MapJob:
        job = make()
        await job.run()
        return job

    job = run(whole())
    return {row.at.port: (row.state.value, row.mac, row.by) for row in job.rows}


def test_who_is_at_the_port_is_who_hangs_there(tmp_path: Path) -> None:
    rack = Rack({1: [MACS[1]], 2: [], 3: [MACS[3], MACS[4]]})
    assert mapped(lambda: rack.job(tmp_path, [1, 2, 3])) == {
        1: ("found", MACS[1], "switch"),
        2: ("nothing came", "", ""),
        3: ("nothing came", "", ""),  # two of them: whose is the port?
    }


def test_without_a_number_in_its_name_who_comes_is_who_hangs_there(tmp_path: Path) -> None:
    rack = Rack({1: [MACS[1]], 2: [MACS[2]]}, name="downlink")
    assert mapped(lambda: rack.job(tmp_path, [2])) == {2: ("found", MACS[2], "switch")}


def test_a_switch_without_tables_leaves_it_to_who_asks(tmp_path: Path) -> None:
    rack = Rack({1: [MACS[1]], 2: [MACS[2], MACS[3]]}, tables=False)
    rack.asked_at[MACS[9]] = -50.0  # asked before
    assert mapped(lambda: rack.job(tmp_path, [1, 2])) == {
        1: ("found", MACS[1], "dhcp"),
        2: ("nothing came", "", ""),
    }


def test_one_address_at_two_ports_is_an_alarm_and_no_port(tmp_path: Path) -> None:
    rack = Rack({1: [MACS[1]], 2: [MACS[1]]}, tables=False)
    found = mapped(lambda: rack.job(tmp_path, [1, 2], write=True))
    assert found[2][0] == "found"
    assert rack.alarms == [f"{MACS[1]} was found at sw 1.1 and at sw 1.2"]
    assert PortBook(tmp_path / "ports.json").of(MACS[1]) is None


def test_the_trouble_of_one_port_is_not_that_of_the_next(tmp_path: Path) -> None:
    rack = Rack({1: [MACS[1]], 2: [MACS[2]], 3: [MACS[3]]})
    rack.broken = {1: DeviceUnreachable("the switch is silent"), 2: ZeroDivisionError("a bug")}
    found = mapped(lambda: rack.job(tmp_path, [1, 2, 3]))
    assert [state for state, _mac, _by in found.values()] == ["failed", "failed", "found"]


def test_nobody_who_is_in_the_hosts_is_changed(tmp_path: Path) -> None:
    (tmp_path / "hosts.csv").write_text(f"{MACS[1]};10.0.0.1;pi1;0\n")
    rack = Rack({1: [MACS[1]], 2: [MACS[2]]})
    mapped(lambda: rack.job(tmp_path, [1, 2], write=True))
    assert (tmp_path / "hosts.csv").read_text() == f"{MACS[1]};10.0.0.1;pi1;0\n{MACS[2]};0.0.0.0;sw-2;0\n"
    assert PortBook(tmp_path / "ports.json").of(MACS[2]) == PoePort("sw", 1, 2)


def test_the_book_of_ports_survives_and_knows_one_board_per_port(tmp_path: Path) -> None:
    book = PortBook(tmp_path / "ports.json")
    one, two = PoePort("sw", 1, 1), PoePort("sw", 1, 2)
    book.put(MACS[1], one)
    book.put(MACS[2], one)  # another board hangs there now
    book.owe(two)
    again = PortBook(tmp_path / "ports.json")
    assert (again.of(MACS[1]), again.of(MACS[2]), again.owed()) == (None, one, [two])
    again.settle(two)
    assert PortBook(tmp_path / "ports.json").owed() == []
    (tmp_path / "ports.json").write_text('{"ports": 5}')
    assert PortBook(tmp_path / "ports.json").owed() == []


def test_a_port_that_cannot_be_noted_is_not_owed(tmp_path: Path) -> None:
    (tmp_path / "full").write_text("a file where the folder should be")
    book = PortBook(tmp_path / "full" / "ports.json")
    with pytest.raises(OckleError):
        book.owe(PoePort("sw", 1, 1))
    assert book.owed() == []


@pytest.mark.parametrize(
    ("words", "ports"),
    [([3], ["sw 1.3"]), (["3", "3", "2.7"], ["sw 1.3", "sw 2.7"]), (["1-3"], ["sw 1.1", "sw 1.2", "sw 1.3"])],
)
def test_ports_as_people_write_them(words: list[object], ports: list[str]) -> None:
    assert [str(at) for at in parse_ports(words, "sw")] == ports


@pytest.mark.parametrize("word", ["", "0", "3-1", "x", "1.2.3", "-1", True, "1-99999", "²", "1-", 1.5])
def test_what_is_no_port_is_refused(word: object) -> None:
    with pytest.raises(CommandError):
        parse_ports([word], "sw")
