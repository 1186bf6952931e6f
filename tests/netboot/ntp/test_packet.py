"""NTP without a socket."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.netboot.ntp.clock_state import Belief, KernelClock, kernel_clock, precision, source
from ockle.netboot.ntp.packet import (
    EPOCH,
    SIZE,
    Request,
    Source,
    answer,
    kiss,
    parse_answer,
    parse_request,
    query,
    short,
    timestamp,
)

NOW = 1_767_225_600_123_456_789
BELIEF = Belief(stratum=8, trusted=False)
RIGHT, WRONG = KernelClock(True, 0, 0.01), KernelClock(False, 3, 16.0)


@given(st.one_of(st.binary(max_size=47), st.binary(min_size=48, max_size=100)))
def test_only_mode_3_of_a_known_version_is_a_request(data: bytes) -> None:
    request = parse_request(data)
    asked = len(data) >= SIZE and data[0] & 7 == 3 and 1 <= data[0] >> 3 & 7 <= 4
    assert (request is not None) == asked
    if request is not None:
        reply = answer(request, source(RIGHT, None, BELIEF, NOW, -20), NOW, NOW + 5000)
        assert len(reply) == SIZE <= len(data)
        assert reply[0] & 7 == 4 and reply[0] >> 3 & 7 == data[0] >> 3 & 7
        assert reply[24:32] == data[40:48] and reply[2] == data[2]
        assert reply[32:40] <= reply[40:48]
        assert len(kiss(request, b"RATE", NOW, -20)) == SIZE


def test_timestamps_have_all_their_bits_and_go_over_into_the_next_era() -> None:
    assert timestamp(0) == EPOCH << 32
    assert timestamp(500_000_000) == (EPOCH << 32) + (1 << 31)
    era = (2**32 - EPOCH) * 1_000_000_000  # 2036-02-07
    assert timestamp(era) == 0 and timestamp(era + 10**9) == 1 << 32


def test_errors_are_rounded_up_and_kept_in_their_field() -> None:
    assert [short(0), short(1), short(1e-9), short(1e9), short(-1)] == [0, 65536, 1, 2**32 - 1, 0]


def test_a_kiss_is_of_stratum_0_and_names_its_code() -> None:
    packet = kiss(Request(4, 3, 7), b"RATE", NOW, -20)
    assert packet[1] == 0 and packet[12:16] == b"RATE" and packet[0] >> 6 == 3
    assert packet[2] == 6  # the poll interval that would be welcome


def test_a_clock_that_nobody_sets_is_told_as_such_unless_it_is_trusted() -> None:
    told = source(WRONG, None, BELIEF, NOW, -20)
    assert (told.leap, told.stratum, told.reference) == (3, 16, 0)
    told = source(WRONG, None, Belief(5, True), NOW, -20)
    assert (told.leap, told.stratum) == (0, 5)


def test_a_clock_that_somebody_sets_is_told_with_its_error() -> None:
    told = source(RIGHT, None, BELIEF, NOW, -20)
    assert (told.leap, told.stratum, told.dispersion) == (0, 8, 0.01)
    assert NOW - 1024 * 10**9 <= told.reference <= NOW
    assert source(KernelClock(True, 1, 0.0), None, BELIEF, NOW, -20).leap == 1


def test_the_stratum_is_one_more_than_that_of_this_machines_own_server() -> None:
    above = Source(0, 2, -25, 0.02, 0.03, b"\x0a\0\0\x01", NOW)
    told = source(RIGHT, above, BELIEF, NOW, -20)
    assert (told.stratum, told.delay, told.dispersion, told.precision) == (3, 0.02, 0.03, -20)
    assert source(WRONG, Source(0, 15, -25, 0, 0, b"", NOW), BELIEF, NOW, -20).stratum == 16


def test_an_answer_of_a_server_is_read_back() -> None:
    asked = parse_request(query(99))
    assert asked == Request(4, 6, 99)
    told = source(RIGHT, None, BELIEF, NOW, -20)
    found = parse_answer(answer(asked, told, NOW, NOW))
    assert found is not None and (found.stratum, found.identity) == (8, bytes((127, 127, 1, 0)))
    assert parse_answer(answer(asked, source(WRONG, None, BELIEF, NOW, -20), NOW, NOW)) is None
    assert parse_answer(query(99)) is None and parse_answer(b"") is None


def test_this_machines_clock_can_be_asked() -> None:
    found = kernel_clock()
    assert 0 <= found.error <= 16.0 and found.leap in (0, 1, 2, 3)
    assert found.synchronised == (found.leap != 3)
    assert -30 <= precision() <= -1


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_the_header_is_what_rfc_5905_says(version: int) -> None:
    told = Source(0, 3, -23, 0.5, 0.25, b"\x0a\0\0\x01", NOW)
    packet = answer(Request(version, 10, 0xDEADBEEF), told, NOW, NOW)
    fields = struct.unpack(">BBbbII4sQQQQ", packet)
    assert fields[:7] == (version << 3 | 4, 3, 10, -23, 32768, 16384, b"\x0a\0\0\x01")
    assert fields[8] == 0xDEADBEEF
