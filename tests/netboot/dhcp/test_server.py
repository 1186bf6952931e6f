"""The server on loopback: sockets, disk, and what others see of it. The client is answered where it asks from."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dhcp_site import ACK, DISCOVER, NEW_MAC, OFFER, PI3_MAC, RELEASE, REQUEST, Reply, ip, mac_of, message, read, until
from netboot_site import Serving, serving
from ockle.netboot.dhcp.lease_store import read_leases
from ockle.netboot.stages import Stage

HOSTS = f"{PI3_MAC};127.0.7.9;pi3;0\n"
OPEN: dict[str, Any] = {"dhcp_known_only": False, "dhcp_pool": ["127.0.7.100-127.0.7.199"]}
PXE = {60: b"PXEClient:Arch:00000:UNDI:002001", 93: b"\0\0", 97: b"\0" + b"\x44" * 16}
DEADLINE_S = 15.0
SERVER = "127.0.7.1"


class Client:
    """A socket that asks a server."""

    def __init__(self, server: tuple[str, int]) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.7.50", 0))
        self.socket.settimeout(DEADLINE_S)
        self._server = server

    def send(self, *arguments: Any, **fields: Any) -> None:
        self.socket.sendto(message(*arguments, **fields), self._server)

    def ask(self, *arguments: Any, **fields: Any) -> Reply:
        self.send(*arguments, **fields)
        return read(self.socket.recv(4096))

    def lease(self, mac: str, options: dict[int, bytes] | None = None) -> str:
        offer = self.ask(DISCOVER, mac, options)
        ack = self.ask(REQUEST, mac, {**(options or {}), 50: ip(offer.yiaddr), 54: offer.options[54]})
        assert (offer.type, ack.type, ack.yiaddr) == (OFFER, ACK, offer.yiaddr)
        return ack.yiaddr


@contextmanager
def asking(tmp: Path, hosts: str = HOSTS, **changes: Any) -> Iterator[tuple[Serving, Client]]:
    with serving(tmp, "dhcp", hosts=hosts, **changes) as server:
        client = Client(server.at("dhcp"))
        with client.socket:
            yield server, client


def leases(server: Serving) -> dict[str, str]:
    boards = server.boards()
    try:
        connection = boards.connect(durable=False)
        try:
            return {row.ip: row.state for row in read_leases(connection)}
        finally:
            connection.close()
    finally:
        boards.close()


def test_48_a_lease_is_on_disk_before_its_ack_leaves(tmp_path: Path) -> None:
    with asking(tmp_path, **OPEN) as (server, client):
        first = client.lease(NEW_MAC)
        assert leases(server) == {first: "bound"}
        client.send(RELEASE, NEW_MAC, ciaddr=first)
        client.lease(mac_of(1))  # comes behind it
        assert leases(server)[first] == "free"


def test_48_leases_outlive_a_restart_and_lines_that_make_no_sense(tmp_path: Path) -> None:
    with asking(tmp_path, **OPEN) as (server, client):
        given = {number: client.lease(mac_of(number)) for number in range(5)}
        path = server.folder.boards
    with sqlite3.connect(path) as database:
        database.execute("INSERT INTO leases VALUES ('127.0.7.900', 'zz', 'x', 'bound', 1, 'now', 0, '')")
        database.execute("INSERT INTO leases VALUES ('127.0.7.105', '01', '02:00:00:00:00:01', 'odd', 1, '', 0, '')")
    database.close()
    with asking(tmp_path, **OPEN) as (server, client):
        assert client.ask(DISCOVER, NEW_MAC).yiaddr not in given.values()
        assert {number: client.lease(mac_of(number)) for number in range(5)} == given


_SERVE = """
import sys
from pathlib import Path
from netboot_site import serving
options = {"dhcp_known_only": False, "dhcp_pool": ["127.0.7.100-127.0.7.199"]}
with serving(Path(sys.argv[1]), "dhcp", hosts="", **options) as server:
    print(server.at("dhcp")[1], flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("firmware", [False, True])
def test_48_leases_outlive_kill_9(tmp_path: Path, firmware: bool) -> None:
    def start() -> tuple[subprocess.Popen[str], Client]:
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(one for one in sys.path if one)},
        )
        assert process.stdout is not None
        return process, Client((SERVER, int(process.stdout.readline())))

    process, client = start()
    if firmware:  # a Raspberry Pi 3 uses what it was offered, and never says so
        given = [client.ask(DISCOVER, mac_of(number), PXE).yiaddr for number in range(20)]
    else:
        given = [client.lease(mac_of(number)) for number in range(20)]
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    client.socket.close()
    process, client = start()
    try:
        assert client.ask(DISCOVER, NEW_MAC).yiaddr not in given
        assert [client.ask(DISCOVER, mac_of(number)).yiaddr for number in range(20)] == given
    finally:
        process.communicate()
        client.socket.close()


