"""Leases in memory and on disk: netboot checklist 47 and 48."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from dhcp_site import ip
from ockle.common.errors import OckleError
from ockle.netboot.board_tables import connect
from ockle.netboot.dhcp.config import Network, Pool
from ockle.netboot.dhcp.lease_store import LeaseStore, read_leases
from ockle.netboot.dhcp.leases import Lease, Leases, State

NET = Network("n", ip("10.7.0.1"), ip("10.7.0.254"), ip("255.255.255.0"), ip("10.7.0.255"))
POOL = Pool(ip("10.7.0.100"), ip("10.7.0.102"))
MAC = bytes.fromhex("525400000001")


class Watch:
    """A clock that is set by hand. ``boot``: which start of the machine this is."""

    def __init__(self) -> None:
        self.time, self.boot, self.calendar = 100.0, 0, 1e9

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return self.calendar

    def stamp(self) -> str:
        return f"{self.boot} {self.time}"

    def since(self, stamp: str) -> float:
        boot, _, moment = stamp.partition(" ")
        return self.time - float(moment) if boot == str(self.boot) else self.time

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("leases wait for nothing")


def bind(leases: Leases, number: int, now: float, seconds: float = 100.0) -> bytes:
    address = leases.next_free(NET, now)
    assert address is not None
    leases.put(address, bytes((1, number)), MAC, State.BOUND, now + seconds)
    return address


def test_47_what_is_given_back_again_is_free_for_a_shorter_time() -> None:
    leases = Leases([POOL])
    first, second, third = (bind(leases, number, 0.0) for number in range(3))
    for number, address in ((0, first), (1, second)):
        leases.put(address, bytes((1, number)), MAC, State.FREE, 0.0)
    leases.put(first, bytes((1, 0)), MAC, State.BOUND, 100.0)  # its client came back
    leases.put(first, bytes((1, 0)), MAC, State.FREE, 0.0)
    assert [bind(leases, number, 1.0) for number in (7, 8)] == [second, first]
    assert leases.next_free(NET, 1.0) is None
    assert third == ip("10.7.0.102")


def test_47_of_ended_leases_the_one_that_ended_first_is_given_first() -> None:
    leases = Leases([POOL])
    addresses = [bind(leases, number, 0.0, seconds) for number, seconds in enumerate((300.0, 100.0, 200.0))]
    assert [bind(leases, number, 400.0) for number in (7, 8, 9)] == [addresses[1], addresses[2], addresses[0]]


def test_who_had_an_address_has_it_no_longer() -> None:
    leases = Leases([POOL])
    address = bind(leases, 1, 0.0)
    leases.put(address, b"\1new", MAC, State.BOUND, 900.0)
    assert leases.of(b"\1\1") is None
    lease = leases.at(address)
    assert lease is not None and leases.of(b"\1new") is lease
    leases.put(address, b"\1new", MAC, State.QUARANTINED, 900.0)
    assert leases.of(b"\1new") is None
    assert not leases.open(address, b"\1new", 899.0)
    assert leases.open(address, b"\1new", 900.0)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "boards.db"


def store(file: Path, watch: Watch) -> LeaseStore:
    return LeaseStore(connect(file, durable=False), watch)


def test_48_a_lease_ends_when_it_would_have_whatever_the_clock_on_the_wall_says(file: Path, watch: Watch) -> None:
    one = store(file, watch)
    lease = Lease(ip("10.7.0.100"), b"\1a", MAC, State.BOUND, watch.time + 3600, "name")
    one.write(one.rows([lease]))
    one.close()
    for passed, boot, calendar, left in (
        (600.0, 0, 1e9 + 600, 3000.0),
        (600.0, 0, 0.0, 3000.0),  # somebody set the clock to 1970
        (600.0, 0, 4e9, 3000.0),
        (4000.0, 0, 1e9, 0.0),
    ):
        watch.time, watch.boot, watch.calendar = 100.0 + passed, boot, calendar
        two = store(file, watch)
        ((found,), bad) = two.load()
        two.close()
        assert (bad, found.ip, found.key, found.mac, found.hostname) == (0, lease.ip, lease.key, MAC, "name")
        assert (found.state, found.until - watch.time) == (State.BOUND, left)
    watch.time, watch.boot = 30.0, 1  # started again, nobody knows how long it was off: not too early, then
    three = store(file, watch)
    ((found,), _bad) = three.load()
    three.close()
    assert found.until - watch.time == 3570.0


def test_48_many_leases_are_written_all_or_none(file: Path, watch: Watch) -> None:
    one = store(file, watch)
    leases = [Lease(number.to_bytes(4), b"\1a", MAC, State.BOUND, 900.0) for number in range(1, 1001)]
    one.write(one.rows(leases))
    assert len(one.load()[0]) == 1000
    with sqlite3.connect(file) as database:
        database.execute(
            "CREATE TRIGGER full BEFORE INSERT ON leases WHEN new.ip = '0.0.3.200'"
            " BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )
    database.close()
    more = [Lease(number.to_bytes(4), b"\1b", MAC, State.FREE, 900.0) for number in range(1, 1001)]
    with pytest.raises(sqlite3.Error, match="disk is full"):
        one.write(one.rows(more))
    assert {lease.key for lease in one.load()[0]} == {b"\1a"}
    one.close()


def test_leases_for_people_are_in_the_order_of_addresses(file: Path, watch: Watch) -> None:
    connection = connect(file, durable=False)
    assert read_leases(connection) == []
    one = store(file, watch)
    one.write(one.rows([Lease(ip(text), b"\1", MAC, State.BOUND, 160.0) for text in ("10.7.0.100", "10.7.0.9")]))
    rows = read_leases(connection)
    one.close()
    connection.close()
    assert [row.ip for row in rows] == ["10.7.0.9", "10.7.0.100"]
    assert (rows[0].mac, rows[0].state, rows[0].ends) == ("52:54:00:00:00:01", "bound", 1e9 + 60)
    with pytest.raises(OckleError):
        LeaseStore(connection, watch)
