"""Messages as bytes: netboot checklist 43 to 46."""

from __future__ import annotations

import contextlib
import random
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dhcp_site import COOKIE, DISCOVER, NEW_MAC, OFFER, PC_MAC, PI3_MAC, REQUEST, Site, ip, message, read
from ockle.netboot.dhcp.options import OptionsError, encode_option, encode_options, overload, parse_options
from ockle.netboot.dhcp.packet import Packet, PacketError, Type, parse

WANTED = bytes((1, 3, 6, 15, 28, 42, 43, 60, 66, 67))
PXE = {60: b"PXEClient:Arch:00000:UNDI:002001", 93: b"\0\0", 94: b"\1\2\1", 55: WANTED}


def test_43_rfc2132_s9_8_wanted_options_come_in_their_order_and_the_time_server_is_there() -> None:
    site = Site(dhcp_dns=["10.7.0.5", "10.7.0.6"], dhcp_domain="rack.test")
    reply = site.must(DISCOVER, PC_MAC, {55: bytes((15, 42, 6, 3, 1))})
    assert reply.order[5:] == [1, 15, 42, 6, 3]  # the mask is before the router, whatever is wanted
    assert reply.options[6] == ip("10.7.0.5") + ip("10.7.0.6")
    assert reply.options[15] == b"rack.test"
    assert reply.options[42] == ip("10.7.0.1")
    assert 6 not in site.must(DISCOVER, PC_MAC, {55: bytes((1, 3))}).options
    assert 42 not in Site(services=["dhcp"]).must(DISCOVER, PC_MAC, {55: b"\x2a"}).options
    assert Site(dhcp_ntp=["10.7.0.9"]).must(DISCOVER, PC_MAC, {55: b"\x2a"}).options[42] == ip("10.7.0.9")


def test_43_rfc2132_s3_14_a_host_is_told_its_name_when_it_wants_it() -> None:
    site = Site()
    assert site.must(DISCOVER, PC_MAC, {55: b"\x0c"}).options[12] == b"pc"
    assert 12 not in site.must(DISCOVER, PC_MAC, {55: b"\x01"}).options


def test_44_rfc2132_s9_10_no_reply_is_longer_than_the_client_takes() -> None:
    site = Site(dhcp_domain="d" * 200, dhcp_dns=["10.7.0.5"] * 60)
    small = site.must(DISCOVER, PC_MAC, {**PXE, 57: struct.pack("!H", 576), 61: b"\1" * 100})
    large = site.must(DISCOVER, PC_MAC, {**PXE, 57: struct.pack("!H", 1400), 61: b"\1" * 100})
    assert len(small.raw) <= 576 - 28 < len(large.raw) <= 1400 - 28
    assert len(site.must(DISCOVER, PC_MAC, {**PXE, 57: struct.pack("!H", 60000)}).raw) <= 1500 - 28
    assert len(site.must(DISCOVER, PC_MAC, {**PXE, 57: b"\0\1"}).raw) >= 300


def test_44_rfc2131_s4_1_what_does_not_fit_goes_into_file_and_sname() -> None:
    site = Site(dhcp_domain="d" * 100, dhcp_dns=["10.7.0.5"] * 40)
    reply = site.must(DISCOVER, PC_MAC, {55: WANTED, 61: b"\1" * 60, 82: b"\1\x04port"})
    assert reply.options[52] in {b"\1", b"\2", b"\3"}
    assert reply.options[15] == b"d" * 100
    assert reply.options[61] == b"\1" * 60
    assert reply.options[6] == ip("10.7.0.5") * 40
    assert reply.raw[240:].rstrip(b"\0").endswith(b"\x52\x06\1\x04port\xff"), "RFC 3046: option 82 is the last"


def test_44_rfc2131_s4_1_the_boot_file_keeps_its_field() -> None:
    site = Site(dhcp_domain="d" * 120, dhcp_dns=["10.7.0.5"] * 60, dhcp_boot_bios="pxelinux.0")
    reply = site.must(DISCOVER, PC_MAC, {**PXE, 61: b"\1" * 40})
    assert reply.file.rstrip(b"\0") == b"pxelinux.0"
    assert reply.options[52] == b"\2"


def test_44_rfc2131_s4_1_a_client_may_put_options_into_file_and_sname() -> None:
    hidden = message(None, PC_MAC, {52: b"\3"}, file=b"\x35\1\1\x37\2\x01\x2a\xff", sname=b"\x39\2\x05\xdc\xff")
    packet = parse(hidden)
    assert packet.type is Type.DISCOVER
    assert packet.options[55] == b"\x01\x2a"
    assert packet.options[57] == b"\x05\xdc"
    assert packet.file == packet.sname == b""
    for where in (b"\0", b"\4", b""):
        assert 55 not in parse(message(1, PC_MAC, {52: where}, file=b"\x37\1\1\xff")).options


def test_45_rfc3396_s7_pieces_of_an_option_are_joined_wherever_they_are() -> None:
    tail = b"\x37\2\x03\x06" + b"\x34\1\3" + b"\xff"
    packet = parse(message(1, PC_MAC, {55: b"\x01"}, tail=tail, file=b"\x37\1\x0f\xff", sname=b"\x37\1\x2a\xff"))
    assert packet.options[55] == bytes((1, 3, 6, 15, 42)), "options, then file, then sname"


