"""The lab's switch and PDU against the net-snmp tools, and what the ledger says of cut power."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ockle.simulator.knobs import DeviceKnobs, KnobError, MachineKnobs, describe
from ockle.simulator.lab import Lab
from ockle.simulator.machine import MachineState
from ockle.simulator.spec import LabSpec, MachineSpec, PduSpec, SwitchSpec
from peers import peer

pytestmark = pytest.mark.peer

PX = "1.3.6.1.4.1.13742.4.1.2.2.1"
POE = "1.3.6.1.2.1.105.1.1.1"

SPEC = LabSpec(
    devices=(
        PduSpec("pdu-a", 8),
        PduSpec("pdu-b", 8),
        SwitchSpec("sw-poe", 8, write_community="private@9", budget_w=20),
    ),
    machines=(
        MachineSpec("nas", (("pdu-a", 1), ("pdu-b", 1)), watts=100),
        MachineSpec("web", (("pdu-a", 2),), watts=50),
        MachineSpec("twin1", (("pdu-b", 4),), watts=10),
        MachineSpec("twin2", (("pdu-b", 4),), watts=20),
        MachineSpec("moody", (("pdu-a", 3),), first_boot_fails=1),
        MachineSpec("pi", (("sw-poe", 4),), watts=6),
        MachineSpec("camera", (("sw-poe", 5),), watts=18),
    ),
    speed=0.05,
)


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab(SPEC) as running:
        yield running


def snmp(
    tool: str,
    lab: Lab,
    device: str,
    *arguments: str,
    community: str = "public",
    version: str = "2c",
    patience_s: str = "5",
) -> str:
    """What the tool prints: values only, or the error."""
    point = lab.endpoints[device]
    address = f"{point.host}:{point.ports['snmp']}"
    options = ("-v", version, "-c", community, "-t", patience_s, "-r", "0", "-m", "", "-Oqvn")
    command = [peer(tool), *options, address, *arguments]
    environment = os.environ | {"SNMP_PERSISTENT_DIR": str(Path(tempfile.gettempdir()) / "ockle-net-snmp")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False, env=environment)
    return (done.stderr if done.returncode else done.stdout).strip()


def switch(lab: Lab, outlet: int, on: bool, device: str = "pdu-a", **options: str) -> str:
    options = {"community": "private"} | options
    return snmp("snmpset", lab, device, f"{PX}.3.{outlet}", "i", str(int(on)), **options)


def poe(lab: Lab, port: int, on: bool, **options: str) -> str:
    options = {"community": "private@9"} | options
    return snmp("snmpset", lab, "sw-poe", f"{POE}.3.1.{port}", "i", "1" if on else "2", **options)


@pytest.mark.parametrize("version", ["1", "2c"])
def test_the_pdu_switches_and_measures(lab: Lab, version: str) -> None:
    assert snmp("snmpget", lab, "pdu-a", "1.3.6.1.4.1.13742.4.1.2.1.0", version=version) == "8"
    assert snmp("snmpget", lab, "pdu-a", f"{PX}.2.1", version=version) == '"nas psu1"'
    switch(lab, 2, True, version=version)
    lab.ledger.wait("up", "web")
    cells = [f"{PX}.{column}.2" for column in (3, 4, 6, 7)]
    assert snmp("snmpget", lab, "pdu-a", *cells, version=version).split("\n") == ["1", "217", "230000", "50"]
    assert lab.outlet("pdu-a", 2).closed


def test_a_bulk_walk_finds_all_outlets(lab: Lab) -> None:
    assert snmp("snmpbulkwalk", lab, "pdu-a", f"{PX}.3").split() == ["0"] * 8
    assert snmp("snmpwalk", lab, "sw-poe", f"{POE}.3", version="1").split() == ["2"] * 8
    assert snmp("snmpget", lab, "sw-poe", "1.3.6.1.2.1.1.5.0") == '"sw-poe"'


def test_a_poe_port_searches_before_it_delivers(lab: Lab) -> None:
    status = f"{POE}.6.1."
    assert snmp("snmpget", lab, "sw-poe", status + "4") == "1"
    poe(lab, 4, True)
    poe(lab, 8, True)  # nothing is plugged in there
    lab.ledger.wait("up", "pi")
    assert snmp("snmpget", lab, "sw-poe", status + "4", status + "8").split() == ["3", "2"]
    moved = lab.ledger.last("relay", "sw-poe")
    asked = lab.ledger.first("set", "sw-poe")
    assert moved and asked and moved.t - asked.t >= 0.3 * SPEC.speed
    poe(lab, 4, False)
    lab.ledger.wait("power", "pi", "off")
    assert snmp("snmpget", lab, "sw-poe", status + "4") == "1"


def test_the_poe_budget_denies_a_port(lab: Lab) -> None:
    poe(lab, 4, True)
    lab.ledger.wait("up", "pi")
    poe(lab, 5, True)
    for _ in range(50):
        denied = snmp("snmpget", lab, "sw-poe", f"{POE}.12.1.5")
        if denied == "1":
            break
    assert denied == "1"
    assert not lab.outlet("sw-poe", 5).closed


def test_a_wrong_community_is_silence(lab: Lab) -> None:
    assert "Timeout" in snmp("snmpget", lab, "pdu-a", f"{PX}.3.1", community="guess", patience_s="0.5")
    assert "Timeout" in poe(lab, 4, True, community="private", patience_s="0.5")
    assert "noAccess" in switch(lab, 1, True, community="public")
    assert not lab.ledger.entries("set")


def test_two_supplies(lab: Lab) -> None:
    switch(lab, 1, True)
    switch(lab, 1, True, device="pdu-b")
    lab.ledger.wait("up", "nas")
    lab.ledger.wait("relay", "pdu-b")
    assert lab.outlet("pdu-a", 1).power_w == lab.outlet("pdu-b", 1).power_w == 50
    switch(lab, 1, False)
    lab.ledger.wait("relay", "pdu-a", count=2)
    assert lab.state("nas") is MachineState.UP
    assert not lab.ledger.cuts_while_mounted()
    switch(lab, 1, False, device="pdu-b")
    lab.ledger.wait("violation", "nas", "up")
    assert [entry.device for entry in lab.ledger.cuts_while_mounted()] == ["nas"]


def test_two_machines_on_one_outlet(lab: Lab) -> None:
    switch(lab, 4, True, device="pdu-b")
    for name in ("twin1", "twin2"):
        lab.ledger.wait("up", name)
    assert lab.outlet("pdu-b", 4).power_w == 30
    assert snmp("snmpget", lab, "pdu-b", f"{PX}.2.4") == '"twin1, twin2"'
    lab.shut_down("twin1")
    lab.ledger.wait("halted", "twin1")
    switch(lab, 4, False, device="pdu-b")
    lab.ledger.wait("violation", "twin2")
    assert [entry.device for entry in lab.ledger.cuts_while_mounted()] == ["twin2"]


def test_a_lie_also_hides_that_an_outlet_stays_on(lab: Lab) -> None:
    switch(lab, 2, True)
    lab.ledger.wait("up", "web")
    lab.turn("pdu-a", lie={2})
    switch(lab, 2, False)
    assert snmp("snmpget", lab, "pdu-a", f"{PX}.3.2", f"{PX}.7.2").split() == ["0", "50"]
    assert lab.outlet("pdu-a", 2).closed
    assert lab.state("web") is MachineState.UP


def test_a_cut_in_each_state(lab: Lab) -> None:
    switch(lab, 2, True)
    lab.ledger.wait("mounted", "web")
    lab.press("pdu-a", 2, False)
    lab.ledger.wait("violation", "web")
    switch(lab, 2, True)
    lab.ledger.wait("up", "web")
    lab.shut_down("web")
    lab.ledger.wait("halted", "web")
    assert 0 < lab.outlet("pdu-a", 2).power_w < 5
    switch(lab, 2, False)
    lab.ledger.wait("power", "web", "off", count=2)
    assert len(lab.ledger.cuts_while_mounted()) == 1
    kinds = [entry.kind for entry in lab.ledger.entries(device="web")]
    assert kinds[-5:] == ["shutdown", "services-down", "unmounted", "halted", "power"]


def test_a_first_boot_that_fails(lab: Lab) -> None:
    switch(lab, 3, True)
    lab.ledger.wait("boot-failed", "moody")
    first = lab.boot_id("moody")
    assert lab.state("moody") is MachineState.HUNG
    switch(lab, 3, False)
    lab.ledger.wait("power", "moody", "off")
    switch(lab, 3, True)
    lab.ledger.wait("up", "moody")
    assert lab.boot_id("moody") != first
    assert not lab.ledger.cuts_while_mounted()


def test_order_and_lines(lab: Lab) -> None:
    for outlet, name in ((2, "web"), (1, "nas")):
        switch(lab, outlet, True)
        lab.ledger.wait("up", name)
    assert lab.ledger.order("up") == ["web", "nas"]
    assert len(lab.ledger.lines().splitlines()) == len(lab.ledger)
    with pytest.raises(TimeoutError, match='"kind": "up"'):
        lab.ledger.wait("halted", "web", timeout=0.05)


def test_stuck_and_lying_outlets(lab: Lab) -> None:
    lab.turn("pdu-a", stuck={1}, lie={2})
    assert switch(lab, 1, True) == "1"
    assert switch(lab, 2, True) == "1"
    assert snmp("snmpget", lab, "pdu-a", f"{PX}.3.1", f"{PX}.3.2", f"{PX}.7.2").split() == ["0", "1", "0"]
    assert not lab.ledger.entries("relay")
    assert [(entry.what, entry.detail["applied"]) for entry in lab.ledger.entries("set")] == [
        ("1", False),
        ("2", False),
    ]


def test_a_port_in_fault(lab: Lab) -> None:
    lab.turn("sw-poe", fault={4})
    poe(lab, 4, True)
    assert snmp("snmpget", lab, "sw-poe", f"{POE}.3.1.4", f"{POE}.6.1.4").split() == ["1", "4"]
    lab.turn("sw-poe", fault=set())
    lab.ledger.wait("up", "pi")
    lab.turn("sw-poe", fault={4})
    lab.ledger.wait("power", "pi", "off")


def test_silent_slow_and_lost(lab: Lab) -> None:
    get = ("snmpget", lab, "pdu-a", f"{PX}.3.1")
    lab.turn("pdu-a", silent=True)
    assert "Timeout" in snmp(*get, patience_s="0.5")
    lab.turn("pdu-a", silent=False, slow_s=40)  # two seconds at this speed
    assert "Timeout" in snmp(*get, patience_s="0.5")
    lab.turn("pdu-a", slow_s=2)
    lab.ledger.wait("knob", "pdu-a", "slow_s", count=2)
    lab.turn("pdu-b", lost=1.0)
    assert "Timeout" in snmp("snmpget", lab, "pdu-b", f"{PX}.3.1", patience_s="0.5")
    lab.turn("pdu-b", lost=0)
    assert snmp("snmpget", lab, "pdu-b", f"{PX}.3.1") == "0"


def test_refused_and_applied_in_spite_of_the_error(lab: Lab) -> None:
    lab.turn("pdu-a", refuse=True)
    assert "genErr" in switch(lab, 2, True) or "genError" in switch(lab, 2, True)
    assert not lab.outlet("pdu-a", 2).asked
    lab.turn("pdu-a", refuse=False, error_but_applied=True)
    switch(lab, 2, True)
    lab.ledger.wait("up", "web")


def test_cycle(lab: Lab) -> None:
    switch(lab, 2, True)
    lab.ledger.wait("up", "web")
    lab.shut_down("web")
    lab.ledger.wait("halted", "web")
    snmp("snmpset", lab, "pdu-a", f"{PX}.3.2", "i", "2", community="private")
    lab.ledger.wait("up", "web", count=2)


@pytest.mark.parametrize(
    ("name", "knob", "value"),
    [
        ("pdu-a", "slow", 1),
        ("pdu-a", "lost", 1.5),
        ("pdu-a", "stuck", 3),
        ("web", "ssh_stalls", "kex"),
        ("x", "lost", 0),
    ],
)
def test_a_wrong_knob_is_refused(lab: Lab, name: str, knob: str, value: object) -> None:
    with pytest.raises(KnobError):
        lab.turn(name, silent=True, **{knob: value})
    assert not lab.ledger.entries("knob")


def test_every_knob_is_described() -> None:
    assert set(describe(DeviceKnobs)) == set(DeviceKnobs.__slots__)
    assert set(describe(MachineKnobs)) == set(MachineKnobs.__slots__)


def test_a_spec_with_faults_names_them_all() -> None:
    with pytest.raises(ValueError, match=r"a is there 2 times.*no outlet 9 on a"):
        LabSpec(devices=(PduSpec("a", 8),), machines=(MachineSpec("a", (("a", 9),)),))
