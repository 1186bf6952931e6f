"""The checklist of reads over the wire: packets as they are, and what they are answered with."""

from __future__ import annotations

import json
import os
import struct
from typing import Any

import pytest

from ockle.netboot.tftp import engine
from tftp_client import ACK, DATA, ERROR, OACK, client, fetch, number, op, rrq

from .conftest import SIZES, Site


def test_01_rfc1350_s4_octet_read_in_blocks_of_512_from_a_new_tid(site: Site) -> None:
    data = (site.boot / "s1024").read_bytes()
    with client(site.where) as one:
        first = one.ask("s1024")
        assert first == struct.pack("!HH", DATA, 1) + data[:512]
        assert one.peer[0] == site.where[0] and one.peer[1] != site.where[1]
        tid = one.peer
        one.ack(1)
        assert one.receive() == struct.pack("!HH", DATA, 2) + data[512:]
        one.ack(2)
        assert one.receive() == struct.pack("!HH", DATA, 3)
        one.ack(3)
        assert one.silence() and one.peer == tid
    with client(site.where) as other:
        other.ask("s1024")
        assert other.peer != tid


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("block", [None, 8, 1024, 1428])
def test_02_rfc1350_s6_ends_with_a_short_or_empty_block(site: Site, size: int, block: int | None) -> None:
    options: dict[str, Any] = {} if block is None else {"blksize": block}
    if size == 100_000 and block == 8:
        options["windowsize"] = 64  # for speed
    assert fetch(site.where, f"s{size}", **options)[0] == (site.boot / f"s{size}").read_bytes()


def test_03_rfc1350_s5_a_missing_file_is_error_1_once(site: Site) -> None:
    with client(site.where) as one:
        answer = one.ask("recovery.elf")
        assert op(answer) == ERROR and number(answer) == 1
        assert answer.endswith(b"\0") and answer.count(b"\0", 4) == 1
        assert one.silence()


OUTSIDE = [
    "../secret", "../../../secret", "/../../../secret", "x/../../secret", "a/../hello.txt", "..", "../boot-sibling/x",
    "..\\..\\secret", "\\hello.txt", "%2e%2e/%2e%2e/secret", "/etc/passwd", "../boot-sibling", "....//secret",
    "./../secret",     b"..\xc0\xaf..\xc0\xafsecret", "all/etc/passwd", "hello.txt/../../secret",
]  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
def test_04_rfc1350_s7_no_way_out_of_the_root(site: Site, name: str | bytes) -> None:
    with client(site.where) as one:
        answer = one.ask(name)
        assert op(answer) == ERROR and number(answer) in (1, 2), answer


def test_05_rfc1350_s7_links_are_followed_inside_the_root_only(site: Site) -> None:
    for inside in ("leads-in", "leads-in-absolute"):
        assert fetch(site.where, inside)[0] == b"hello\n"
    with pytest.raises(OSError, match="access violation"):
        fetch(site.where, "leads-out")


@pytest.mark.parametrize("name", ["", "/", ".", "fifo", "secret-outside", "secret-outside/", "leads-in/x"])
def test_06_rfc1350_s5_what_is_no_file_is_an_error_and_does_not_hang(site: Site, name: str) -> None:
    with client(site.where) as one:
        answer = one.ask(name)
        assert op(answer) == ERROR and number(answer) in (1, 2)
    assert fetch(site.where, "hello.txt")[0] == b"hello\n"


def test_07_rfc1350_s4_nothing_can_be_written(site: Site) -> None:
    before = sorted(site.boot.rglob("*"))
    for name in ("new.txt", "hello.txt", "../new.txt"):
        with client(site.where) as one:
            one.raw(rrq(name, op=2))
            answer = one.receive()
            assert op(answer) == ERROR and number(answer) in (2, 4)
            one.send(struct.pack("!HH", DATA, 1) + b"written")
    assert sorted(site.boot.rglob("*")) == before and (site.boot / "hello.txt").read_text() == "hello\n"


def test_08_rfc1350_s5_stray_opcodes_are_harmless(site: Site) -> None:
    with client(site.where) as one:
        for opcode in (0, DATA, ACK, ERROR, OACK, 7, 255, 65535):
            one.raw(struct.pack("!HH", opcode, 1) + b"x\0")
        assert one.silence()
        one.ask("s1024")
        for opcode in (0, 1, 2, DATA, OACK, 7, 65535):
            one.send(struct.pack("!HH", opcode, 1) + b"x\0")
        assert one.silence()
        one.ack(1)
        assert number(one.receive()) == 2


def test_09_rfc1350_s5_modes_whatever_their_case(site: Site) -> None:
    text = b"\n".join([b"line\r", b"x" * 508, b"\n\r\n", b"\r" * 700, b""])
    site.put("text", text)
    expected = text.replace(b"\r", b"\r\0").replace(b"\n", b"\r\n")
    no_options: dict[str, Any] = {}
    for mode in ("netascii", "NetASCII"):
        for options in no_options, {"blksize": 9}, {"blksize": 8, "windowsize": 5}:
            assert fetch(site.where, "text", mode, **options)[0] == expected
    for mode in ("OCTET", "Octet"):
        assert fetch(site.where, "text", mode)[0] == text
    assert "tsize" not in fetch(site.where, "text", "netascii", tsize=0, blksize=600)[1]
    for mode in ("mail", "", "binary"):
        with client(site.where) as one:
            answer = one.ask("text", mode)
            assert op(answer) == ERROR and number(answer) == 4


