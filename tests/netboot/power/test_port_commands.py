"""Which board hangs where: found in the switch's tables, and by taking the power of ports away one after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from board_lab import HOST, MACS, boards, site
from ockle.commands.netboot import port_mapping, port_power, switch_ports
from ockle.common.CommunicationMessage import Message
from ockle.MainDaemon import MainDaemon
from ockle.simulator.lab import Lab
from own_daemon import ask, running, until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switch_ports, "OFF_S", 0.3)
    monkeypatch.setattr(switch_ports, "SETTLE_S", 2.0)
    monkeypatch.setattr(port_mapping, "LOOK_EVERY_S", 0.2)
    monkeypatch.setattr(port_power, "RETRY_S", 0.2)
    monkeypatch.setattr(port_power, "KEEP_S", 0.5)


@pytest.fixture
def lab() -> Iterator[Lab]:
    """pi1 is a server; pi2 and pi3 are on, pi4 is off; port 5 and 6 are empty."""
    with boards(["pi1", "pi2", "pi3", "pi4"]) as lab:
        for port in (1, 2, 3):
            lab.press("sw", port, True)
        yield lab


@pytest.fixture
def daemon(lab: Lab, tmp_path: Path) -> Iterator[MainDaemon]:
    with running(site(tmp_path / "etc", lab, {"pi1": ""}, hosts=f"{MACS['pi1']};{HOST['pi1']};pi1;0\n")) as daemon:
        until(lambda: seen(daemon, "pi3"))
        yield daemon


def refused(daemon: MainDaemon, command: str, **data: Any) -> str:
    reply = daemon.communicationHandler.handleMessage(Message(command, data))
    assert reply.error is not None, reply.data
    return f"{reply.error['code']}: {reply.error['message']}"


def seen(daemon: MainDaemon, name: str) -> bool:
    return daemon.communicationHandler.handleMessage(Message("netbootFindPort", {"mac": MACS[name]})).error is None


def finished(daemon: MainDaemon, number: int) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        job = ask(daemon, "netbootMapping", id=number)
        return job if job["state"] != "running" else None

    found = until(look)
    assert found is not None
    return found


def rows(job: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {row["port"]: (row["state"], row["mac"] or row["text"]) for row in job["rows"]}


def test_a_port_is_found_and_nothing_is_switched(daemon: MainDaemon, lab: Lab) -> None:
    found = ask(daemon, "netbootFindPort", board="pi1")
    assert (found["switch"], found["port"], found["poe"]) == ("sw", "gi1/0/1", "1.1")
    assert (found["if_index"], found["bridge_port"], found["vlans"], found["macs"]) == (1001, 1, [9], 1)
    assert (found["mac"], found["board"], found["servers"], found["mismatch"]) == (MACS["pi1"], "pi1", ["pi1"], "")
    assert ask(daemon, "netbootFindPort", mac=MACS["pi2"].lower(), pdu="sw")["servers"] == []
    assert refused(daemon, "netbootFindPort", mac=MACS["pi4"]).startswith("not_found: no port of sw, sw2 has learned")
    assert refused(daemon, "netbootFindPort", mac="B8:27").startswith("bad_request: ")
    assert refused(daemon, "netbootFindPort", mac=MACS["pi2"], pdu="nope") == "not_found: there is no PDU nope"
    assert refused(daemon, "netbootFindPort") == "bad_request: board or mac is missing"
    assert not [entry for entry in lab.ledger.entries() if entry.kind == "set"]


def test_a_board_that_hangs_on_another_port_than_its_server_is_told(lab: Lab, tmp_path: Path) -> None:
    etc = site(tmp_path / "etc", lab, {"pi1": ""})
    server = etc / "servers" / "pi1.ini"
    server.write_text(server.read_text().replace("board = pi1", "board = pi2"))
    with running(etc) as daemon:
        until(lambda: seen(daemon, "pi2"))
        found = ask(daemon, "netbootFindPort", board="pi2")
        assert found["mismatch"] == "its server pi1 is fed by sw group 1 port 1, says its file"


def test_an_address_at_two_ports_is_an_alarm_and_no_port(daemon: MainDaemon, lab: Lab) -> None:
    lab.learn("sw2", 1, MACS["pi2"])
    text = refused(daemon, "netbootFindPort", mac=MACS["pi2"])
    assert text.startswith(f"conflict: {MACS['pi2']} was learned at sw gi1/0/2 (1 address) and sw2 gi1/0/1 (1 address)")
    assert any(event.text.startswith("alarm: ") and event.kind == "netboot" for event in daemon.events.since(0))


def test_ports_are_mapped_one_by_one_and_are_as_they_were(daemon: MainDaemon, lab: Lab, tmp_path: Path) -> None:
    assert refused(daemon, "netbootMapPorts", pdu="sw") == (
        "refused: this cuts the power of 5 ports of sw, one by one: confirm = 'sw'"
    )
    shown = ask(daemon, "netbootMapPorts", pdu="sw", dry_run=True)
    assert shown["rows"][0]["text"] == "feeds pi1"
    assert not [entry for entry in lab.ledger.entries() if entry.kind == "set"]
    job = ask(daemon, "netbootMapPorts", pdu="sw", confirm="sw", write=True, wait_s=2, ports=["1-5", 9])
    assert refused(daemon, "netbootMapPorts", pdu="sw", confirm="sw").startswith("refused: the ports of sw are being")
    done = finished(daemon, job["id"])
    assert rows(done) == {
        "1.1": ("left out", "feeds pi1"),
        "1.2": ("found", MACS["pi2"]),
        "1.3": ("found", MACS["pi3"]),
        "1.4": ("found", MACS["pi4"]),
        "1.5": ("nothing came", ""),
        "1.9": ("left out", "the switch has no such PoE port"),
    }
    assert [lab.outlet("sw", port).asked for port in range(1, 7)] == [True, True, True, False, False, False]
    hosts = (tmp_path / "etc/hosts.csv").read_text()
    assert hosts.startswith(f"{MACS['pi1']};{HOST['pi1']};pi1;0\n")
    assert f"{MACS['pi3']};0.0.0.0;sw-3;0\n" in hosts
    assert json.loads((tmp_path / "var/netboot/ports.json").read_text())["owed"] == []
    assert not [entry for entry in lab.ledger.entries() if (entry.kind, entry.what) == ("set", "1")]


def test_a_board_without_a_server_loses_its_power_at_its_port_only(
    daemon: MainDaemon, lab: Lab, tmp_path: Path
) -> None:
    (tmp_path / "etc/hosts.csv").write_text("".join(f"{MACS[name]};;{name};0\n" for name in ("pi1", "pi2", "pi4")))
    assert "it is not known at which port it hangs" in refused(daemon, "netbootRestart", board="pi2", confirm="pi2")
    ask(daemon, "netbootFindPort", board="pi2")
    boot = lab.boot_id("pi2")
    assert (
        refused(daemon, "netbootRestart", board="pi2")
        == "refused: this cuts the power of pi2, unasked: confirm = 'pi2'"
    )
    assert ask(daemon, "netbootRestart", board="pi2", dry_run=True)["confirm"] == "pi2"
    assert lab.boot_id("pi2") == boot
    assert ask(daemon, "netbootRestart", board="pi2", confirm="pi2") == {"cycled": "sw 1.2"}
    until(lambda: lab.boot_id("pi2") != boot)
    assert lab.outlet("sw", 2).asked
    # it has not been seen since: the switches cannot confirm where it hangs
    lab.press("sw", 2, False)
    until(lambda: not lab.outlet("sw", 2).closed)
    assert "no port of sw, sw2 has learned" in refused(daemon, "netbootRestart", board="pi2", confirm="pi2")
    assert ask(daemon, "netbootRestart", board="pi2", confirm="pi2", force=True) == {"cycled": "sw 1.2"}
    assert lab.outlet("sw", 2).asked  # restarted, it is on
    # it has been moved to another port
    lab.press("sw", 2, False)
    until(lambda: not lab.outlet("sw", 2).closed)
    lab.learn("sw", 5, MACS["pi2"])
    text = refused(daemon, "netbootRestart", board="pi2", confirm="pi2", force=True)
    assert text == "refused: pi2 hangs at sw gi1/0/5 by now, it was at sw 1.2: find its port anew"


def test_a_port_that_feeds_a_server_is_the_engines(daemon: MainDaemon, lab: Lab) -> None:
    at = lab.endpoints["sw"]
    where: dict[str, Any] = {"host": f"{at.host}:{at.ports['snmp']}", "group": 1}
    assert ask(daemon, "netbootCyclePort", **where, port=1, dry_run=True)["board"] == "pi1"
    assert "confirm = 'sw 1.1'" in refused(daemon, "netbootCyclePort", **where, port=1)
    text = refused(daemon, "netbootCyclePort", **where, port=1, confirm="sw 1.1")
    assert text == "refused: not switched: sw group 1 port 1 feeds pi1: restart the server"
    assert not [entry for entry in lab.ledger.entries() if entry.kind == "set"]


def test_a_job_that_is_cancelled_gives_the_power_back(daemon: MainDaemon, lab: Lab) -> None:
    job = ask(daemon, "netbootMapPorts", pdu="sw", confirm="sw", ports=["5", "2-3"], wait_s=600)
    until(lambda: ask(daemon, "netbootMapping")["rows"][0]["state"] == "looking who comes")
    done = ask(daemon, "netbootCancelMapping", id=job["id"])
    assert done["state"] == "cancelled"
    assert {row["state"] for row in done["rows"]} == {"cancelled"}
    assert [lab.outlet("sw", port).asked for port in range(1, 7)] == [True, True, True, False, False, False]


def test_a_port_that_does_not_obey_ends_itself_and_not_the_job(daemon: MainDaemon, lab: Lab) -> None:
    lab.turn("sw", stuck={2})
    job = ask(daemon, "netbootMapPorts", pdu="sw", confirm="sw", ports=["2-3"], wait_s=5)
    done = finished(daemon, job["id"])
    assert rows(done)["1.2"][0] == "failed"
    assert "still shows on after 2 s" in rows(done)["1.2"][1]
    assert rows(done)["1.3"] == ("found", MACS["pi3"])


def test_a_switch_that_is_silent_meanwhile_gives_the_power_back_later(
    daemon: MainDaemon, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(port_power, "TRIES", 1)
    job = ask(daemon, "netbootMapPorts", pdu="sw", confirm="sw", ports=[2], wait_s=60)
    until(lambda: not lab.outlet("sw", 2).asked)
    lab.turn("sw", silent=True)
    done = finished(daemon, job["id"])
    assert done["rows"][0]["state"] == "failed"
    owed = tmp_path / "var/netboot/ports.json"
    assert len(json.loads(owed.read_text())["owed"]) == 1
    assert not lab.outlet("sw", 2).asked
    lab.turn("sw", silent=False)
    until(lambda: lab.outlet("sw", 2).asked)
    until(lambda: json.loads(owed.read_text())["owed"] == [])


def test_a_daemon_that_stops_gives_the_power_back(lab: Lab, tmp_path: Path) -> None:
    with running(site(tmp_path / "etc", lab, {"pi1": ""})) as daemon:
        ask(daemon, "netbootMapPorts", pdu="sw", confirm="sw", ports=[2], wait_s=600)
        until(lambda: not lab.outlet("sw", 2).asked)
    assert lab.outlet("sw", 2).asked
    assert json.loads((tmp_path / "var/netboot/ports.json").read_text())["owed"] == []


def test_a_port_that_a_killed_daemon_left_off_gets_its_power_from_the_next(lab: Lab, tmp_path: Path) -> None:
    owed = [{"pdu": "sw", "group": 1, "port": 3}, {"pdu": "gone", "group": 1, "port": 1}]
    folder = tmp_path / "var/netboot"
    folder.mkdir(parents=True)
    (folder / "ports.json").write_text(json.dumps({"ports": {}, "owed": owed}))
    lab.press("sw", 3, False)
    with running(site(tmp_path / "etc", lab, {"pi1": ""})):
        until(lambda: lab.outlet("sw", 3).asked)
        until(lambda: json.loads((folder / "ports.json").read_text())["owed"] == [])


def test_an_installation_that_cannot_begin_stays_wanted_and_says_so(daemon: MainDaemon, lab: Lab) -> None:
    boot = lab.boot_id("pi1")
    assert "confirm = 'pi1'" in refused(daemon, "netbootReinstall", board="pi1")
    assert "there is no image 'none.tgz'" in refused(daemon, "netbootReinstall", board="pi1", image="none.tgz")
    assert "there is no image '../hosts.csv'" in refused(daemon, "netbootReinstall", board="pi1", image="../hosts.csv")
    assert ask(daemon, "netbootBoard", board="pi1")["board"]["reinstall"] == ""
    daemon.engine.core.safe_mode = "somebody has to look"
    text = refused(daemon, "netbootReinstall", board="pi1", confirm="pi1")
    assert text.startswith("refused: pi1 is marked to be installed anew, and is not restarted: safe mode:")
    assert text.endswith("It is installed at its next boot, unless: ockle netboot keep pi1")
    assert ask(daemon, "netbootBoard", board="pi1")["board"]["reinstall"] == "wanted"
    assert lab.boot_id("pi1") == boot
    assert ask(daemon, "netbootKeep", board="pi1")["dropped"] is True
    assert ask(daemon, "netbootKeep", board="pi1")["dropped"] is False
