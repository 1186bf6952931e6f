"""The example site agrees with the lab's cabling; copies and generated sites load and point at the lab."""

from __future__ import annotations

import stat
from pathlib import Path

import networkx
import pytest

from ockle.config.site import Site, load_site
from ockle.simulator.example import SITE, example_spec
from ockle.simulator.lab import Lab
from ockle.simulator.random_site import random_spec
from ockle.simulator.relocate import KEY_FILE, KNOWN_HOSTS, copy_site
from ockle.simulator.site_writer import write_site
from ockle.simulator.spec import LabSpec


def graph(site: Site) -> networkx.DiGraph[str]:
    """An edge from each server to those that need it."""
    return networkx.DiGraph(
        [(dependency, server.name) for server in site.servers.values() for dependency in server.dependencies]
    )


def cabling(site: Site) -> dict[str, set[tuple[str, int]]]:
    """What the INI files claim: server -> (PDU, outlet)."""
    return {
        name: {
            (outlet.generator, outlet.params["port" if site.pdus[outlet.generator].type == "PoE" else "outlet"])
            for outlet in server.outlets
        }
        for name, server in site.servers.items()
    }


def assert_points_at(site: Site, lab: Lab) -> None:
    """Every address and port of the site is one of the lab's, of the right role."""
    assert site.faults == []
    for name, pdu in site.pdus.items():
        point = lab.endpoints[name]
        assert (pdu.settings["host"], pdu.settings["port"]) == (point.host, point.ports["snmp"])
    roles = {"SSHController": "ssh", "TCP": "tcp", "HTTP": "http", "HTTPMetrics": "http"}
    for name, server in site.servers.items():
        point = lab.endpoints[name]
        for part in (*server.controls, *server.tests):
            generators = site.controllers if part.kind == "control" else site.testers
            role = roles[generators[part.generator].type]
            assert (part.params["host"], part.params["port"]) == (point.host, point.ports[role])


def test_the_example_site_is_the_lab_as_it_is_cabled() -> None:
    site = load_site(SITE)
    assert [str(fault) for fault in site.faults] == []
    spec = example_spec()
    assert cabling(site) == {machine.name: set(machine.supplies) for machine in spec.machines}
    assert {name: pdu.settings["write_community"].reveal() for name, pdu in site.pdus.items()} == {
        device.name: device.write_community for device in spec.devices
    }
    hosts = {part.params["host"] for server in site.servers.values() for part in (*server.controls, *server.tests)}
    hosts |= {pdu.settings["host"] for pdu in site.pdus.values()}
    assert hosts == {item.host for item in (*spec.machines, *spec.devices)}
    assert all(host.startswith("127.") for host in hosts)


def test_the_example_is_what_the_tutorial_promises() -> None:
    spec, site = example_spec(), load_site(SITE)
    layers = list(networkx.topological_generations(graph(site)))
    assert len(site.servers) >= 12
    assert len(layers) >= 4
    assert {pdu.type for pdu in site.pdus.values()} == {"PoE", "Raritan"}
    assert [machine.name for machine in spec.machines if machine.first_boot_fails] == ["mon01"]
    assert site.servers["mon01"].settings["retry_cycle"] == "always"
    assert [machine.name for machine in spec.machines if len({device for device, _ in machine.supplies}) == 2] == [
        "nas01"
    ]
    boots = {machine.name: machine.boot_s for machine in spec.machines}
    chain: networkx.DiGraph[str] = networkx.DiGraph((a, b, {"boot": boots[a]}) for a, b in graph(site).edges)
    path = networkx.dag_longest_path(chain, weight="boot")
    assert 12 < sum(boots[name] for name in path) < 20
    for machine in spec.machines:  # silence begins in the middle of a shutdown; the disk must be safe when it counts
        assert machine.shutdown_s / 2 < site.servers[machine.name].settings["halt_grace"]


def test_a_copy_of_the_example_points_at_the_lab_and_keeps_its_comments(tmp_path: Path) -> None:
    with Lab(example_spec()) as lab:
        copy_site(SITE, tmp_path / "etc", lab, {"plugins.SocketListener": {"port": "18088"}})
        site = load_site(tmp_path / "etc")
        assert_points_at(site, lab)
    assert site.plugin_settings["SocketListener"]["port"] == 18088
    assert "it runs while one of them is live" in (tmp_path / "etc/servers/nas01.ini").read_text()
    assert stat.S_IMODE((tmp_path / "etc" / KEY_FILE).stat().st_mode) == 0o600
    assert len((tmp_path / "etc" / KNOWN_HOSTS).read_text().splitlines()) == len(site.servers)
    assert cabling(site) == cabling(load_site(SITE))


@pytest.mark.parametrize("seed", range(3))
def test_a_random_site_loads_and_has_its_layers(tmp_path: Path, seed: int) -> None:
    spec = random_spec(seed, servers=50, layers=6)
    assert spec == random_spec(seed, servers=50, layers=6)
    with Lab(spec) as lab:
        write_site(lab, tmp_path, server={"shutdown_policy": "cut"}, overrides={"srv001": {"protected": "true"}})
        site = load_site(tmp_path)
        assert_points_at(site, lab)
    assert len(site.servers) == 50
    assert len(list(networkx.topological_generations(graph(site)))) == 6
    assert cabling(site) == {machine.name: set(machine.supplies) for machine in spec.machines}
    assert site.servers["srv001"].settings["protected"]
    assert {server.settings["shutdown_policy"] for server in site.servers.values()} == {"cut"}


def test_a_site_that_asks_for_a_service_the_machine_lacks_is_refused(tmp_path: Path) -> None:
    spec = example_spec()
    bare = LabSpec(spec.devices, tuple(m for m in spec.machines if m.name == "core-switch"))
    with Lab(bare) as lab:
        copy_site(SITE, tmp_path, lab)
        text = (tmp_path / "servers/core-switch.ini").read_text()
        (tmp_path / "servers/core-switch.ini").write_text(text.replace("tester = tcp", "tester = http"))
        with pytest.raises(ValueError, match="management"):
            copy_site(tmp_path, tmp_path / "again", lab)
