"""What is answered to whom: netboot checklist 26 to 42 and 47 to 50, without a socket."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from dhcp_site import (
    ACK,
    DECLINE,
    DISCOVER,
    HOSTS,
    INFORM,
    NAK,
    NEW_MAC,
    OFFER,
    PC_MAC,
    PI3_MAC,
    PI4_MAC,
    RELEASE,
    REQUEST,
    SERVER,
    Site,
    ip,
    mac_of,
    message,
)
from ockle.common.errors import OckleError
from ockle.netboot.dhcp.leases import State
from ockle.netboot.dhcp.packet import Type
from ockle.netboot.dhcp.routes import Route, Way, frame, route

OPEN: dict[str, Any] = {"dhcp_known_only": False}


def test_26_rfc2131_table_3_offer_and_ack_have_their_fields_and_options() -> None:
    site = Site()
    for reply in (site.must(DISCOVER, flags=0x8000), site.lease(flags=0x8000)):
        assert (reply.op, reply.xid, reply.flags, reply.mac) == (2, 0x26F30339, 0x8000, "52:54:00:00:00:03")
        assert (reply.yiaddr, reply.siaddr, reply.ciaddr, reply.giaddr) == ("10.7.0.100", SERVER, "0.0.0.0", "0.0.0.0")
        assert reply.options[54] == ip(SERVER)
        assert reply.options[51] == struct.pack("!I", 3600)
        assert reply.options[1] == ip("255.255.255.0")
        assert reply.options[3] == ip(SERVER)
        assert reply.options[28] == ip("10.7.0.255")
        assert len(reply.raw) >= 300


def test_26_rfc2132_s9_11_t1_and_t2_are_a_half_and_seven_eighths() -> None:
    ack = Site(dhcp_lease=1000.0).lease()
    assert [int.from_bytes(ack.options[code]) for code in (51, 58, 59)] == [1000, 500, 875]


@pytest.mark.parametrize(("asked", "given"), [(120, 120), (1, 60), (0, 60), (0xFFFFFFFF, 7200), (7200, 7200)])
def test_26_rfc2131_s3_3_the_lease_that_is_asked_for_has_limits(asked: int, given: int) -> None:
    site = Site(dhcp_lease=3600.0, dhcp_lease_max=7200.0)
    assert int.from_bytes(site.lease(options={51: struct.pack("!I", asked)}).options[51]) == given


def test_26_rfc2131_s2_udp_and_ip_have_their_checksums() -> None:
    for payload in (b"abc", bytes(300), b"\xff" * 301):
        raw = frame(b"\2" * 6, b"\4" * 6, ip(SERVER), ip("10.7.0.9"), (67, 68), payload)
        assert raw[:14] == b"\4" * 6 + b"\2" * 6 + b"\x08\x00"
        header, datagram = raw[14:34], raw[34:]
        assert _sum(header) == 0xFFFF
        pseudo = header[12:20] + struct.pack("!HH", 17, len(datagram))
        assert _sum(pseudo + datagram + b"\0" * (len(datagram) % 2)) == 0xFFFF
        assert struct.unpack("!HHH", datagram[:6]) == (67, 68, 8 + len(payload))
        assert struct.unpack("!H", header[2:4]) == (28 + len(payload),)
        assert datagram[8:] == payload


def _sum(words: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(words) // 2}H", words))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def test_27_rfc2131_s4_1_where_a_reply_goes() -> None:
    def where(kind: Type, **fields: Any) -> Route:
        packet = Site(**OPEN).case(message(DISCOVER, **fields)).packet
        return route(packet, kind, ip("10.7.0.100"))

    mac = bytes.fromhex("525400000003")
    assert where(Type.OFFER) == Route(Way.FRAME, ip("10.7.0.100"), mac)
    assert where(Type.OFFER, flags=0x8000) == Route(Way.BROADCAST, ip("255.255.255.255"))
    assert where(Type.ACK, ciaddr="10.7.0.50") == Route(Way.UNICAST, ip("10.7.0.50"))
    assert where(Type.NAK, ciaddr="10.7.0.50") == Route(Way.BROADCAST, ip("255.255.255.255"))
    assert where(Type.NAK, giaddr="10.9.0.1") == Route(Way.RELAY, ip("10.9.0.1"))
    assert where(Type.OFFER, giaddr="10.9.0.1", flags=0x8000) == Route(Way.RELAY, ip("10.9.0.1"))


def test_28_rfc2131_s4_3_1_a_repeated_request_gets_the_same_and_who_returns_too() -> None:
    site = Site(**OPEN)
    first = site.lease(NEW_MAC)
    again = site.must(REQUEST, NEW_MAC, {50: ip(first.yiaddr), 54: ip(SERVER)})
    assert again.raw == first.raw
    site.now += 2 * 86400  # over, but nobody else has it
    site.lease(mac_of(1))
    assert site.lease(NEW_MAC).yiaddr == first.yiaddr


def test_29_rfc2131_s4_3_2_a_request_for_another_server_is_not_ours() -> None:
    site = Site(dhcp_pool=["10.7.0.100-10.7.0.100"], **OPEN)
    site.must(DISCOVER, NEW_MAC)
    assert site.ask(DISCOVER, PC_MAC) is None
    assert site.ask(REQUEST, NEW_MAC, {50: ip("10.7.0.200"), 54: ip("10.7.0.2")}) is None
    assert site.must(DISCOVER, PC_MAC).yiaddr == "10.7.0.100", "what it did not take is free again"


def test_30_rfc2131_s4_3_1_the_address_that_is_wished_for_is_offered_if_it_is_free() -> None:
    site = Site(**OPEN)
    assert site.must(DISCOVER, NEW_MAC, {50: ip("10.7.0.150")}).yiaddr == "10.7.0.150"
    for taken in ("10.7.0.150", "10.7.0.11", "10.7.0.1", "10.7.0.250", "10.8.0.1", "255.255.255.255"):
        assert site.must(DISCOVER, mac_of(1), {50: ip(taken)}).yiaddr == "10.7.0.100"
    assert site.must(DISCOVER, mac_of(2), {50: b"\1\2"}).yiaddr == "10.7.0.101"


def test_31_rfc2131_s4_3_2_init_reboot() -> None:
    site = Site(**OPEN)
    mine = site.lease(NEW_MAC).yiaddr
    assert site.must(REQUEST, NEW_MAC, {50: ip(mine)}).type == ACK
    wrong = site.must(REQUEST, NEW_MAC, {50: ip("192.168.1.7")})
    assert (wrong.type, wrong.yiaddr) == (NAK, "0.0.0.0")
    assert not {51, 58, 59, 1, 3} & wrong.options.keys()
    assert wrong.options[54] == ip(SERVER)
    assert site.must(REQUEST, NEW_MAC, {50: ip("10.7.0.177")}).type == NAK
    assert site.ask(REQUEST, mac_of(1), {50: ip("10.7.0.178")}) is None, "nothing is known of it"
    assert site.ask(REQUEST, mac_of(1), {50: ip(mine)}) is None
    assert site.must(REQUEST, mac_of(1), {50: ip("192.168.1.7")}).type == NAK
    assert site.must(REQUEST, PI3_MAC, {50: ip("10.7.0.11")}).type == ACK
    assert site.must(REQUEST, PI3_MAC, {50: ip("10.7.0.100")}).type == NAK


def test_32_rfc2131_s4_3_2_renewing_and_rebinding() -> None:
    site = Site(**OPEN)
    mine = site.lease(NEW_MAC).yiaddr
    other = site.lease(mac_of(1)).yiaddr
    renewed = site.must(REQUEST, NEW_MAC, ciaddr=mine)
    assert (renewed.type, renewed.yiaddr, renewed.ciaddr) == (ACK, mine, mine)
    assert site.must(REQUEST, NEW_MAC, ciaddr=other).type == NAK
    assert site.must(REQUEST, mac_of(2), ciaddr=other).type == NAK, "another machine's"
    assert site.must(REQUEST, mac_of(2), ciaddr="192.168.1.7").type == NAK
    assert site.ask(REQUEST, mac_of(2), ciaddr="10.7.0.240") is None, "another server's, perhaps"
    assert site.must(REQUEST, mac_of(2), ciaddr="10.7.0.111").type == ACK, "ours, and forgotten"
    assert site.must(REQUEST, PI3_MAC, ciaddr="10.7.0.11").type == ACK
    assert site.ask(REQUEST, NEW_MAC) is None


def test_32_rfc2131_a_renewed_lease_ends_later() -> None:
    site = Site(dhcp_pool=["10.7.0.100-10.7.0.100"], **OPEN)
    mine = site.lease(NEW_MAC).yiaddr
    for _ in range(5):
        site.now += 3000
        assert site.must(REQUEST, NEW_MAC, ciaddr=mine).type == ACK
        assert site.ask(DISCOVER, PC_MAC) is None
    site.now += 3601
    assert site.must(DISCOVER, PC_MAC).yiaddr == mine


def test_33_rfc2131_s4_3_4_only_the_owner_gives_an_address_back() -> None:
    site = Site(dhcp_pool=["10.7.0.100-10.7.0.100"], **OPEN)
    mine = site.lease(NEW_MAC).yiaddr
    assert site.ask(RELEASE, PC_MAC, ciaddr=mine) is None
    assert site.ask(RELEASE, PC_MAC, {61: b"\1" + bytes.fromhex("525400000099")}, ciaddr=mine) is None
    assert site.ask(RELEASE, NEW_MAC, {54: ip("10.7.0.2")}, ciaddr=mine) is None
    assert site.ask(RELEASE, NEW_MAC, {61: b"\xff another system of it"}, ciaddr=mine) is None
    assert site.ask(DISCOVER, PC_MAC) is None
    assert site.ask(RELEASE, NEW_MAC, {54: ip(SERVER)}, ciaddr=mine) is None
    assert site.case(message(RELEASE, NEW_MAC, ciaddr=mine)).lease is None, "nothing more to write"
    assert site.must(DISCOVER, PC_MAC).yiaddr == mine


def test_34_rfc2131_s4_3_3_a_declined_address_is_given_to_nobody_for_a_while() -> None:
    site = Site(dhcp_pool=["10.7.0.100-10.7.0.101"], **OPEN)
    mine = site.lease(NEW_MAC).yiaddr
    assert site.case(message(DECLINE, PC_MAC, {50: ip(mine)})).answer.mark is None, "not its own"
    case = site.case(message(DECLINE, NEW_MAC, {50: ip(mine), 54: ip(SERVER)}))
    assert case.answer.trouble and case.lease is not None and case.lease.state is State.QUARANTINED
    assert site.lease(NEW_MAC).yiaddr == "10.7.0.101"
    assert site.ask(DISCOVER, PC_MAC) is None
    assert site.must(REQUEST, PC_MAC, {50: ip(mine), 54: ip(SERVER)}).type == NAK
    site.now += 601
    assert site.must(DISCOVER, PC_MAC).yiaddr == mine


def test_34_a_static_address_that_was_declined_is_asked_for_before_it_is_offered_again() -> None:
    for probe, asked in ((0.3, True), (0.0, False)):
        site = Site(dhcp_probe=probe)
        site.lease(PI3_MAC)
        site.ask(DECLINE, PI3_MAC, {50: ip("10.7.0.11")})
        answer = site.case(message(DISCOVER, PI3_MAC)).answer
        assert (answer.reply is Type.OFFER, answer.probe) == (asked, asked)


def test_35_rfc2131_s4_3_5_inform() -> None:
    reply = Site().must(INFORM, PC_MAC, {55: bytes((1, 3, 51, 58, 59))}, ciaddr="10.7.0.77")
    assert (reply.type, reply.yiaddr, reply.ciaddr) == (ACK, "0.0.0.0", "10.7.0.77")
    assert not {51, 58, 59} & reply.options.keys()
    assert reply.options[3] == ip(SERVER)
    assert Site().ask(INFORM, PC_MAC) is None


def test_36_rfc2131_s3_1_no_address_is_offered_to_two_clients() -> None:
    site = Site(**OPEN)
    offers = {site.must(DISCOVER, mac_of(number)).yiaddr for number in range(97)}
    assert len(offers) == 97
    again = {site.must(DISCOVER, mac_of(number)).yiaddr for number in range(97)}
    assert again == offers


def test_37_only_a_new_address_is_probed() -> None:
    site = Site(dhcp_probe=0.3, **OPEN)
    assert site.case(message(DISCOVER, NEW_MAC)).answer.probe
    assert not site.case(message(DISCOVER, NEW_MAC)).answer.probe, "it is being asked for already"
    site.lease(NEW_MAC)
    site.now += 100
    assert not site.case(message(DISCOVER, NEW_MAC)).answer.probe, "it is in use: by this very client"
    site.now += 4000
    assert site.case(message(DISCOVER, NEW_MAC)).answer.probe
    assert not site.case(message(DISCOVER, PI3_MAC)).answer.probe


def test_38_rfc1542_s4_1_a_relay_is_answered_and_finds_its_own_again() -> None:
    site = Site(dhcp_networks=["10.9.0.0/24"], dhcp_pool=["10.9.0.50-10.9.0.60"], **OPEN)
    agent = b"\1\x04eth7\2\6\2\2\2\2\2\2"
    reply = site.must(DISCOVER, NEW_MAC, {82: agent}, giaddr="10.9.0.1", flags=0x8000, hops=1)
    assert (reply.type, reply.yiaddr, reply.giaddr, reply.flags) == (OFFER, "10.9.0.50", "10.9.0.1", 0x8000)
    assert reply.options[82] == agent and reply.order[-1] == 82
    assert reply.options[3] == ip("10.9.0.1")
    assert site.ask(DISCOVER, NEW_MAC, giaddr="10.55.0.1") is None
    assert "dhcp_networks" in site.case(message(DISCOVER, NEW_MAC, giaddr="10.55.0.1")).answer.reason
    nak = site.must(REQUEST, NEW_MAC, {50: ip("10.7.0.5")}, giaddr="10.9.0.1")
    assert (nak.type, nak.flags & 0x8000) == (NAK, 0x8000), "the relay is to broadcast it"


def test_39_rfc2131_s4_2_the_client_identifier_is_what_a_client_is_known_by() -> None:
    site = Site(**OPEN)
    first = site.lease(NEW_MAC, {61: b"\xffone"})
    assert site.lease(NEW_MAC, {61: b"\xfftwo"}).yiaddr != first.yiaddr
    assert site.lease(mac_of(7), {61: b"\xffone"}).yiaddr == first.yiaddr, "another card of the same machine"
    assert first.options[61] == b"\xffone"  # RFC 6842
    assert site.lease(mac_of(9), {61: b"\1"}).yiaddr != site.lease(mac_of(10), {61: b"\1"}).yiaddr, "no identifier"
    plain = site.lease(mac_of(8)).yiaddr
    assert site.lease(mac_of(8), {61: b"\1" + bytes.fromhex(mac_of(8).replace(":", ""))}).yiaddr == plain


def test_40_a_host_has_its_address_and_nobody_else_gets_it() -> None:
    site = Site(dhcp_pool=["10.7.0.1-10.7.0.13"], **OPEN)
    assert site.lease(PI3_MAC, {50: ip("10.7.0.5")}).yiaddr == "10.7.0.11"
    assert site.lease(PI3_MAC, {61: b"\xff of its system"}).yiaddr == "10.7.0.11"
    given = [site.lease(mac_of(number)).yiaddr for number in range(10)]
    assert sorted(given) == sorted(f"10.7.0.{number}" for number in (2, 3, 4, 5, 6, 7, 8, 9, 10, 13))
    assert site.ask(DISCOVER, NEW_MAC) is None
    assert site.must(REQUEST, NEW_MAC, {50: ip("10.7.0.12"), 54: ip(SERVER)}).type == NAK
    assert site.must(DISCOVER, PI4_MAC).yiaddr == "10.7.0.12"


def test_40_hosts_csv_is_edited_while_it_serves() -> None:
    site = Site(dhcp_pool=["10.7.0.100-10.7.0.101"], **OPEN)
    assert site.lease(NEW_MAC).yiaddr == "10.7.0.100"
    site.hosts = f"{HOSTS}{NEW_MAC};10.7.0.42;new;0\n{mac_of(5)};10.7.0.100;taken;0\n"
    site.desk.hosts_changed()
    assert site.must(REQUEST, NEW_MAC, ciaddr="10.7.0.100").type == NAK, "it has an address of its own now"
    assert site.lease(NEW_MAC).yiaddr == "10.7.0.42"
    refused = site.case(message(DISCOVER, mac_of(5)))
    assert not refused.reply and refused.answer.trouble, "its address is still in use by another machine"
    site.now += 3601
    assert site.lease(mac_of(5)).yiaddr == "10.7.0.100"
    site.hosts = HOSTS
    site.desk.hosts_changed()
    assert {site.lease(mac_of(6)).yiaddr} == {"10.7.0.101"}


def test_40_an_address_outside_the_network_is_told() -> None:
    site = Site(f"{PI3_MAC};172.16.0.9;pi3;0\n")
    case = site.case(message(DISCOVER, PI3_MAC))
    assert not case.reply and case.answer.trouble
    assert case.answer.reason == "its own address 172.16.0.9 is not in 10.7.0.0/24, where it asks"


def test_41_clients_with_the_same_transaction_number_are_kept_apart() -> None:
    site = Site(**OPEN)
    offers = {number: site.must(DISCOVER, mac_of(number), xid=7).yiaddr for number in range(90)}
    for number, offered in offers.items():
        ack = site.must(REQUEST, mac_of(number), {50: ip(offered), 54: ip(SERVER)}, xid=7)
        assert (ack.type, ack.yiaddr, ack.mac) == (ACK, offered, mac_of(number))


def test_47_exhaustion_is_silent_and_over_with_a_release() -> None:
    site = Site(dhcp_pool=["10.7.0.100-10.7.0.102"], **OPEN)
    given = [site.lease(mac_of(number)).yiaddr for number in range(3)]
    case = site.case(message(DISCOVER, NEW_MAC))
    assert (case.reply, case.answer.trouble) == (b"", True)
    assert site.lease(PI3_MAC).yiaddr == "10.7.0.11", "who has an own address gets it"
    site.ask(RELEASE, mac_of(1), ciaddr=given[1])
    assert site.lease(NEW_MAC).yiaddr == given[1]


def test_47_what_was_free_the_longest_is_given_first() -> None:
    site = Site(dhcp_pool=["10.7.0.100-10.7.0.104"], **OPEN)
    for number in range(4):
        site.lease(mac_of(number))
    for number in (2, 0):
        site.ask(RELEASE, mac_of(number), ciaddr=f"10.7.0.10{number}")
    assert [site.lease(mac_of(number)).yiaddr[-3:] for number in (7, 8, 9)] == ["104", "102", "100"]


def test_49_a_machine_that_hosts_csv_does_not_know_gets_no_answer() -> None:
    site = Site()
    for kind in (DISCOVER, REQUEST, INFORM, DECLINE, RELEASE):
        case = site.case(message(kind, NEW_MAC, {50: ip("10.7.0.100")}, ciaddr="10.7.0.100"))
        assert (case.reply, case.answer.reason) == (b"", "hosts.csv does not know it")
    assert site.lease(PC_MAC).yiaddr == "10.7.0.100", "a host without an address has one of the pool"


def test_50_pxe_s2_2_proxydhcp_tells_what_to_boot_and_no_address() -> None:
    site = Site(dhcp_mode="proxy", dhcp_boot_bios="pxelinux.0")
    pxe = {60: b"PXEClient:Arch:00000:UNDI:002001", 93: b"\0\0", 97: b"\0" + b"m" * 16}
    offer = site.must(DISCOVER, PC_MAC, pxe)
    assert (offer.type, offer.yiaddr, offer.siaddr) == (OFFER, "0.0.0.0", SERVER)
    assert offer.options[60] == b"PXEClient" and offer.options[43] and offer.options[67] == b"pxelinux.0"
    assert offer.options[97] == pxe[97]
    assert not {1, 3, 51, 58, 59} & offer.options.keys()
    assert site.ask(DISCOVER, PC_MAC) is None, "a running system has its own server"
    assert site.ask(REQUEST, PC_MAC, {**pxe, 54: ip("10.7.0.2"), 50: ip("10.7.0.9")}) is None
    assert site.ask(DISCOVER, NEW_MAC, pxe) is None
    assert site.desk.leases.all() == []


def test_50_pxe_s2_2_port_4011_acknowledges_with_the_boot_file() -> None:
    site = Site(dhcp_mode="proxy", dhcp_boot_uefi64="grubx64.efi")
    asked = message(REQUEST, PC_MAC, {60: b"PXEClient:Arch:00007", 93: b"\0\7"}, ciaddr="10.7.0.77")
    case = site.case(asked, boot_port=True)
    assert case.answer.reply is Type.ACK
    assert b"grubx64.efi" in case.reply
    assert case.reply[16:20] == bytes(4)
    assert not site.case(message(DISCOVER, PC_MAC, {60: b"PXEClient"}), boot_port=True).reply
    assert not site.case(message(REQUEST, PC_MAC, {60: b"PXEClient", 54: ip("10.7.0.2")}), boot_port=True).reply


def test_rfc1534_s2_a_bootp_client_gets_its_own_address_for_ever() -> None:
    site = Site()
    reply = site.must(None, PI3_MAC, file=b"")
    assert (reply.op, reply.yiaddr, reply.siaddr) == (2, "10.7.0.11", SERVER)
    assert not {51, 53, 54, 58, 59} & reply.options.keys()
    assert len(reply.raw) >= 300
    assert site.ask(None, PC_MAC) is None


def test_rfc1542_s4_1_1_too_many_hops() -> None:
    assert Site().must(DISCOVER, hops=16).type == OFFER
    assert Site().ask(DISCOVER, hops=17) is None


def test_an_offer_does_not_shorten_a_lease() -> None:
    site = Site(dhcp_pool=["10.7.0.100-10.7.0.100"], **OPEN)
    site.lease(NEW_MAC)
    site.must(DISCOVER, NEW_MAC)
    site.now += 1000
    assert site.ask(DISCOVER, PC_MAC) is None


def test_what_the_disk_refused_is_taken_back() -> None:
    site = Site(dhcp_pool=["10.7.0.100-10.7.0.100"], **OPEN)
    offered = site.must(DISCOVER, NEW_MAC).yiaddr
    case = site.case(message(REQUEST, NEW_MAC, {50: ip(offered), 54: ip(SERVER)}))
    site.desk.undo(case)
    lease = site.desk.leases.at(ip(offered))
    assert lease is not None and lease.state is State.OFFERED
    site.now += 61
    assert site.lease(PC_MAC).yiaddr == offered


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dhcp_pool": ["10.7.0.9-10.7.0.5"]}, "dhcp_pool: 10.7.0.9-10.7.0.5 ends before it begins"),
        ({"dhcp_pool": ["10.7.0"]}, "dhcp_pool: '10.7.0' is not a range"),
        ({"dhcp_pool": ["10.9.0.5"]}, "lies in none of the networks 10.7.0.0/24"),
        ({"dhcp_networks": ["10.9.0.1/24"]}, "dhcp_networks: '10.9.0.1/24' is not a network"),
        ({"dhcp_dns": ["dns.test"]}, "dhcp_dns: 'dns.test' is not an IPv4 address"),
        ({"dhcp_router": "gate"}, "dhcp_router: 'gate' is not an IPv4 address"),
    ],
)
def test_a_wrong_option_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(OckleError, match=said):
        Site(**changes)