def test_12_rfc1350_s7_an_error_of_the_client_stops_it_at_once(site: Site) -> None:
    with client(site.where) as one:
        one.ask("s100000", windowsize=4, timeout=1)
        one.ack(0)
        for _ in range(4):
            one.receive()
        one.error(3, "disk full")
        assert one.silence(1.3)  # nor is anything repeated


def test_13_rfc2347_an_oack_holds_what_was_asked_for_and_is_known(site: Site) -> None:
    with client(site.where) as one:
        assert op(one.ask("s1024", multicast="", rollover=0, x=1)) == DATA
    with client(site.where) as one:
        one.raw(rrq("s1024", {"TSIZE": 0, "bogus": "1", "BlkSize": 600, "multicast": ""}))
        assert one.receive() == b"\0\6tsize\x001024\0blksize\x00600\0"
        assert one.silence()
        one.ack(0)
        assert len(one.receive()) == 604


def test_14_rfc2349_an_oack_is_repeated_after_the_agreed_time(site: Site) -> None:
    with client(site.where) as one:
        granted = one.ask("s1024", timeout=1)
        assert granted == b"\0\6timeout\x001\0"
        assert one.silence(0.5)
        assert one.receive() == granted
        one.error()


def test_15_rfc1123_s4231_a_repeated_ack_never_brings_data(site: Site) -> None:
    with client(site.where) as one:
        one.ask("s100000")
        one.ack(1)
        assert number(one.receive()) == 2
        for old_or_early in (1, 1, 0, 3, 4, 50, 65535):
            one.ack(old_or_early)
        assert one.silence()
        one.ack(2)
        assert number(one.receive()) == 3


def test_16_rfc1350_s4_a_strangers_port_gets_error_5_and_the_transfer_goes_on(site: Site) -> None:
    with client(site.where) as one, client(site.where) as stranger:
        one.ask("s1024")
        stranger.peer = one.peer
        stranger.ack(1)
        answer = stranger.receive()
        assert op(answer) == ERROR and number(answer) == 5
        stranger.error()
        assert stranger.silence()
        assert one.silence()
        one.ack(1)
        assert number(one.receive()) == 2


def test_17_rfc1350_blocks_are_numbered_from_0_again_after_65535(site: Site) -> None:
    data = site.random("large", 65_540 * 8 + 3)
    assert fetch(site.where, "large", blksize=8, windowsize=7)[0] == data


def test_18_rfc7440_windows(site: Site) -> None:
    for asked in (0, 65536, "x", -1):
        with client(site.where) as one:
            assert op(one.ask("s1024", windowsize=asked)) == DATA
    assert fetch(site.where, "s100000", windowsize=65535)[1]["windowsize"] == "64"
    with client(site.where) as one:
        assert one.ask("s100000", windowsize=4, timeout=1) == b"\0\6windowsize\x004\0timeout\x001\0"
        one.ack(0)
        assert [number(one.receive()) for _ in range(4)] == [1, 2, 3, 4]
        assert one.silence()
        one.ack(2)  # a gap after 2
        assert [number(one.receive()) for _ in range(4)] == [3, 4, 5, 6]
        one.ack(2)
        assert one.silence()


def test_22_rfc1350_s5_names_as_clients_write_them(site: Site) -> None:
    data = site.put("a/b c/äö.bin", b"deep")
    for name in ("a/b c/äö.bin", "/a/b c/äö.bin", "./a/b c/äö.bin", "a//b c///./äö.bin", "//a/b c/äö.bin"):
        assert fetch(site.where, name)[0] == data
    site.put("latin", b"1")
    (site.boot / "latin").rename(site.boot / os.fsdecode(b"\xe9t\xe9"))
    assert fetch(site.where, b"\xe9t\xe9")[0] == b"1"
    json.dumps(site.serving.folder.read_live(), ensure_ascii=False).encode()


def test_23_rfc1350_s4_a_request_that_is_repeated_is_one_transfer(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with client(site.where) as one:
        first = one.ask("s1024")
        one.raw(rrq("s1024"))
        assert one.silence()
        one.ack(1)
        one.receive()
        tid = one.peer
        one.raw(rrq("s1024"))  # it was on its way when the answer came: seen in a storm, where it ended the transfer
        assert one.silence()
        monkeypatch.setattr(engine, "RESET_S", 0.0)
        one.raw(rrq("s1024"))  # anew, after a reset: boards count their ports from the same one
        assert one.receive() == first and one.peer != tid
        one.raw(rrq("s513"))
        assert one.receive() == struct.pack("!HH", DATA, 1) + (site.boot / "s513").read_bytes()[:512]
        one.ack(1)
        assert len(one.receive()) == 4 + 1
