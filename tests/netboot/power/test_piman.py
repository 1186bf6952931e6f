"""piman's command lines: what they switch, and that nothing else is; its files, and a site made of them."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import textwrap
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from board_lab import MACS, SERVER_AT, boards, site
from e2e import Result, ockle
from ockle.cli import piman_mapper, piman_power
from ockle.commands.netboot import port_mapping, switch_ports
from ockle.common.clock import SystemClock
from ockle.common.errors import ConfigError
from ockle.config.site import load_site
from ockle.netboot.boards import Boards
from ockle.netboot.host_book import HostBook
from ockle.netboot.piman import ReinstallFile, parse_piman, read_piman
from ockle.netboot.stages import MarkState
from ockle.plugins.SocketListener import SocketListener
from ockle.simulator.board import BootServerAt
from ockle.simulator.lab import Lab
from own_daemon import ask, running, until
from peers import free_port
from socket_site import port_of

YAML = f"""\
private_number: 9
server_address: {SERVER_AT}
subnet_mask: 255.0.0.0
interface: lo
switch_count: 1
switches:
  - switch_address: 127.0.10.1
    pi_addresses: [127.0.9.1]
dns_domain: pis.example
"""
HOSTS = f"{MACS['pi1']};127.0.9.1;pi1;0\n{MACS['pi2']};127.0.9.11;pi2;1573000000\n"


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Two boards on the ports 1 and 2, both on; the switch has twelve ports."""
    with boards(["pi1", "pi2"], extra=10) as lab:
        for port in (1, 2):
            lab.press("sw", port, True)
        yield lab


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """piman's folder, as the current one."""
    folder = tmp_path / "piman"
    (folder / "install" / "boot").mkdir(parents=True)
    (folder / "piman.yaml").write_text(YAML)
    (folder / "hosts.csv").write_text(HOSTS)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(piman_power, "OFF_S", 0.1)
    monkeypatch.setattr(piman_mapper, "WAIT_S", 5.0)
    monkeypatch.setattr(piman_mapper, "LOOK_EVERY_S", 0.1)
    return folder


def switch(lab: Lab) -> str:
    at = lab.endpoints["sw"]
    return f"{at.host}:{at.ports['snmp']}"


def piman(*words: str, port: int = 1) -> Result:
    """Run it; without a daemon where ``port`` is not given."""
    return ockle("piman", *words, port=port)


def cycle(lab: Lab, port: int) -> None:
    lab.press("sw", port, False)
    until(lambda: not lab.outlet("sw", port).closed)
    lab.press("sw", port, True)


def sets(lab: Lab) -> list[tuple[str, bool]]:
    return [(entry.what, entry.detail["value"]) for entry in lab.ledger.entries() if entry.kind == "set"]


# -- what is switched


@given(st.lists(st.sampled_from(["restart", "reinstall", "mapper", "10", "sw", "1", "config", "server"]), max_size=3))
def test_too_few_words_switch_nothing(words: list[str]) -> None:
    enough = (words[:1] == ["server"] and len(words) == 1) or (len(words) == 4)
    if not enough:
        found = piman(*words)
        assert found.code == 1
        assert "Insufficient amount of arguments" in found.err or "piman has no" in found.err


def test_a_port_of_two_digits_is_one_port(lab: Lab, folder: Path) -> None:
    done = piman("restart", switch(lab), "1", "10")
    assert done.code == 0, done.err
    assert sets(lab) == [("10", False), ("10", True)]
    assert lab.outlet("sw", 10).asked
    assert piman("restart", switch(lab), "1", "x").code == 1
    assert piman("restart", switch(lab), "1", "0").code == 1
    assert piman("burn").code == 1
    assert len(sets(lab)) == 2


def test_a_port_that_does_not_come_on_again_is_told(lab: Lab, folder: Path) -> None:
    lab.turn("sw", stuck={3})
    done = piman("restart", switch(lab), "1", "3")
    assert done.code != 0 and "was set to 1, and shows 2" in done.err


