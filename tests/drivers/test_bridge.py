"""Where a switch has seen a machine: its tables over SNMP from the lab's switch and from snmpd, and what follows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import peers_snmpd
from ockle.common.errors import DeviceAnswerError, DeviceRefused, DeviceUnreachable
from ockle.common.snmp import TOO_BIG, Answer, Missing, SnmpSettings, SnmpValue
from ockle.common.snmp_walk import SnmpWalker
from ockle.drivers.bridge_tables import FORWARDING, INTERFACES, VLAN_FORWARDING, Bridge, Neighbour, Port, decode
from ockle.drivers.port_finder import AmbiguousError, NotFoundError, Numbering, choose, places, poe_port
from ockle.outlets.poe import PoE
from ockle.simulator.lab import Lab
from ockle.simulator.spec import LabSpec, SwitchSpec

PI = "B8:27:EB:01:02:03"
OTHER = "DC:A6:32:0A:0B:0C"


async def bridge_of(switch: PoE) -> Bridge:
    try:
        return await switch.bridge()
    finally:
        await switch.device.close()


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(LabSpec(devices=(SwitchSpec("sw", 8, group=2),), machines=())) as lab:
        lab.learn("sw", 3, PI)
        lab.learn("sw", 9, "02:00:00:00:00:01", "02:00:00:00:00:02")
        yield lab


@pytest.mark.parametrize("version", ["1", "2c"])
def test_the_labs_switch_is_read(lab: Lab, version: str) -> None:
    at = lab.endpoints["sw"]
    switch = PoE("sw", {"host": at.host, "port": at.ports["snmp"], "version": version}, {"group": 2, "port": 1})
    bridge = asyncio.run(bridge_of(switch))
    assert bridge.ports[3] == Port(3, 1003, "gi2/0/3")
    assert bridge.ports[9].alias == "uplink"
    assert bridge.macs == {3: {PI}, 9: {"02:00:00:00:00:01", "02:00:00:00:00:02"}}  # its own address was not learned
    assert bridge.vlans[3, PI] == (9,)
    assert bridge.poe == {(2, number) for number in range(1, 9)}
    [place] = places(PI, [bridge], {}, {})
    assert (str(place), place.poe_name, place.macs) == ("sw gi2/0/3", "2.3", 1)


# -- net-snmp's agent

Q, D, LLDP = "1.3.6.1.2.1.17.7.1", "1.3.6.1.2.1.17", "1.0.8802.1.1.2.1"
CELLS: dict[str, tuple[str, int | str]] = {
    **{f"{D}.1.4.1.2.{port}": ("integer", 10100 + port) for port in (49, 50, 51, 52)},
    **{f"1.3.6.1.2.1.31.1.1.1.1.{10100 + port}": ("string", f"Gi4/0/{port - 48}") for port in (49, 50, 51, 52)},
    "1.3.6.1.2.1.31.1.1.1.18.10149": ("string", "rack 3, pi"),
    **{f"1.3.6.1.2.1.105.1.1.1.3.4.{port}": ("integer", 1) for port in (1, 2, 3)},
    f"{D}.4.3.1.2.184.39.235.1.2.3": ("integer", 49),
    f"{D}.4.3.1.3.184.39.235.1.2.3": ("integer", 3),
    f"{D}.4.3.1.2.220.166.50.10.11.12": ("integer", 50),  # set by hand, not learned
    f"{D}.4.3.1.3.220.166.50.10.11.12": ("integer", 5),
    f"{D}.4.3.1.2.2.0.0.0.0.9": ("integer", 0),  # known, and not where
    f"{D}.4.3.1.3.2.0.0.0.0.9": ("integer", 3),
    f"{Q}.4.2.1.3.0.12": ("gauge", 77),
    f"{Q}.4.2.1.3.0.13": ("gauge", 78),
    f"{Q}.2.2.1.2.77.184.39.235.1.2.3": ("integer", 49),
    f"{Q}.2.2.1.3.77.184.39.235.1.2.3": ("integer", 3),
    f"{Q}.2.2.1.2.78.2.0.0.0.0.7": ("integer", 52),
    f"{Q}.2.2.1.3.78.2.0.0.0.0.7": ("integer", 3),
    f"{LLDP}.3.7.1.3.4": ("string", "Gi4/0/4"),
    f"{LLDP}.4.1.1.5.0.4.1": ("octet", "02 00 00 00 00 06"),
    f"{LLDP}.4.1.1.9.0.4.1": ("string", "core"),
}


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with peers_snmpd.running(tmp_path_factory.mktemp("bridge"), cells=CELLS) as where:
        yield where


@pytest.mark.peer
@pytest.mark.parametrize("way", [{"version": "1"}, {"version": "2c"}, peers_snmpd.V3_USER], ids=["v1", "v2c", "v3"])
def test_snmpd_is_read_with_every_version(agent: dict[str, Any], way: dict[str, Any]) -> None:
    bridge = asyncio.run(bridge_of(PoE("sw", {**agent, **way}, {"port": 1})))
    assert bridge.ports[49] == Port(49, 10149, "Gi4/0/1", "rack 3, pi")
    assert bridge.macs == {49: {PI}, 52: {"02:00:00:00:00:07"}}
    assert bridge.vlans == {(49, PI): (12,), (52, "02:00:00:00:00:07"): (13,)}
    assert bridge.neighbours == {52: Neighbour("02:00:00:00:00:06", "core")}
    [place] = places(PI, [bridge], {}, {})
    assert (place.uplink, place.poe) == ("", (4, 1))
    [uplink] = places("02:00:00:00:00:07", [bridge], {}, {})
    assert (uplink.uplink, uplink.poe) == ("core is at its other end", None)


@pytest.mark.peer
def test_a_vlan_with_tables_of_its_own_is_asked_under_its_own_community(agent: dict[str, Any]) -> None:
    switch = PoE("sw", {**agent, "community": "public@9", "bridge_vlans": "12", "timeout": "500ms"}, {"port": 1})
    with pytest.raises(DeviceUnreachable):  # snmpd knows public and public@12
        asyncio.run(bridge_of(switch))
    switch = PoE("sw", {**agent, "community": "private@9", "bridge_vlans": "12"}, {"port": 1})
    assert asyncio.run(bridge_of(switch)).vlans[49, PI] == (12,)
    with pytest.raises(DeviceRefused, match=r"bridge_vlans: 'x' is no number of a VLAN"):
        asyncio.run(bridge_of(PoE("sw", {**agent, "bridge_vlans": "x"}, {"port": 1})))


# -- walking


class Agent:
    """A wire to a table; ``circles``: the agent starts over at its end; ``limit``: bindings that fit into an answer."""

    def __init__(
        self, cells: Mapping[str, SnmpValue], limit: int = 100, circles: bool = False, v1: bool = False
    ) -> None:
        self.cells = sorted((tuple(map(int, oid.split("."))), value) for oid, value in cells.items())
        self.limit, self.circles, self.v1 = limit, circles, v1
        self.asked = 0

    async def after(self, oids: Sequence[str], rows: int) -> Answer:
        self.asked += 1
        (oid,) = oids
        if not self.v1 and rows > self.limit:
            return Answer(TOO_BIG, 0, ())
        asked = tuple(map(int, oid.split(".")))
        behind = [(name, value) for name, value in self.cells if name > asked][: 1 if self.v1 else rows]
        if not behind and self.circles:
            behind = self.cells[:1]
        if not behind:
            return Answer(2, 1, ()) if self.v1 else Answer(0, 0, [(oid, Missing("endOfMibView"))])
        return Answer(0, 0, [(".".join(map(str, name)), value) for name, value in behind])

    async def close(self) -> None:
        pass


def walk(agent: Agent, root: str = "1.2") -> dict[tuple[int, ...], SnmpValue]:
    return asyncio.run(SnmpWalker(SnmpSettings("sw"), wire=agent).column(root))


@given(
    st.dictionaries(st.sampled_from(["1.1", "1.2", "1.3"]), st.sets(st.integers(1, 300), max_size=60)),
    st.integers(1, 50),
    st.booleans(),
)
def test_a_walk_finds_all_of_a_column_and_nothing_else(columns: dict[str, set[int]], limit: int, v1: bool) -> None:
    cells: dict[str, SnmpValue] = {f"{root}.{row}": row for root, rows in columns.items() for row in rows}
    assert walk(Agent(cells, limit, v1=v1)) == {(row,): row for row in columns.get("1.2", ())}


def test_an_agent_that_goes_in_circles_is_left() -> None:
    agent = Agent({"1.2.1": 1, "1.2.2": 2}, circles=True)
    with pytest.raises(DeviceAnswerError, match=r"behind 1\.2\.2 comes 1\.2\.1, which is before it"):
        walk(agent)


def test_an_agent_that_fails_is_told() -> None:
    class Failing(Agent):
        async def after(self, oids: Sequence[str], rows: int) -> Answer:
            return Answer(5, 1, ())

    with pytest.raises(Exception, match=r"sw:161: genErr for 1\.2"):
        walk(Failing({}))


# -- decoding and judging

CELL = st.one_of(st.integers(-5, 60), st.binary(max_size=8), st.text(max_size=4))
INDEX = st.lists(st.integers(0, 300), min_size=1, max_size=9).map(tuple)
NAMES = [*FORWARDING, *VLAN_FORWARDING, *INTERFACES]


@given(st.dictionaries(st.sampled_from(NAMES), st.dictionaries(INDEX, CELL, max_size=6)))
def test_whatever_a_switch_says_is_decoded(tables: Any) -> None:
    bridge = decode("sw", tables, {5: {name: tables.get(name, {}) for name in FORWARDING}})
    assert all(number in bridge.ports and number for number in bridge.macs)
    for macs in bridge.macs.values():
        for mac in macs:
            places(mac, [bridge], {}, {})


def switch(name: str, learned: Mapping[int, set[str]], lldp: Mapping[int, Neighbour] | None = None) -> Bridge:
    ports = {number: Port(number, 100 + number, f"gi{number}") for number in range(1, 25)}
    macs = {number: frozenset(found) for number, found in learned.items()}
    return Bridge(name, ports, macs, {}, lldp or {}, frozenset((1, number) for number in range(1, 13)))


def find(mac: str, *bridges: Bridge, uplinks: Mapping[str, set[str]] | None = None) -> str:
    found = places(mac, bridges, {}, uplinks or {})
    return str(choose(mac, found, [bridge.switch for bridge in bridges]))


MACS = [f"02:00:00:00:00:{number:02X}" for number in range(10)]


def test_a_port_with_many_addresses_leads_elsewhere() -> None:
    a = switch("a", {1: {PI}, 24: {*MACS}})
    b = switch("b", {2: {OTHER}, 24: {PI, *MACS}})
    assert find(PI, a, b) == "a gi1"
    with pytest.raises(
        NotFoundError, match=r"only on the way to another switch: b gi24 \(11 addresses were learned there\)"
    ):
        find(PI, b)


def test_a_neighbour_that_speaks_lldp_is_a_switch_unless_it_is_the_machine_itself() -> None:
    assert find(PI, switch("a", {1: {PI}}, {1: Neighbour(PI, "pi3")})) == "a gi1"
    with pytest.raises(NotFoundError, match="core is at its other end"):
        find(PI, switch("a", {1: {PI}}, {1: Neighbour("02:00:00:00:00:99", "core")}))


def test_a_port_where_machines_of_several_ports_are_seen_leads_there() -> None:
    a = switch("a", {1: {PI}, 2: {OTHER}})
    assert find(PI, a, switch("b", {24: {PI, OTHER}})) == "a gi1"


def test_a_port_that_the_file_names_leads_elsewhere() -> None:
    a, b = switch("a", {1: {PI}}), switch("b", {24: {PI}})
    assert find(PI, a, b, uplinks={"b": {"gi24"}}) == "a gi1"


def test_an_address_at_two_places_is_no_place() -> None:
    a, b = switch("a", {1: {PI}}), switch("b", {7: {PI}})
    with pytest.raises(AmbiguousError, match=r"at a gi1 \(1 address\) and b gi7 \(1 address\): it is there twice"):
        find(PI, a, b)
    with pytest.raises(AmbiguousError):
        find(PI, switch("a", {1: {PI}, 2: {PI}}))
    with pytest.raises(NotFoundError, match="no port of a, b has learned 02"):
        find(MACS[0], a, b)


@pytest.mark.parametrize(
    ("port", "numbering", "expected"),
    [
        (Port(3, 1003, "gi3"), Numbering(), (1, 3)),
        (Port(55, 1055, "Gi2/0/7"), Numbering(), (2, 7)),
        (Port(7, 0, "bridge port 7"), Numbering(), (1, 7)),
        (Port(7, 12, "uplink"), Numbering(), (1, 7)),
        (Port(7, 12, "uplink"), Numbering("name"), None),
        (Port(7, 4, "gi5"), Numbering("bridge"), (1, 7)),
        (Port(7, 4, "gi5"), Numbering("index"), (1, 4)),
        (Port(7, 4, "gi5"), Numbering("auto", 4), (1, 1)),
        (Port(7, 4, "gi5"), Numbering("auto", -3), None),  # group 1 or 2? the name does not say
        (Port(7, 4, "gi99"), Numbering(), None),
        (Port(7, 4, "gi99"), Numbering(own={"gi99": (4, 2)}), (4, 2)),
    ],
)
def test_the_poe_port_is_told_from_the_interface_or_not_at_all(
    port: Port, numbering: Numbering, expected: tuple[int, int] | None
) -> None:
    poe = frozenset(
        {(1, number) for number in range(1, 9)} | {(2, 7), (2, 8)} - {(1, 7)}
        if "Gi2" in port.name
        else {(1, number) for number in range(1, 9)} | {(2, 8)}
    )
    assert poe_port(Bridge("sw", {}, {}, {}, {}, poe), port, numbering) == expected


@pytest.mark.parametrize("text", ["gi1", "gi1=", "gi1=a.1", "=1.2", "gi1=1.x"])
def test_a_map_that_makes_no_sense_is_named(text: str) -> None:
    with pytest.raises(DeviceRefused, match=r"outlets/p\.ini: poe_map: '.*' is not of the form"):
        _ = PoE("p", {"host": "127.0.0.1", "poe_map": text}, {"port": 1}).numbering
    assert PoE("p", {"host": "127.0.0.1", "poe_map": "gi1=1.2, x=3"}, {"port": 1}).numbering.own == {
        "gi1": (1, 2),
        "x": (1, 3),
    }


def test_nothing_listens(tmp_path: Path) -> None:
    with pytest.raises(DeviceUnreachable):
        asyncio.run(bridge_of(PoE("p", {"host": "127.0.0.1", "port": 9, "timeout": "200ms"}, {"port": 1})))
