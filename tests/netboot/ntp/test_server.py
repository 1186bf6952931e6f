"""The NTP server by RFC 5905 and RFC 4330, and the clients of others. Numbers are those of the checklist."""

from __future__ import annotations

import os
import random
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from netboot_site import Serving, serving
from peers import free_port, missing, peer

EPOCH = 2_208_988_800


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("ntp"), "ntp", ntp_trust_clock=True, ntp_stratum=5) as server:
        yield server


@contextmanager
def client(served: Serving, source: str = "127.0.7.3") -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((source, 0))
        sock.settimeout(5)
        sock.connect(served.at("ntp"))  # takes answers from the asked address only
        yield sock


_next = iter(range(10, 250))


def ask(served: Serving, packet: bytes) -> bytes | None:
    """Return the answer to a packet; None: a plain request after it was answered, and it was not."""
    mark = random.randbytes(8)
    with client(served, f"127.0.7.{next(_next)}") as sock:
        sock.send(packet)
        sock.send(request(transmit=mark))
        first = sock.recv(2048)
        if first[24:32] == mark and packet[40:48] != mark:
            return None
        return first


def request(
    version: int = 4, mode: int = 3, poll: int = 6, transmit: bytes = b"\x01\x02\x03\x04\x05\x06\x07\x08"
) -> bytes:
    return bytes((version << 3 | mode, 0, poll, 0)) + bytes(36) + transmit


def seconds(field: bytes) -> float:
    whole, rest = struct.unpack(">II", field)
    found: float = whole - EPOCH + rest / 2**32
    return found


def test_51_rfc5905_s14_a_client_is_answered_as_by_a_server(served: Serving) -> None:
    reply = ask(served, request())
    assert reply is not None and len(reply) == 48 and reply[0] & 7 == 4


def test_52_rfc5905_s8_the_origin_is_the_clients_transmit_time_bit_for_bit(served: Serving) -> None:
    for mark in (b"\0" * 8, b"\xff" * 8, random.randbytes(8)):
        reply = ask(served, request(transmit=mark))
        assert reply is not None and reply[24:32] == mark


def test_53_rfc5905_s7_3_the_version_is_the_clients(served: Serving) -> None:
    for version in (1, 2, 3, 4):
        reply = ask(served, request(version))
        assert reply is not None and reply[0] >> 3 & 7 == version


def test_54_rfc5905_s8_times_are_in_order_fine_and_inside_the_interval(served: Serving) -> None:
    fractions = set()
    for _ in range(20):
        with client(served) as sock:
            before = time.time()
            sock.send(request())
            reply = sock.recv(100)
            after = time.time()
        received, sent = seconds(reply[32:40]), seconds(reply[40:48])
        assert before - 1e-5 <= received <= sent <= after + 1e-5
        fractions.add(reply[40:48])
        assert reply[32:40] != reply[40:48]
    assert len(fractions) == 20


def test_55_rfc5905_s7_3_what_is_told_of_the_clock_makes_sense(served: Serving) -> None:
    reply = ask(served, request(poll=9))
    assert reply is not None
    assert 1 <= reply[1] <= 15 and reply[0] >> 6 != 3
    assert reply[2] == 9 and -30 <= struct.unpack("b", reply[3:4])[0] < 0
    delay, dispersion = struct.unpack(">II", reply[4:12])
    assert delay < 65536 and 0 < dispersion <= 16 * 65536
    assert reply[12:16] != bytes(4)
    assert 0 <= time.time() - seconds(reply[16:24]) < 2000


def test_56_rfc5905_s9_other_modes_get_nothing_and_nobody_gets_more_than_he_sent(served: Serving) -> None:
    for mode in (0, 1, 2, 4, 5, 6, 7):
        assert ask(served, request(mode=mode)) is None, mode
    assert ask(served, request()[:47]) is None
    assert ask(served, b"") is None
    reply = ask(served, request() + bytes(1000))
    assert reply is not None and len(reply) == 48


def test_57_rfc5905_s7_5_extensions_macs_and_odd_versions_do_no_harm(served: Serving) -> None:
    extension = struct.pack(">HH", 0x0104, 16) + bytes(12)
    for more in (bytes(20), extension, extension + bytes(24), b"\xff" * 3):
        reply = ask(served, request() + more)
        assert reply is not None and len(reply) == 48
    for version in (0, 5, 6, 7):
        assert ask(served, request(version)) is None, version
    dice = random.Random(3)
    with client(served, "127.0.7.250") as sock:
        for number in range(300):
            junk = bytearray(dice.randbytes(dice.randrange(200)))
            if junk:
                junk[0] = junk[0] & 0xF8 | dice.choice((0, 1, 2, 4, 5, 6, 7))
            sock.send(bytes(junk))
            if number % 50 == 49:  # the kernel's queue is short
                sock.send(request(transmit=b"%8d" % number))
                assert sock.recv(100)[24:32] == b"%8d" % number