def test_reinstall_marks_one_pi_and_keeps_the_lines_of_others(lab: Lab, folder: Path) -> None:
    (folder / "reinstall.txt").write_text("127.0.9.11\n")
    done = piman("reinstall", switch(lab), "1", "1")
    assert done.code == 0, done.err
    assert (folder / "reinstall.txt").read_text() == "127.0.9.11\n127.0.9.1\n"
    assert sets(lab) == [("1", False), ("1", True)]
    nobody = piman("reinstall", switch(lab), "1", "5")
    assert "knows no host with the address 127.0.9.5" in nobody.err
    assert len(sets(lab)) == 2  # not marked, so not switched either


def test_the_file_of_reinstallations_is_honoured_once_and_by_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "reinstall.txt"
    (tmp_path / "hosts.csv").write_text(HOSTS)
    known = Boards(tmp_path / "boards.db", SystemClock())
    marks = ReinstallFile(path, HostBook(tmp_path / "hosts.csv"), known)
    marks.take()  # there is none
    path.write_text("127.0.9.11\nnonsense\n127.0.9.111\n")
    marks.take()
    board = known.get(MACS["pi2"])
    assert board is not None and board.reinstall is MarkState.WANTED
    assert known.get(MACS["pi1"]) is None  # whose address is the beginning of both
    assert path.read_text() == "nonsense\n127.0.9.111\n"
    known.take_reinstall(MACS["pi2"])
    known.confirm_reinstall(MACS["pi2"])
    marks.take()
    board = known.get(MACS["pi2"])
    assert board is not None and board.reinstall is MarkState.NONE
    known.close()


def test_mapper_says_who_is_at_each_port_with_whole_addresses(lab: Lab, folder: Path) -> None:
    done = piman("--file", "found.csv", "mapper", switch(lab), "1", "2", "1")
    assert done.code == 0, done.err
    at = switch(lab)
    rows = [f"{at},{MACS['pi2']};2", f"{at},{MACS['pi1']};1"]
    assert done.out.splitlines() == ["['SWITCH ADDRESS,MAC ADDRESS;PORT']", *rows]
    assert (folder / "mac_mapper.txt").read_text() == "".join(f"{row}\n" for row in rows)
    assert (folder / "found.csv").read_text() == f"{MACS['pi2']};2\n{MACS['pi1']};1\n"
    assert lab.outlet("sw", 1).asked and lab.outlet("sw", 2).asked


def test_the_daemon_switches_where_it_knows_the_switch(
    lab: Lab, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switch_ports, "OFF_S", 0.2)
    monkeypatch.setattr(port_mapping, "LOOK_EVERY_S", 0.2)
    socket = "[plugins.SocketListener]\nport = 0"
    etc = site(tmp_path / "etc", lab, {"pi1": ""}, hosts=HOSTS, plugins=", SocketListener", options=socket)
    with running(etc) as daemon:
        listener = daemon.plugins["SocketListener"]
        assert isinstance(listener, SocketListener)
        port = port_of(listener)
        until(lambda: lab.outlet("sw", 2).closed)
        done = piman("restart", switch(lab), "1", "2", port=port)
        assert done.code == 0, done.err
        assert "sw 1.2: off for a moment, by the daemon" in done.out
        assert sets(lab) == [("2", False), ("2", True)]
        mapped = piman("mapper", switch(lab), "1", "2", "1", port=port)
        assert mapped.code == 1 and "feeds pi1" in mapped.err  # the engine's business
        assert (folder / "mac_mapper.txt").read_text() == f"{switch(lab)},{MACS['pi2']};2\n"
        assert ask(daemon, "netbootCyclePort", host="10.1.1.1", group=1, port=1)["pdu"] == ""
        assert ("1", False) not in sets(lab)


# -- its files


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "it has to be a list of KEY: VALUE"),
        ("{", "no YAML"),
        ("private_number: nine\n", "private_number is 'nine'"),
        ("private_number: true\n", "private_number is True"),
        ("server_address: 10.0.0\n", "server_address is '10.0.0': an IPv4 address is needed"),
        ("interface: 5\n", "interface is 5"),
        ("switches: [{switch_address: here}]\n", "switches: 'here' is no IPv4 address"),
        ("switches: 5\n", "switches has to be a list"),
    ],
)
def test_what_is_wrong_in_piman_yaml_is_named(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "piman.yaml").write_text(text)
    with pytest.raises(ConfigError, match=re.escape(reason)):
        read_piman(tmp_path / "piman.yaml")


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["private_number", "server_address", "interface", "switches", "switch_address", "x"]),
                inner,
            )
        ),
    )
)
def test_whatever_piman_yaml_holds_is_read_or_refused(found: object) -> None:
    with contextlib.suppress(ConfigError):
        parse_piman(found)


