"""The machine of one transfer, without a network: what it repeats, how often, and when it gives up."""

from __future__ import annotations

import random
import struct

import pytest

from ockle.netboot.tftp.content import Netascii, Text
from ockle.netboot.tftp.negotiation import Terms
from ockle.netboot.tftp.packet import Code, TftpError
from ockle.netboot.tftp.transfer import PIECE, WRAP_TO_0, WRAP_TO_1, Ending, Transfer
from tftp_client import number


def ack(block: int) -> bytes:
    return struct.pack("!HH", 4, block & 0xFFFF)


def transfer(data: bytes, terms: Terms | None = None, tries: int = 3, modulus: int = WRAP_TO_0) -> Transfer:
    return Transfer(Text(data).read, terms or Terms(), timeout_s=1.0, tries=tries, modulus=modulus)


GRANTED = (("blksize", "512"),)


@pytest.mark.parametrize("terms", [Terms(), Terms(granted=GRANTED), Terms(window=3, granted=GRANTED)])
def test_14_rfc1123_s4232_the_same_is_repeated_ever_later_and_not_for_ever(terms: Terms) -> None:
    one = transfer(b"x" * 5000, terms, tries=6)
    first, now, waits = one.start(0.0), 0.0, []
    while one.ending is None:
        waits.append(one.deadline - now)
        now = one.deadline
        assert one.expired(now) in (first, [])
    assert waits == [1, 2, 4, 8, 8, 8, 8] and one.ending is Ending.SILENT and one.retries == 6


def test_14_rfc2349_with_an_agreed_timeout_it_is_that_every_time() -> None:
    one = transfer(b"x", Terms(timeout_s=7, granted=(("timeout", "7"),)))
    one.start(0.0)
    for moment in (7.0, 14.0, 21.0):
        assert one.deadline == moment
        one.expired(moment)
    assert one.deadline == 28.0


def test_14_after_an_answer_the_patience_is_new() -> None:
    one = transfer(b"x" * 5000)
    one.start(0.0)
    for _ in range(3):
        one.expired(one.deadline)
    assert one.receive(ack(1), 10.0) and one.deadline == 11.0
    for _ in range(3):
        assert one.expired(one.deadline)
    assert not one.expired(one.deadline) and one.ending is Ending.SILENT


@pytest.mark.parametrize("block", [0, 1, 2, 4, 5, 10, 65535])
def test_15_rfc7440_only_an_ack_of_what_is_under_way_moves_a_transfer(block: int) -> None:
    one = transfer(b"x" * 50_000, Terms(window=2))
    one.start(0.0)
    assert len(one.receive(ack(2), 0.0)) == 2
    moved = {4: 2}
    assert len(one.receive(ack(block), 0.0)) == moved.get(block, 0)


def test_18_rfc7440_a_lost_window_is_repeated_as_a_whole_and_a_gap_from_where_it_is() -> None:
    one = transfer(b"x" * 50_000, Terms(window=4))
    one.start(0.0)
    out = one.receive(ack(2), 0.0)
    assert [number(datagram) for datagram in out] == [3, 4, 5, 6]
    assert one.receive(ack(2), 0.0) == []
    assert one.expired(one.deadline) == out


@pytest.mark.parametrize("short", [b"", b"\0", b"\0\4", b"\0\4\0", b"\0\4\0\1", b"\4\0\0\1", b"\0\4\0\1more"])
def test_20_rfc1350_s5_short_acks(short: bytes) -> None:
    one = transfer(b"x" * 5000)
    one.start(0.0)
    assert bool(one.receive(short, 0.0)) is short.startswith(b"\0\4\0\1")


def test_19_rfc1350_s6_a_lost_last_ack_repeats_the_last_block_then_there_is_silence() -> None:
    one = transfer(b"x" * 100)
    last = one.start(0.0)
    assert [one.expired(one.deadline) for _ in range(4)] == [last, last, last, []]
    assert one.ending is Ending.UNCONFIRMED


def test_12_rfc1350_s7_an_error_ends_it_and_a_size_probe_is_known() -> None:
    for terms, ending in ((Terms(), Ending.CLIENT), (Terms(granted=(("tsize", "1"),)), Ending.PROBED)):
        one = transfer(b"x" * 5000, terms)
        one.start(0.0)
        assert one.receive(b"\0\5\0\0Early terminate\0", 0.0) == []
        assert one.ending is ending and one.why == "Early terminate"


@pytest.mark.parametrize("modulus", [WRAP_TO_0, WRAP_TO_1])
@pytest.mark.parametrize("window", [1, 2, 16, 64])
def test_17_rfc1350_block_numbers_wrap_also_inside_a_window(modulus: int, window: int) -> None:
    data = random.Random(1).randbytes(8 * 65_600 + 5)
    one = transfer(data, Terms(block=8, window=window), modulus=modulus)
    got, expected, out = bytearray(), 0, one.start(0.0)
    while out:
        for datagram in out:
            expected = (expected + 1) % 65536 or (0 if modulus == WRAP_TO_0 else 1)
            assert number(datagram) == expected
            got += datagram[4:]
        out = one.receive(ack(expected), 0.0)
    assert one.ending is Ending.DONE and got == data


def test_17_an_ack_of_0_is_none_where_numbers_go_on_with_1() -> None:
    one = transfer(b"x" * 8 * 65_600, Terms(block=8), modulus=WRAP_TO_1)
    one.start(0.0)
    for block in range(1, 65_535):
        one.receive(ack(block), 0.0)
    assert one.receive(ack(0), 0.0) == []
    assert number(one.receive(ack(65_535), 0.0)[0]) == 1


def test_13_rfc2347_only_an_ack_of_0_opens_after_an_oack() -> None:
    one = transfer(b"x" * 5000, Terms(granted=GRANTED))
    one.start(0.0)
    assert one.receive(ack(1), 0.0) == [] and one.receive(ack(65_535), 0.0) == []
    assert number(one.receive(ack(0), 0.0)[0]) == 1
    assert one.receive(ack(0), 0.0) == []


def test_25_what_cannot_be_read_any_more_ends_with_an_error() -> None:
    def read(offset: int, count: int) -> bytes:
        if offset:
            raise TftpError(Code.UNDEFINED, "the file changed while it was sent")
        return b"x" * count

    one = Transfer(read, Terms(), timeout_s=1.0, tries=3)
    out, block = one.start(0.0), 0
    while one.ending is None:
        block += 1
        out = one.receive(ack(block), 0.0)
    assert out == [b"\0\5\0\0the file changed while it was sent\0"] and block * 512 == PIECE
    assert one.ending is Ending.BROKEN


@pytest.mark.parametrize("count", [1, 7, 512, 5000])
def test_09_netascii_is_the_same_whatever_the_pieces(count: int) -> None:
    data = random.Random(count).choices(b"\r\nab", k=200_000)
    content = Netascii(Text(bytes(data)))
    expected = bytes(data).replace(b"\r", b"\r\0").replace(b"\n", b"\r\n")
    got, step = bytearray(), max(count, 100)
    while piece := content.read(len(got), step):
        assert content.read(len(got), step) == piece  # again, after a loss
        got += piece[: max(1, len(piece) // 2)] if len(got) < 1000 else piece
    assert got == expected