def test_a_full_disk_gives_no_address_that_is_not_written_and_serves_hosts_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with asking(tmp_path, **OPEN) as (server, client):
        client.lease(NEW_MAC)
        before = leases(server)
        with sqlite3.connect(server.folder.boards) as database:
            # what SQLite says of a disk that is full, at the moment of writing
            database.execute(
                "CREATE TRIGGER full BEFORE INSERT ON leases BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
            )
        offer = client.ask(DISCOVER, mac_of(1))
        client.send(REQUEST, mac_of(1), {50: ip(offer.yiaddr), 54: ip(SERVER)})
        assert client.lease(PI3_MAC) == "127.0.7.9"  # and the other one got no answer before it
        assert leases(server) == before
        database.execute("DROP TRIGGER full")
        database.commit()
        database.close()
        assert client.lease(mac_of(1)) == offer.yiaddr
    said = [record.getMessage() for record in caplog.records if "leases" in record.getMessage()]
    assert said[0].startswith("leases cannot be written: database or disk is full; only hosts with an own address")


def test_firmware_moves_its_board_on_and_a_running_system_does_not(tmp_path: Path) -> None:
    with asking(tmp_path) as (server, client):
        boards = server.boards()
        offer = client.ask(DISCOVER, PI3_MAC, PXE)
        boards.poll()
        board = boards.get("B8:27:EB:00:00:01")
        assert board is not None
        assert (board.stage, board.ip, board.kind) == (Stage.ASKING, "127.0.7.9", "Raspberry Pi 3")
        client.ask(REQUEST, PI3_MAC, {**PXE, 50: ip(offer.yiaddr), 54: ip(SERVER)})
        boards.poll()
        board = boards.get("B8:27:EB:00:00:01")
        assert board is not None and board.stage is Stage.ADDRESSED
        boards.note(board.mac, Stage.UP, "it runs")
        client.lease(PI3_MAC, {12: b"raspberrypi"})
        client.ask(REQUEST, PI3_MAC, ciaddr="127.0.7.9")
        boards.poll()
        board = boards.get(board.mac)
        assert board is not None and board.stage is Stage.UP
        boards.close()


def test_a_board_that_gets_no_address_says_why(tmp_path: Path) -> None:
    with asking(tmp_path, hosts=f"{HOSTS}{NEW_MAC};10.9.0.5;odd;0\n") as (server, client):
        client.send(DISCOVER, NEW_MAC, PXE)
        client.lease(PI3_MAC)  # comes behind it
        boards = server.boards()
        board = boards.get(NEW_MAC)
        boards.close()
    assert board is not None and board.stage is Stage.ASKING
    assert board.note == "gets no address: its own address 10.9.0.5 is not in 127.0.0.0/8, where it asks"