def test_a_site_is_made_of_its_files(folder: Path, tmp_path: Path) -> None:
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "config.ini").write_text("# mine\n[main]\npoll_interval = 7s # often\n[plugins]\nplugins = AutoControl\n")
    done = piman("--etc", str(etc), "config", "rack", "piman.yaml", "hosts.csv")
    assert done.code == 0, done.err
    assert "2 hosts" in done.out and "Open the GUI for editing" in done.out
    assert "dns_domain was not taken over" in done.err
    found = load_site(etc)
    assert found.faults == []
    assert found.plugins == ["AutoControl", "NetBoot"]
    boot = found.plugin_settings["NetBoot"]
    assert (boot["interface"], boot["address"], boot["dhcp_lease"]) == ("lo", SERVER_AT, 600.0)
    assert boot["root"] == str(folder / "install" / "boot")
    pdu = found.pdus["rack"]
    assert (pdu.type, pdu.settings["host"], pdu.settings["version"]) == ("PoE", "127.0.10.1", "1")
    assert pdu.settings["write_community"].reveal() == "private@9"
    assert "# mine" in (etc / "config.ini").read_text() and "# often" in (etc / "config.ini").read_text()
    assert (etc / "hosts.csv").read_text() == HOSTS
    again = piman("--etc", str(etc), "config", "rack", "piman.yaml", "hosts.csv")
    assert again.code == 0, again.err
    (folder / "hosts.csv").write_text(HOSTS.replace("pi2", "other"))
    other = piman("--etc", str(etc), "config", "rack", "piman.yaml", "hosts.csv")
    assert other.code == 1 and "is there already and says otherwise" in other.err
    assert (etc / "hosts.csv").read_text() == HOSTS
    (folder / "hosts.csv").write_text("not a host\n")
    assert "line 1" in piman("--etc", str(etc), "config", "rack", "piman.yaml", "hosts.csv").err
    assert piman("--etc", str(etc), "config", "../rack", "piman.yaml", "hosts.csv").code == 1


def test_the_server_serves_its_files_and_honours_reinstall_txt_once(lab: Lab, folder: Path) -> None:
    ports = {"dhcp": free_port("udp"), "tftp": free_port("udp"), "hello": free_port("tcp"), "root": free_port("tcp")}
    boot = folder / "install" / "boot"
    (boot / "bootcode.bin").write_bytes(b"first stage")
    image = b"\x1f\x8b" + bytes(99_999)
    (boot / "rootfs.tgz").write_bytes(image)
    (folder / "reinstall.txt").write_text("127.0.9.1\n")
    options = {f"{name}_port": ports[key] for name, key in (("dhcp", "dhcp"), ("tftp", "tftp"), ("install", "hello"))}
    options |= {
        "install_root_port": ports["root"],
        "install_get_port": 0,
        "ntp_port": 0,
        "dhcp_check": 0,
        "dhcp_probe": 0,
    }
    code = f"from ockle.cli.piman_server import serve; serve('piman.yaml', 'hosts.csv', **{options!r})"
    server = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None and "tftp" in server.stdout.readline()
        lab.boot_from(BootServerAt(SERVER_AT, **ports))
        for name, port in (("pi1", 1), ("pi2", 2)):
            cycle(lab, port)
            lab.ledger.wait("up", name)
        assert lab.board("pi1").image_crc == zlib.crc32(image)
        assert lab.board("pi2").image_crc == 0  # its address begins with that of the other one
        assert (folder / "reinstall.txt").read_text() == ""
        cycle(lab, 1)
        until(
            lambda: len([entry for entry in lab.ledger.entries() if (entry.kind, entry.device) == ("up", "pi1")]) == 2
        )
        assert len([entry for entry in lab.ledger.entries() if entry.kind == "installed"]) == 1
    finally:
        server.terminate()
        assert server.wait(20) == 0
        assert server.stdout is not None
        server.stdout.close()
    assert list((folder / "logs").glob("ockle-*.log"))
