"""Who gets a place when many ask, floods, and what the wire looks like from several sides."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from netboot_site import serving
from ockle.common.errors import OckleError
from ockle.netboot.tftp.sockets import Listener
from tftp_client import DATA, ERROR, OACK, Client, client, fetch, number, op, rrq

from .conftest import Site


@contextmanager
def served(tmp: Path, **changes: Any) -> Iterator[Site]:
    with serving(tmp, "tftp", **changes) as server:
        yield Site(server, tmp / "etc" / "netboot" / "boot", server.at("tftp"))


def test_20_rfc1350_s5_malformed_requests_are_harmless(site: Site) -> None:
    malformed = [
        b"", b"\0", b"\0\1", b"\0\1x", b"\0\1x\0", b"\0\1x\0octet", b"\0\1\0\0", b"\0\1" + b"x" * 5000 + b"\0octet\0",
        rrq("s1024") + b"blksize", rrq("s1024") + b"blksize\0", rrq("s1024") + b"\0" * 400, rrq("s1024") + b"a\0" * 900,
    ]  # fmt: skip
    for data in malformed:
        with client(site.where) as one:
            one.raw(data)
    with client(site.where) as one:
        one.raw(rrq("s1024", {"blksize": 600}) + b"blksize\x00700\0BLKSIZE\x00800\0")
        assert one.receive() == b"\0\6blksize\x00600\0"
        one.error()
    dice = random.Random(20)
    with client(site.where) as one:
        for _ in range(2000):
            good = bytearray(rrq("s1024", {"blksize": 1000, "tsize": 0}))
            for _ in range(dice.randrange(6)):
                good[dice.randrange(len(good))] = dice.randrange(256)
            one.raw(bytes(good[: dice.randrange(len(good) + 1)]) if dice.random() < 0.5 else dice.randbytes(40))
    assert fetch(site.where, "s1024")[0] == (site.boot / "s1024").read_bytes()


def test_21_rfc1350_a_hundred_transfers_at_once(site: Site) -> None:
    expected = (site.boot / "s100000").read_bytes()
    with ExitStack() as stack:
        clients = [stack.enter_context(client(site.where)) for _ in range(100)]
        for one in clients:
            one.raw(rrq("s100000", {"blksize": 8192}))
        got = [b"" for _ in clients]
        for one in clients:
            assert op(one.receive()) == OACK
            one.ack(0)
        for block in range(1, 100_000 // 8192 + 2):
            for at, one in enumerate(clients):
                answer = one.receive()
                assert op(answer) == DATA and number(answer) == block
                got[at] += answer[4:]
                one.ack(block)
        assert all(data == expected for data in got)


def test_21_rfc1350_abandoned_transfers_starve_nobody(tmp_path: Path) -> None:
    with served(tmp_path, tftp_transfers=40, tftp_client_transfers=20) as site, ExitStack() as stack:
        data = site.random("kernel8.img", 200_000)
        done, stop = [0], Event()

        def load() -> None:
            while not stop.is_set():
                assert fetch(site.where, "kernel8.img", address="127.0.0.9", blksize=1428)[0] == data
                done[0] += 1

        worker = Thread(target=load)
        worker.start()
        try:
            for at in range(300):
                one = stack.enter_context(Client(site.where, f"127.0.1.{at % 30}"))
                one.raw(rrq("kernel8.img"))
            before = done[0]
            deadline = time.monotonic() + 10
            while done[0] < before + 3:
                assert time.monotonic() < deadline and worker.is_alive()
                time.sleep(0.01)
        finally:
            stop.set()
            worker.join(10)


def test_a_client_with_too_many_transfers_loses_the_most_silent_one(tmp_path: Path) -> None:
    with served(tmp_path, tftp_client_transfers=2) as site, ExitStack() as stack:
        site.random("f", 5000)
        first, second, third = (stack.enter_context(client(site.where)) for _ in range(3))
        first.ask("f")
        second.ask("f")
        first.ack(1)
        first.receive()
        assert op(third.ask("f")) == DATA
        answer = second.receive()
        assert op(answer) == ERROR and number(answer) == 0
        first.ack(2)
        assert number(first.receive()) == 3


def test_a_client_that_asks_too_often_is_not_answered_and_others_are(tmp_path: Path) -> None:
    with served(tmp_path, tftp_client_rate=5) as site, client(site.where, "127.0.0.2") as one:
        site.put("f", b"x")
        answered = 0
        for _ in range(200):
            one.raw(rrq("missing"))
        while not one.silence():
            answered += 1
        assert 5 <= answered <= 30
        assert fetch(site.where, "f")[0] == b"x"


def test_24_rfc1350_s4_the_answer_comes_from_the_asked_address(tmp_path: Path) -> None:
    with served(tmp_path, tftp_addresses=["0.0.0.0"]) as site:
        site.put("f", b"x" * 600)
        for address in ("127.0.0.1", "127.0.0.5", "127.1.2.3"):
            asked = (address, site.where[1])
            for name in ("f", "missing"):
                with client(asked) as one:
                    one.ask(name)
                    assert one.peer[0] == address
            assert fetch(asked, "f")[0] == b"x" * 600


def test_rfc1123_s4236_a_request_to_everybody_is_not_answered(tmp_path: Path) -> None:
    with served(tmp_path, tftp_addresses=["0.0.0.0"]) as site:
        site.put("f", b"x")
        with client(("127.255.255.255", site.where[1])) as one:
            one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            one.raw(rrq("f"))
            assert one.silence()
        assert fetch(("127.0.0.1", site.where[1]), "f")[0] == b"x"


def test_ipv6(tmp_path: Path) -> None:
    try:
        Listener("::1", 0).socket.close()
    except OckleError:
        pytest.skip("no IPv6 here")
    with served(tmp_path, tftp_addresses=["127.0.7.1", "::1"]) as site:
        assert site.serving.addresses["tftp"][1].startswith("[::1]:")
        port = int(site.serving.addresses["tftp"][1].rpartition(":")[2])
        data = site.random("f", 50_000)
        assert fetch(("::1", port), "f", address="::1", blksize=1400, windowsize=4)[0] == data
        site.put("cmdline.txt", "nfsroot=[MASTER]:/srv")
        assert fetch(("::1", port), "cmdline.txt", address="::1")[0] == b"nfsroot=[::1]:/srv"


def test_a_block_is_no_larger_than_a_frame_unless_told_so(tmp_path: Path, site: Site) -> None:
    mtu = int(Path("/sys/class/net/lo/mtu").read_text())
    assert fetch(site.where, "s1024", blksize=65464)[1]["blksize"] == str(min(65464, mtu - 32))
    with served(tmp_path, tftp_max_block=1000) as other:
        data = other.random("f", 5000)
        assert fetch(other.where, "f", blksize=1428) == (data, {"blksize": "1000"})


def test_a_taken_port_is_told_in_one_line(site: Site, tmp_path: Path) -> None:
    taken = rf"127\.0\.7\.1 port {site.where[1]}.*another TFTP server"
    with pytest.raises(OckleError, match=taken), served(tmp_path, tftp_port=site.where[1]):
        pass
    with pytest.raises(OckleError, match=r"tftp_addresses: localhost"):
        Listener("localhost", 0)
    with pytest.raises(OckleError, match=r"192\.0\.2\.1.*no interface has this address"):
        Listener("192.0.2.1", 0)
