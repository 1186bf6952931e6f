"""Bad input to the whole boot server, while stock clients boot from it: it goes on, and gives nobody what is another's.

What one service does with one kind of nonsense is in the tests of that service.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from netboot_net import Lan, lan
from netboot_served import Served, served
from peers import peer

HOSTILE = Path(__file__).parents[2] / "netboot_hostile.py"
MAC, MAC2 = "52:54:00:00:01:01", "52:54:00:00:01:02"
ADDRESS = "10.214.0.51"
KERNEL = random.Random(1).randbytes(700_000)
ROOT = random.Random(2).randbytes(900_000)
# a board with nothing but busybox: its files, then the hello protocol as piman's client speaks it, in one line each
BOOT = """cd "$1" && rm -f kernel rootfs
{busybox} tftp -g -r kernel -l kernel {server} || exit 1
install() {{ {busybox} nc {server} 4444 >rootfs; }}
hello() {{ printf 'IS_UNINSTALLED\\n'; sleep 0.4; install; printf 'IS_FORMATTED\\n'; sleep 0.2; }}
hello | {busybox} nc {server} 3333 >told
cat told
"""

pytestmark = [pytest.mark.peer, pytest.mark.slow, pytest.mark.timeout(150)]


@pytest.fixture
def wire() -> Iterator[Lan]:
    peer("busybox")
    with lan() as made:
        yield made


def fill(server: Served) -> None:
    (server.boot / "kernel").write_bytes(KERNEL)
    (server.images / "rootfs.tgz").write_bytes(ROOT)


def boot(server: Served, host: str, folder: Path) -> str:
    """Have a board load everything; return what it was told."""
    folder.mkdir(exist_ok=True)
    script = BOOT.format(busybox=peer("busybox"), server=server.wire.ADDRESS)
    done = server.wire.run("sh", "-c", script, "sh", folder, host=host, timeout=60)
    assert done.returncode == 0, f"{done.stderr}\n{server.said[-2000:]}"
    for name, expected in (("kernel", KERNEL), ("rootfs", ROOT)):
        found = (folder / name).read_bytes()
        assert hashlib.sha256(found).digest() == hashlib.sha256(expected).digest(), f"{name}: {len(found)} bytes"
    return done.stdout


def memory_mb(pid: int) -> float:
    return int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[0]) / 1024


def test_nonsense_on_every_port_at_once_while_a_board_boots(wire: Lan, tmp_path: Path) -> None:
    board, hostile = wire.host(mac=MAC), wire.host("10.214.0.99")
    with served(wire, tmp_path, f"{MAC};{ADDRESS};board;0\n") as server:
        fill(server)
        assert server.ask_address(board) == ADDRESS
        boot(server, board, tmp_path / "board")
        before, lines = memory_mb(server.process.pid), len(server.said.splitlines())
        words = (sys.executable, HOSTILE, wire.ADDRESS, MAC, 5, 5)
        with wire.popen(*words, host=hostile, stdout=subprocess.PIPE) as attack:
            boots = 0
            while attack.poll() is None:
                assert server.ask_address(board, 8) == ADDRESS
                assert "format\nEOM" in boot(server, board, tmp_path / "board")
                boots += 1
            assert attack.stdout is not None
            found = json.loads(attack.stdout.read())
        assert boots >= 2
        assert all(found["sent"].get(name, 0) > 5 for name in ("dhcp", "tftp", "ntp", "3333", "4444", "4445")), found
        # who is in no list gets no address, and no byte of a root file system
        assert found["given"].get("dhcp", 0) == found["given"].get("4444", 0) == 0, found
        assert "root:" not in server.said
        assert len(server.said.splitlines()) - lines < 80, server.said
        assert memory_mb(server.process.pid) - before < 40
        boot(server, board, tmp_path / "board")


def test_a_file_that_vanishes_while_it_is_loaded_is_loaded_to_its_end(wire: Lan, tmp_path: Path) -> None:
    board = wire.host(ADDRESS, mac=MAC)
    with served(wire, tmp_path, f"{MAC};{ADDRESS};board;0\n", services="tftp, install") as server:
        fill(server)
        # slowly enough that it is under way: 512 bytes a block, and a cable on which each takes 2 ms
        server.wire.run("tc", "qdisc", "add", "dev", "eth0", "root", "netem", "delay", "2ms", host=board)
        command = (peer("busybox"), "tftp", "-g", "-b", "512", "-r", "kernel", "-l", tmp_path / "got", wire.ADDRESS)
        with wire.popen(*command, host=board, stderr=subprocess.PIPE) as load:
            server.until("loading", lambda: (tmp_path / "got").exists() and (tmp_path / "got").stat().st_size > 20_000)
            (server.boot / "kernel").unlink()
            assert load.wait(60) == 0
        assert (tmp_path / "got").read_bytes() == KERNEL
        done = wire.run(*command, host=board)
        assert done.returncode != 0 and "not found" in done.stderr.lower()


def test_a_bad_line_and_two_hosts_with_one_address_leave_the_others(wire: Lan, tmp_path: Path) -> None:
    first, second = wire.host(mac=MAC), wire.host(mac=MAC2)
    hosts = f"# rack 1\n{MAC};{ADDRESS};board;0\nB8:27:EB:zz;10.214.0.52;broken;0\n{MAC2};{ADDRESS};twin;0\n"
    with served(wire, tmp_path, hosts) as server:
        assert server.ask_address(first) == ADDRESS
        assert server.ask_address(second, 3) == ""
        said = server.said
        assert re.search(r"hosts\.csv.*line 3", said) and re.search(r"hosts\.csv.*line 4", said), said
        assert len([line for line in said.splitlines() if "line 3" in line]) == 1
        # mended while it serves
        (server.etc / "hosts.csv").write_text(f"{MAC};{ADDRESS};board;0\n{MAC2};10.214.0.53;twin;0\n")
        server.until("serving the other one", lambda: server.ask_address(second, 2) == "10.214.0.53")


def test_a_full_disk_gives_out_no_address_that_is_forgotten_and_serves_the_hosts(wire: Lan, tmp_path: Path) -> None:
    known, other = wire.host(mac=MAC), wire.host(mac=MAC2)
    state = tmp_path / "state"
    before = (
        f"mount -t tmpfs -o size=1m none {state}",
        f"dd if=/dev/zero of={state}/filler bs=1k count=1k 2>/dev/null; truncate -s -160k {state}/filler",
    )
    options = {"dhcp_pool": "10.214.0.100-10.214.0.120,", "dhcp_known_only": "false", "dhcp_probe": "0"}
    with served(wire, tmp_path, f"{MAC};{ADDRESS};board;0\n", *before, services="dhcp,", **options) as server:
        inside = Path(f"/proc/{server.process.pid}/root{state}")
        (inside / "more").write_bytes(b"")
        with (inside / "more").open("wb", buffering=0) as more:
            while True:
                try:
                    more.write(bytes(4096))
                except OSError:
                    break
        assert server.ask_address(known) == ADDRESS
        assert server.ask_address(other, 3) == ""
        assert "leases cannot be written" in server.said
        assert len(server.said.splitlines()) < 30
        for name in ("more", "filler"):
            (inside / name).unlink()
        address = server.until("serving again", lambda: server.ask_address(other, 3))
        assert address.startswith("10.214.0.1")