def test_58_rfc1122_s4_1_3_5_the_answer_comes_from_the_asked_address(served: Serving) -> None:
    """With a second address on the same interface, of which nothing is served."""
    host, port = served.at("ntp")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.7.251", 0))
        sock.settimeout(5)
        sock.sendto(request(), ("127.0.7.2", port))
        sock.sendto(request(transmit=b"the last"), (host, port))
        reply, source = sock.recvfrom(100)
    assert source == (host, port) and reply[24:32] == b"the last"


def test_a_clock_that_nobody_sets_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ockle.netboot.ntp.clock_state import KernelClock

    monkeypatch.setattr("ockle.netboot.ntp.server.kernel_clock", lambda: KernelClock(False, 3, 16.0))
    with serving(tmp_path, "ntp") as server, client(server) as sock:
        sock.send(request())
        reply = sock.recv(100)
    assert reply[0] >> 6 == 3 and reply[1] == 16


def test_rfc5905_s7_4_a_flood_gets_one_kiss_and_then_silence(tmp_path: Path) -> None:
    with serving(tmp_path, "ntp", ntp_trust_clock=True) as server:
        with client(server) as sock:
            for _ in range(200):
                sock.send(request())
            sock.settimeout(0.5)
            replies = []
            try:
                while True:
                    replies.append(sock.recv(100))
            except TimeoutError:
                pass
        kisses = [reply for reply in replies if reply[1] == 0]
        assert len(kisses) == 1 and kisses[0][12:16] == b"RATE"
        assert 32 <= len(replies) - 1 <= 36
        with client(server, "127.0.7.4") as sock:  # nobody else is punished
            sock.send(request())
            assert sock.recv(100)[1] == 8


def test_the_table_of_clients_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ockle.netboot.ntp import server as module

    monkeypatch.setattr(module, "MOST_CLIENTS", 10)
    tables = []
    init = module.NtpServer.__init__

    def noted(self: module.NtpServer, context: object) -> None:
        init(self, context)  # type: ignore[arg-type]
        tables.append(self._clients)

    monkeypatch.setattr(module.NtpServer, "__init__", noted)
    with serving(tmp_path, "ntp", ntp_trust_clock=True) as server:
        for number in range(20):
            with client(server, f"127.0.9.{number + 1}") as sock:
                sock.send(request())
                sock.recv(100)
        assert len(tables[0]) == 10


# -- clients of others


@pytest.mark.peer
def test_59_chronyd_takes_the_time(served: Serving, tmp_path: Path) -> None:
    host, port = served.at("ntp")
    line = f"server {host} port {port} iburst maxsamples 2"
    command = [peer("chronyd"), "-U", "-Q", "-t", "20", "-f", "/dev/null", line]
    done = subprocess.run(command, capture_output=True, text=True, timeout=40, check=False)
    assert "System clock wrong by" in done.stdout + done.stderr, done.stdout + done.stderr


@pytest.mark.peer
def test_59_ntpdig_takes_the_time(tmp_path: Path) -> None:
    program = peer("ntpdig")  # asks port 123 only
    if os.geteuid() != 0:
        missing("port 123 needs root")
    with serving(tmp_path, "ntp", ntp_port=123, ntp_trust_clock=True, ntp_stratum=5) as server:
        command = [program, "-j", "-t", "5", server.at("ntp")[0]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert '"stratum":5' in done.stdout.replace(" ", ""), done.stdout + done.stderr


@pytest.mark.peer
def test_an_ntp_server_on_this_machine_tells_our_stratum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """chronyd serves stratum 3 on loopback; ours is then 4, whatever the option says."""
    port = free_port("udp")
    config = tmp_path / "chrony.conf"
    config.write_text(
        f"port {port}\nbindaddress 127.0.0.1\nallow 127.0.0.0/8\nlocal stratum 3\ncmdport 0\npidfile {tmp_path}/pid\n"
    )
    command = [peer("chronyd"), "-x", "-d", "-f", str(config)]
    if os.geteuid() != 0:
        command.insert(1, "-U")
    monkeypatch.setattr("ockle.netboot.ntp.server.NTP_PORT", port)
    monkeypatch.setattr("ockle.netboot.ntp.server.ASK_EVERY_S", 0.1)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as chrony:
        try:
            with serving(tmp_path, "ntp") as server:
                end = time.monotonic() + 20
                while True:
                    with client(server, f"127.0.9.{next(_next)}") as sock:
                        sock.send(request())
                        stratum = sock.recv(100)[1]
                    if stratum == 4:
                        break
                    assert time.monotonic() < end, stratum
                    time.sleep(0.2)
        finally:
            chrony.terminate()
