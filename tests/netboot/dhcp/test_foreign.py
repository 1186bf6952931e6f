"""Clients and servers of other people on a wire of namespaces: netboot checklist 27, 29, 37 and 50."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dhcp_site import DISCOVER, OFFER, Reply, mac_of, message, read, until
from netboot_net import Lan, lan
from ockle.netboot.folder import BootFolder
from peers import peer

pytestmark = pytest.mark.peer
ROOT = Path(__file__).resolve().parents[3]
ASK = ROOT / "tests" / "dhcp_ask.py"
BOARD = "52:54:00:0a:00:01"
DEADLINE_S = 20.0


@dataclass
class Server:
    wire: Lan
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def says(self, text: str) -> None:
        """Wait until the log has ``text``."""

        def said() -> bool:
            found = text in self.log
            assert found or self.process.poll() is None, f"not {text!r} but\n{self.log}"
            return found

        until(said)


def prepared(folder: Path, **options: str) -> Path:
    """Write a configuration with one host, and a pool for the others."""
    etc = folder / "etc"
    etc.mkdir(parents=True, exist_ok=True)
    chosen = {
        "interface": "lan", "services": "dhcp", "dhcp_known_only": "false", "dhcp_check": "0", "dhcp_probe": "0",
        "dhcp_pool": "10.214.0.100-10.214.0.199", "dhcp_dns": "10.214.0.1", "dhcp_domain": "rack.test", **options,
    }  # fmt: skip
    lines = "\n".join(f"{name} = {value}" for name, value in chosen.items())
    (etc / "config.ini").write_text(f"[plugins]\nplugins = NetBoot\n[plugins.NetBoot]\n{lines}\n")
    (etc / "hosts.csv").write_text(f"{BOARD};10.214.0.11;board;0\n")
    return etc


def argv(etc: Path) -> list[str]:
    return [sys.executable, "-m", "ockle", "--etc", str(etc), "netboot", "serve"]


@contextmanager
def served(wire: Lan, folder: Path, **options: str) -> Iterator[Server]:
    etc = prepared(folder, **options)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "typings")}
    with (folder / "log").open("wb") as log:
        process = wire.popen(*argv(etc), stdout=log, stderr=log, env=environment)
    server = Server(wire, folder, process)
    try:
        server.says("the boot server is at work")
        yield server
    finally:
        process.terminate()
        process.wait(DEADLINE_S)


@pytest.fixture(scope="module")
def wire() -> Iterator[Lan]:
    with lan() as one:
        yield one


@pytest.fixture
def own() -> Iterator[Lan]:
    """A wire without the server that the other tests share."""
    with lan() as one:
        yield one


@pytest.fixture(scope="module")
def server(wire: Lan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(wire, tmp_path_factory.mktemp("dhcp")) as one:
        yield one


@pytest.fixture(scope="module")
def board(wire: Lan) -> str:
    return wire.host(mac=BOARD)


def exchange(
    wire: Lan, host: str, *messages: bytes, seconds: float = 5.0, replies: int = 0
) -> list[tuple[dict[str, Any], Reply]]:
    """Send messages from a host; return each frame that comes back, and what it holds, until one has come for each."""
    replies = replies or len(messages)
    done = wire.run(sys.executable, ASK, "eth0", seconds, replies, *(one.hex() for one in messages), host=host)
    assert done.returncode == 0, done.stderr
    return [(one, read(bytes.fromhex(one["message"]))) for one in json.loads(done.stdout)]


def test_27_rfc2131_s4_1_broadcast_and_unicast_on_the_wire(server: Server, board: str) -> None:
    ((plain, offer),) = exchange(server.wire, board, message(DISCOVER, BOARD))
    assert (plain["to"], plain["ip"]) == (BOARD, "10.214.0.11")
    assert (plain["from"], plain["source_port"], plain["sound"]) == ("10.214.0.1", 67, True)
    assert (offer.type, offer.yiaddr, len(offer.raw) >= 300) == (OFFER, "10.214.0.11", True)
    ((loud, offer),) = exchange(server.wire, board, message(DISCOVER, BOARD, flags=0x8000))
    assert (loud["to"], loud["ip"], loud["sound"]) == ("ff:ff:ff:ff:ff:ff", "255.255.255.255", True)
    assert (offer.type, offer.flags) == (OFFER, 0x8000)


def test_udhcpc_gets_its_lease_renews_it_and_gives_it_back(server: Server, board: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(
        '#!/bin/sh\necho "$1 ip=$ip mask=$mask router=$router dns=$dns domain=$domain lease=$lease $siaddr"\n'
    )
    script.chmod(0o755)
    done = server.wire.run(
        peer("udhcpc"),
        "-i",
        "eth0",
        "-f",
        "-n",
        "-q",
        "-R",
        "-t",
        "3",
        "-T",
        "1",
        "-s",
        script,
        "-O",
        "domain",
        host=board,
    )
    assert "bound ip=10.214.0.11 mask=24 router=10.214.0.1 dns=10.214.0.1 domain=rack.test lease=3600" in done.stdout


def test_dhclient_gets_its_lease_and_gives_it_back(server: Server, wire: Lan, tmp_path: Path) -> None:
    host = wire.host(mac="52:54:00:0a:00:02")
    script = tmp_path / "script"
    script.write_text('#!/bin/sh\n[ "$reason" = BOUND ] && ip address add $new_ip_address/24 dev eth0\nexit 0\n')
    script.chmod(0o755)
    files = ["-lf", tmp_path / "leases", "-pf", tmp_path / "pid", "-sf", script, "-cf", "/dev/null"]
    done = wire.run(peer("dhclient"), "-4", "-1", "-v", *files, "eth0", host=host)
    given = re.search(r"bound to (\S+)", done.stderr)
    assert given is not None, done.stderr
    assert given[1].startswith("10.214.0.1")
    released = wire.run(peer("dhclient"), "-4", "-r", "-v", *files, "eth0", host=host)
    assert "DHCPRELEASE" in released.stderr


def test_nmap_finds_the_server_and_what_it_tells(server: Server, wire: Lan) -> None:
    host = wire.host("10.214.0.251")  # nmap looks at no interface without an address
    script = ["--script", "broadcast-dhcp-discover", "--script-args", "broadcast-dhcp-discover.timeout=1"]
    done = wire.run(peer("nmap"), "-n", *script, "-e", "eth0", host=host)
    assert "DHCP Message Type: DHCPOFFER" in done.stdout, done.stdout
    assert "Server Identifier: 10.214.0.1" in done.stdout
    assert "Domain Name: rack.test" in done.stdout


def test_dhcping_is_answered(server: Server, wire: Lan) -> None:
    host = wire.host("10.214.0.11", mac="52:54:00:0a:00:03")
    arguments = ["-c", "10.214.0.11", "-s", wire.ADDRESS, "-h", BOARD, "-t", "5"]
    done = wire.run(peer("dhcping"), *arguments, host=host)
    assert (done.returncode, done.stdout.strip()) == (0, f"Got answer from: {wire.ADDRESS}"), done.stdout + done.stderr
    informed = wire.run(peer("dhcping"), "-i", *arguments, host=host)
    assert informed.returncode == 0, informed.stdout + informed.stderr


def test_perfdhcp_loses_nothing(server: Server, wire: Lan) -> None:
    host = wire.host("10.214.0.250")
    done = wire.run(
        peer("perfdhcp"),
        "-4",
        "-l",
        "eth0",
        "-r",
        "100",
        "-R",
        "50",
        "-p",
        "1",
        "-W",
        "2000000",
        wire.ADDRESS,
        host=host,
    )
    sent = re.findall(r"sent packets: (\d+)", done.stdout)
    dropped = re.findall(r"drops: (-?\d+)", done.stdout)
    assert len(sent) == 2 and all(int(one) > 10 for one in sent), done.stdout + done.stderr
    assert dropped == ["0", "0"], done.stdout


def test_37_rfc5227_an_address_in_use_is_passed_over_and_nobody_else_waits(own: Lan, tmp_path: Path) -> None:
    squatter = own.host("10.214.0.150", mac="52:54:00:0a:00:66")
    client = own.host(mac="52:54:00:0a:00:04")
    with served(own, tmp_path, dhcp_probe="500ms", dhcp_pool="10.214.0.150-10.214.0.159") as server:
        news = [message(DISCOVER, mac_of(number)) for number in range(4)]
        found = exchange(own, client, *news, message(DISCOVER, BOARD))
        offers = {reply.mac: (reply.yiaddr, one["at"]) for one, reply in found}
        assert len(offers) == 5
        address, at = offers.pop(BOARD.upper())
        assert address == "10.214.0.11"
        assert {address for address, _at in offers.values()} == {f"10.214.0.15{number}" for number in (1, 2, 3, 4)}
        late = sorted(late for _address, late in offers.values())
        assert at < late[0], "who has an address of its own does not wait"
        assert late[0] > 0.4
        assert late[-1] - late[0] < 1.2, "they wait at the same time, not one after the other"
        server.says("52:54:00:0A:00:66 uses 10.214.0.150 of dhcp_pool without a lease")
        own.run("ip", "address", "add", "10.214.0.11/24", "dev", "eth0", host=squatter)
        exchange(own, client, message(DISCOVER, BOARD))
        server.says("52:54:00:0A:00:66 uses the address 10.214.0.11, which is that of board")


@contextmanager
def dnsmasq(wire: Lan, folder: Path, *options: str) -> Iterator[None]:
    """Run another DHCP server on the wire, at 10.214.0.2."""
    host = wire.host("10.214.0.2")
    command = [
        peer("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--no-ping", "--user=root",
        "--interface=eth0", "--bind-interfaces", "--leasefile-ro", "--dhcp-range=10.214.0.20,10.214.0.29,1h",
        "--log-facility=-", f"--pid-file={folder}/dnsmasq.pid", *options,
    ]  # fmt: skip
    process = wire.popen(*command, host=host, stderr=subprocess.PIPE)
    try:
        assert process.stderr is not None
        while b"IP range" not in process.stderr.readline():
            assert process.poll() is None
        yield
    finally:
        process.terminate()
        process.communicate(timeout=DEADLINE_S)


def test_29_beside_another_server_it_starts_only_when_told(own: Lan, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "typings")}
    client = own.host(mac="52:54:00:0a:00:05")
    with dnsmasq(own, tmp_path, f"--dhcp-host={BOARD},ignore"):
        etc = prepared(tmp_path, dhcp_check="30s")
        refused = subprocess.run(  # in less time than it would listen: the first answer decides
            own.inside(*argv(etc)), capture_output=True, text=True, timeout=28, check=False, env=environment
        )
        assert refused.returncode != 0
        assert "another DHCP server answers on lan: 10.214.0.2" in refused.stderr
        assert "Traceback" not in refused.stderr
        with served(own, tmp_path, dhcp_beside="true", dhcp_check="4s"):
            found = exchange(
                own, client, *[message(DISCOVER, mac, flags=0x8000) for mac in (BOARD, "52:54:00:0a:00:05")]
            )
            ours = {reply.mac: one["from"] for one, reply in found}
            assert ours[BOARD.upper()] == "10.214.0.1"
            script = tmp_path / "script"
            script.write_text('#!/bin/sh\necho "$1 ip=$ip serverid=$serverid"\n')
            script.chmod(0o755)
            for _ in range(2):
                udhcpc = [peer("udhcpc"), "-i", "eth0", "-f", "-n", "-q", "-t", "3", "-T", "1", "-s", script]
                done = own.run(*udhcpc, host=client)
                assert re.search(r"bound ip=10.214.0.\d+ serverid=10.214.0.[12]\n", done.stdout), (
                    done.stdout + done.stderr
                )


def test_29_a_server_that_comes_later_is_told(own: Lan, tmp_path: Path) -> None:
    client = own.host(mac="52:54:00:0a:00:06")
    with served(own, tmp_path) as server, dnsmasq(own, tmp_path):
        exchange(own, client, message(DISCOVER, "52:54:00:0a:00:06", flags=0x8000), seconds=1)
        server.says("another DHCP server, 10.214.0.2, answers on lan")
        live = BootFolder(tmp_path / "var")
        until(lambda: "10.214.0.2" in live.read_live()["services"].get("dhcp", {}).get("problem", ""))


def test_50_proxydhcp_beside_dnsmasq(own: Lan, tmp_path: Path) -> None:
    pxe = {60: b"PXEClient:Arch:00000:UNDI:002001", 93: b"\0\0", 97: b"\0" + b"m" * 16}
    client = own.host(mac="52:54:00:0a:00:07")
    options = {"dhcp_mode": "proxy", "dhcp_boot_bios": "pxelinux.0"}
    with dnsmasq(own, tmp_path), served(own, tmp_path, **options):
        asked = message(DISCOVER, "52:54:00:0a:00:07", pxe, flags=0x8000)
        found = exchange(own, client, asked, replies=2)
        told = {one["from"]: reply for one, reply in found}
        assert told["10.214.0.2"].yiaddr.startswith("10.214.0.2")
        assert told["10.214.0.1"].yiaddr == "0.0.0.0"
        assert told["10.214.0.1"].options[67] == b"pxelinux.0"


def test_another_interface_of_the_machine_is_not_answered(server: Server, wire: Lan) -> None:
    there = wire.host(mac="52:54:00:0a:00:08")
    wire.run("ip", "link", "set", f"p{len(wire.hosts)}", "nomaster")  # the same machine, but not the bridge
    assert exchange(wire, there, message(DISCOVER, BOARD, flags=0x8000), seconds=0.7) == []


def test_one_port_and_two_servers_is_one_clear_line(server: Server, wire: Lan, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "typings")}
    command = wire.inside(*argv(prepared(tmp_path)))
    refused = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, check=False, env=environment)
    assert refused.returncode != 0
    assert "cannot listen on UDP port 67 of lan for DHCP" in refused.stderr
    assert "Traceback" not in refused.stderr