def test_a_host_gets_its_time_of_use_and_a_name_if_it_has_none(tmp_path: Path) -> None:
    with asking(tmp_path, hosts=f"# ours\n{PI3_MAC};127.0.7.9;;0\n") as (server, client):
        client.lease(PI3_MAC, {12: b"kitchen"})
    comment, line = (server.etc / "hosts.csv").read_text().splitlines()
    mac, address, name, used = line.split(";")
    assert (comment, mac, address, name) == ("# ours", PI3_MAC.upper(), "127.0.7.9", "kitchen")
    assert abs(time.time() - int(used)) < 60


def test_49_unknown_machines_are_listed_with_what_they_sent(tmp_path: Path) -> None:
    with asking(tmp_path) as (server, client):
        for _ in range(3):
            client.send(DISCOVER, NEW_MAC, {**PXE, 12: b"new"})
        client.lease(PI3_MAC)  # comes behind them
        until(lambda: bool(_unknown(server)))
        (shown,) = _unknown(server)
        assert shown["first"] <= shown["last"]
        expected = {
            "mac": NEW_MAC, "count": 3, "kind": "Raspberry Pi 3", "vendor": PXE[60].decode(), "hostname": "new"
        }  # fmt: skip
        assert {name: shown[name] for name in expected} == expected
        assert shown["machine"] == PXE[97].hex()


def _unknown(server: Serving) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = server.folder.read_live().get("services", {}).get("dhcp", {}).get("unknown", [])
    return rows


def test_40_hosts_csv_is_edited_while_it_serves(tmp_path: Path) -> None:
    with asking(tmp_path) as (server, client):
        assert client.lease(PI3_MAC) == "127.0.7.9"
        (server.etc / "hosts.csv").write_text(f"{HOSTS}{NEW_MAC};127.0.7.10;new;0\n")
        client.socket.settimeout(0.2)

        def answered() -> bool:
            try:
                return client.ask(DISCOVER, NEW_MAC).yiaddr == "127.0.7.10"
            except TimeoutError:
                return False

        until(answered)


def test_46_ten_thousand_datagrams_of_any_kind_do_not_stop_it(tmp_path: Path) -> None:
    with asking(tmp_path, **OPEN) as (server, client):
        seed = message(DISCOVER, NEW_MAC, PXE)
        for number in range(3000):
            data = bytearray(seed)
            data[(number * 7) % len(data)] ^= 1 << (number % 8)
            client.socket.sendto(bytes(data[: len(data) - number % 50]), server.at("dhcp"))
            if number % 50 == 0:
                client.socket.sendto(os.urandom(number % 1400), server.at("dhcp"))
        client.socket.close()
        other = Client(server.at("dhcp"))
        with other.socket:
            assert other.lease(PI3_MAC) == "127.0.7.9"


def test_38_rfc2131_s4_1_a_relay_is_answered_at_its_server_port(tmp_path: Path) -> None:
    with asking(tmp_path, **OPEN) as (server, client), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as relay:
        relay.bind(("127.0.7.60", server.at("dhcp")[1]))
        relay.settimeout(DEADLINE_S)
        client.send(DISCOVER, NEW_MAC, giaddr="127.0.7.60")
        data, source = relay.recvfrom(4096)
        assert (read(data).type, source) == (OFFER, server.at("dhcp"))
        assert len(data) >= 300


def test_50_a_proxy_answers_on_4011_from_there(tmp_path: Path) -> None:
    with (
        asking(tmp_path, dhcp_mode="proxy") as (server, client),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as pxe,
    ):
        pxe.settimeout(DEADLINE_S)
        pxe.bind(("127.0.7.70", 0))
        pxe.sendto(message(REQUEST, PI3_MAC, PXE, ciaddr="127.0.7.70"), server.at("dhcp", 1))
        data, source = pxe.recvfrom(4096)
        assert (read(data).type, source) == (ACK, server.at("dhcp", 1))
        assert client.ask(DISCOVER, PI3_MAC, PXE).yiaddr == "0.0.0.0"