def test_45_rfc3396_s6_an_option_over_255_bytes_goes_out_in_pieces() -> None:
    site = Site(dhcp_dns=[f"10.7.0.{number}" for number in range(1, 81)])
    reply = site.must(DISCOVER, PC_MAC, {55: b"\x06", 57: struct.pack("!H", 1500)})
    assert reply.order.count(6) == 2
    assert reply.options[6] == b"".join(ip(f"10.7.0.{number}") for number in range(1, 81))


def test_46_rfc2131_s4_1_pads_and_what_is_behind_the_end_do_not_matter() -> None:
    site = Site()
    assert site.must(DISCOVER, PC_MAC, {0: b""}, tail=b"\0\0\0\x37\1\x2a\xff\x37\1\x01garbage").order[5:] == [1, 42]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\1\1\6",
        message(1)[:239],
        message(1)[:236] + b"\x63\x82\x53\x64\x35\1\1\xff",
        message(1, hlen=255),
        message(1, hlen=17),
        message(0),
        message(9),
        message(255),
        message(None, options={53: b""}),
        message(None, options={53: b"\1\1"}),
        message(1, tail=b"\x37\x09\1\2"),
        message(1, tail=b"\x37"),
        message(1, options={52: b"\1"}, file=b"\x37\xff" * 64),
    ],
    ids=lambda data: data[236:260].hex() or str(len(data)),
)
def test_46_rfc2131_s2_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(PacketError):
        parse(data)


@pytest.mark.parametrize(
    "fields",
    [
        {"op": 2},
        {"op": 0},
        {"hlen": 0},
        {"hlen": 16},
        {"hlen": 5},
        {"htype": 6},
        {"mac": "00:00:00:00:00:00"},
        {"mac": "01:00:5e:00:00:01"},
        {"hops": 17},
    ],
    ids=str,
)
def test_46_rfc2131_s4_1_what_no_server_has_to_answer_is_not_answered(fields: dict[str, Any]) -> None:
    assert Site(dhcp_known_only=False).ask(DISCOVER, **fields) is None


def test_46_rfc951_no_message_type_and_no_host_is_silence() -> None:
    assert Site(dhcp_known_only=False).ask(None, NEW_MAC) is None
    assert Site(dhcp_known_only=False).ask(OFFER, NEW_MAC) is None


def test_46_rfc2131_three_thousand_mutations_are_read_or_refused() -> None:
    random.seed(46)
    site = Site(dhcp_known_only=False)
    seeds = [message(kind, PI3_MAC, {**PXE, 50: ip("10.7.0.11"), 61: b"\1abc"}) for kind in range(1, 9)]
    for _ in range(3000):
        data = bytearray(random.choice(seeds))
        for _change in range(random.randrange(1, 8)):
            data[random.randrange(len(data))] = random.randrange(256)
        if random.random() < 0.2:
            del data[random.randrange(len(data)) :]
        try:
            case = site.case(bytes(data))
        except PacketError:
            continue
        if case.reply:
            reply = read(case.reply)
            assert (reply.op, len(reply.raw) >= 300) == (2, True)


@given(st.binary(max_size=700))
def test_46_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(PacketError):
        parse(data)


_OPTIONS = st.dictionaries(
    st.integers(1, 254).filter(lambda code: code not in {52, 53}), st.binary(min_size=1, max_size=600)
)


@given(_OPTIONS, st.sampled_from([one for one in Type if one]), st.binary(max_size=40), st.booleans())
def test_what_is_written_is_read_again(options: dict[int, bytes], kind: Type, file: bytes, padded: bool) -> None:
    file = file.replace(b"\0", b"x")
    options = {53: bytes((kind,)), **options}
    packet = Packet(1, b"abcd", b"\x52\x54\0\0\0\1", kind, file=file, options=options)
    assert parse(packet.encode(most=1 << 20, padded=padded)) == packet


@given(_OPTIONS, st.integers(200, 600), st.booleans(), st.booleans())
def test_44_what_is_spread_over_three_fields_comes_together_again(
    options: dict[int, bytes], room: int, file: bool, sname: bool
) -> None:
    raw = encode_options(options)
    fields = overload(raw, b"", room, b"f" if file else b"", b"s" if sname else b"")
    assert len(fields[0]) <= room
    where = 0
    found: dict[int, bytes] = {}
    parse_options(fields[0], found)
    if 52 in found:
        where = found.pop(52)[0]
        assert not (where & 1 and file) and not (where & 2 and sname)
    for bit, at, most in ((1, 1, 128), (2, 2, 64)):
        if where & bit:
            assert len(fields[at]) <= most
            parse_options(fields[at], found)
    if len(raw) + 4 <= room:
        assert found == options
    assert found.items() <= options.items(), "an option that was cut off"


def test_an_option_of_no_bytes_is_left_out() -> None:
    assert encode_option(6, b"") == b""
    with pytest.raises(OptionsError):
        parse_options(b"\x06\x04\1\2", {})


def test_cookie_of_zeros_is_bootp() -> None:
    assert COOKIE.hex() == "63825363"
    assert parse(message(REQUEST)[:236] + bytes(64)).type is Type.BOOTP
