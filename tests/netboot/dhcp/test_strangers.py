"""Machines that are not known, and machines that say that an address is theirs."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dhcp_site import DISCOVER, NEW_MAC, PC_MAC, REQUEST, Site, ip, mac_of, message
from netboot_site import PI, context
from ockle.netboot.dhcp.arp import Claim, parse_claim, probe
from ockle.netboot.dhcp.diary import Diary
from ockle.netboot.dhcp.reception import Reception
from ockle.netboot.mac import mac_bytes
from ockle.netboot.unknown import MOST_KEPT, MOST_SHOWN, READ_AT_ONCE, UnknownMachines

PXE = {60: b"PXEClient:Arch:00007:UNDI:003016", 93: b"\0\7", 97: b"\0" + b"m" * 16}


def test_49_a_machine_is_counted_each_time_and_read_now_and_then() -> None:
    unknown = UnknownMachines(0.0)
    mac = mac_bytes(mac_of(1))
    first = unknown.seen(mac, 0.0, 100.0)
    assert first is not None
    assert [unknown.seen(mac, second, 100.0 + second) for second in (1.0, 9.9)] == [None, None]
    assert unknown.seen(mac, 10.1, 110.1) is first
    (row,) = unknown.rows()
    assert (row["mac"], row["first"], row["last"], row["count"]) == (mac_of(1), 100.0, 110.1, 4)


def test_49_ten_thousand_machines_are_bounded_and_push_out_no_regular_caller() -> None:
    unknown = UnknownMachines(0.0)
    regular = mac_bytes(mac_of(0))
    read = 0
    for number in range(10_000):
        if number % 100 == 0:
            unknown.seen(regular, 0.0, float(number))
        read += unknown.seen(mac_bytes(mac_of(number + 1)), 0.0, float(number)) is not None
    assert len(unknown) == MOST_KEPT
    assert read < READ_AT_ONCE, "the others are not even looked at"
    assert len(unknown.rows()) == MOST_SHOWN
    assert unknown.rows()[0]["mac"] == mac_of(10_000)
    assert max(row["count"] for row in unknown.rows()) == 100


def test_49_the_log_is_not_filled_by_strangers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with context(tmp_path) as one:
        reception = Reception(one, Site().desk, lambda server: None)
        for number in range(3000):
            assert reception.take(message(DISCOVER, mac_of(number), PXE), boot_port=False) is None
    said = [record.getMessage() for record in caplog.records]
    assert len(said) < 50
    assert said[0] == f"{mac_of(0)} (PXE) asks for an address and is not in hosts.csv: no answer"


def test_29_the_server_that_a_client_chose_is_noticed(tmp_path: Path) -> None:
    chosen: list[bytes] = []
    with context(tmp_path) as one:
        reception = Reception(one, Site().desk, chosen.append)
        reception.take(message(REQUEST, PI, {54: ip("10.7.0.2")}), boot_port=False)
        reception.take(message(REQUEST, PI, ciaddr="10.7.0.9"), boot_port=False)
    assert chosen == [ip("10.7.0.2")]


def test_two_machines_with_one_mac_address_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    site = Site()
    with context(tmp_path) as one:
        diary = Diary(one)
        for machine in (b"\0" + bytes(range(16)), b"\0" + bytes(range(15, -1, -1)), b"\0" + b"z" * 16):
            diary.note(site.case(message(DISCOVER, PC_MAC, {**PXE, 97: machine})))
            said = [record.getMessage() for record in caplog.records]
            assert bool(said) is (machine[1:2] == b"z"), "the same bytes in another order are the same machine"
    assert said == ["two machines have the MAC address 52:54:00:00:00:03: their machine numbers differ"]


def test_37_rfc5227_s2_1_the_question_claims_nothing_and_the_answer_does() -> None:
    own, other = mac_bytes(NEW_MAC.upper()), mac_bytes(mac_of(1))
    asked = probe(own, ip("10.7.0.100"))
    assert asked[:14] == b"\xff" * 6 + own + b"\x08\x06"
    assert parse_claim(asked) is None
    reply = own + other + bytes.fromhex("0806 0001 0800 06 04 0002") + other + ip("10.7.0.100") + own + bytes(4)
    assert parse_claim(reply) == parse_claim(reply + bytes(18)) == Claim(ip("10.7.0.100"), other)
    assert parse_claim(reply[:41]) is None


@given(st.binary(max_size=60))
def test_37_any_frame_is_a_claim_or_none(raw: bytes) -> None:
    claim = parse_claim(raw)
    assert claim is None or any(claim.ip)
