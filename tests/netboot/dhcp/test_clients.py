"""Who asks, and what each is told to boot: netboot checklist 42, and what each Raspberry Pi generation sends."""

from __future__ import annotations

from typing import Any

import pytest

from dhcp_site import ACK, DISCOVER, HOSTS, OFFER, PC_MAC, PI3_MAC, PI4_MAC, REQUEST, Site, ip, message
from ockle.netboot.dhcp.clients import Client, Kind, identify
from ockle.netboot.dhcp.packet import parse

PXE_CLASS = b"PXEClient:Arch:00000:UNDI:002001"
PI_WANTS = bytes((43, 60, 66, 67, *range(128, 136)))
PI = {60: PXE_CLASS, 93: b"\0\0", 94: b"\1\2\1", 55: PI_WANTS}
PI3 = {**PI, 97: b"\0" + b"\x44" * 16}
PI3P = {**PI, 97: b"\0" + bytes.fromhex("efcdab90") * 4}
PI4 = {**PI, 97: b"\0RPi4" + bytes.fromhex("1131c000") + bytes.fromhex("32000002") + bytes.fromhex("a1b2c3d4")}
PI5 = {**PI, 97: PI4[97].replace(b"RPi4", b"RPi5")}
PI5_MAC = "2c:cf:67:00:00:05"
FILES: dict[str, Any] = {
    "dhcp_boot_bios": "undionly.kpxe",
    "dhcp_boot_uefi32": "ia32.efi",
    "dhcp_boot_uefi64": "ipxe.efi",
    "dhcp_boot_uefi_arm32": "arm.efi",
    "dhcp_boot_uefi_arm64": "snponly.efi",
    "dhcp_boot_http": "http://10.7.0.1/boot.efi",
}


def pxe(architecture: int, name: bytes = b"PXEClient") -> dict[int, bytes]:
    return {60: name + b":Arch:%05d:UNDI:003016" % architecture, 93: architecture.to_bytes(2), 97: b"\0" + b"m" * 16}


@pytest.mark.parametrize(
    ("mac", "options", "expected"),
    [
        (PI3_MAC, PI3, Client(Kind.PI3, 0, "", PI3[97])),
        (PI3_MAC, PI3P, Client(Kind.PI3P, 0, "90abcdef", PI3P[97])),
        (PI4_MAC, PI4, Client(Kind.PI4, 0, "d4c3b2a1", PI4[97])),
        (PI4_MAC, {**PI, 97: PI3P[97]}, Client(Kind.PI4, 0, "90abcdef", PI3P[97])),
        (PI5_MAC, PI5, Client(Kind.PI5, 0, "d4c3b2a1", PI5[97])),
        (PI3_MAC, PI, Client(Kind.PI, 0)),
        (PC_MAC, PI4, Client(Kind.PI4, 0, "d4c3b2a1", PI4[97])),  # a MAC address of its owner's choice
        (PI3_MAC, {55: b"\1\3\6"}, Client(Kind.SYSTEM)),
        (PI3_MAC, {60: b"dhcpcd-9.4.1:Linux-6.1"}, Client(Kind.SYSTEM)),
        (PC_MAC, {60: b"udhcp 1.35.0"}, Client(Kind.SYSTEM)),
        (PC_MAC, pxe(0), Client(Kind.PXE, 0, "", b"\0" + b"m" * 16)),
        (PC_MAC, pxe(7), Client(Kind.PXE, 7, "", b"\0" + b"m" * 16)),
        (PC_MAC, pxe(16, b"HTTPClient"), Client(Kind.HTTP, 16, "", b"\0" + b"m" * 16)),
        (PI4_MAC, pxe(19, b"HTTPClient"), Client(Kind.HTTP, 19, "6d6d6d6d", b"\0" + b"m" * 16)),
        (PC_MAC, {**pxe(7), 77: b"iPXE"}, Client(Kind.IPXE, 7, "", b"\0" + b"m" * 16)),
        (PC_MAC, {77: b"\x04iPXE"}, Client(Kind.IPXE)),
        (PC_MAC, {175: b"\xb1\5\1\x80\x86\x10\x0e"}, Client(Kind.IPXE)),
        (PC_MAC, {77: b"other"}, Client(Kind.SYSTEM)),
        (PC_MAC, {93: b"\0"}, Client(Kind.SYSTEM)),
    ],
    ids=lambda value: value.kind if isinstance(value, Client) else "",
)
def test_42_rfc4578_who_asks(mac: str, options: dict[int, bytes], expected: Client) -> None:
    assert identify(parse(message(DISCOVER, mac, options))) == expected


@pytest.mark.parametrize(
    ("architecture", "file"),
    [(0, "undionly.kpxe"), (6, "ia32.efi"), (7, "ipxe.efi"), (9, "ipxe.efi"), (10, "arm.efi"), (11, "snponly.efi")],
)
def test_42_rfc4578_s2_1_each_architecture_has_its_boot_file(architecture: int, file: str) -> None:
    reply = Site(**FILES).must(DISCOVER, PC_MAC, pxe(architecture))
    assert reply.siaddr == "10.7.0.1"
    assert reply.file.rstrip(b"\0") == reply.options[67] == file.encode()
    assert reply.options[60] == b"PXEClient"
    assert reply.options[66] == b"10.7.0.1"
    assert reply.options[43] == b"\x06\x01\x08\xff"
    assert reply.options[97] == b"\0" + b"m" * 16


def test_42_uefi_http_boot_gets_its_url() -> None:
    reply = Site(**FILES).must(DISCOVER, PC_MAC, pxe(16, b"HTTPClient"))
    assert (reply.options[60], reply.options[67]) == (b"HTTPClient", b"http://10.7.0.1/boot.efi")
    assert 43 not in reply.options


def test_42_ipxe_is_not_told_to_load_ipxe_again() -> None:
    ipxe = {**pxe(7), 175: b"\xb1\1\1"}
    told = Site(**FILES, dhcp_boot_ipxe="boot.ipxe").must(DISCOVER, PC_MAC, ipxe)
    assert told.options[67] == b"boot.ipxe"
    assert 67 not in Site(**FILES).must(DISCOVER, PC_MAC, ipxe).options
    plain = Site(dhcp_boot_uefi64="grubx64.efi").must(DISCOVER, PC_MAC, ipxe)
    assert plain.options[67] == b"grubx64.efi"


def test_42_the_file_of_a_profile_is_told_in_the_place_of_the_others() -> None:
    site = Site(**FILES)
    site.profiles["pc"] = "rescue.efi"
    assert site.must(DISCOVER, PC_MAC, pxe(7)).options[67] == b"rescue.efi"
    assert site.must(DISCOVER, PC_MAC, {55: b"\1"}).file.startswith(b"rescue.efi\0")
    assert site.must(DISCOVER, PI4_MAC, PI4).options[67] == b"bootcode.bin"


def test_42_a_running_system_is_not_told_to_boot() -> None:
    reply = Site(**FILES).must(DISCOVER, PC_MAC, {55: b"\1\3\x43\x42", 60: b"udhcp 1.35.0"})
    assert not any(reply.file)
    assert {43, 60, 66, 67}.isdisjoint(reply.options)


@pytest.mark.parametrize(
    ("mac", "options", "menu"),
    [
        (PI3_MAC, PI3, b"Raspberry Pi Boot   "),  # the 3B compares three letters too many
        (PI3_MAC, PI, b"Raspberry Pi Boot   "),
        (PI3_MAC, PI3P, b"Raspberry Pi Boot"),
        (PI4_MAC, PI4, b"Raspberry Pi Boot"),
    ],
)
def test_42_a_raspberry_pi_finds_its_menu_entry(mac: str, options: dict[int, bytes], menu: bytes) -> None:
    reply = Site().must(DISCOVER, mac, options, flags=0)
    vendor = reply.options[43]
    assert vendor.startswith(b"\x06\x01\x03" + b"\x0a\x04\0PXE")
    assert vendor[9:] == b"\x09" + bytes((len(menu) + 3,)) + b"\0\0" + bytes((len(menu),)) + menu + b"\xff"
    assert reply.options[60] == b"PXEClient"
    assert reply.options[66] == b"10.7.0.1\0"  # EEPROM of 2019-12: short addresses need a byte behind them
    assert reply.options.get(97) == options.get(97)
    assert reply.order.index(43) < reply.order.index(66)


def test_a_raspberry_pi_4_leaves_its_class_out_of_the_request_and_is_told_the_same() -> None:
    site = Site()
    offer = site.must(DISCOVER, PI4_MAC, PI4)
    request = {code: value for code, value in PI4.items() if code != 60}
    ack = site.must(REQUEST, PI4_MAC, {**request, 50: ip(offer.yiaddr), 54: ip("10.7.0.1")})
    assert (offer.type, ack.type) == (OFFER, ACK)
    assert {code: ack.options[code] for code in (43, 60, 66, 67, 97)} == {
        code: offer.options[code] for code in (43, 60, 66, 67, 97)
    }


def test_a_raspberry_pi_3_never_requests_and_its_offer_stays_its_own() -> None:
    site = Site(f"{PI3_MAC};;pi3;0\n{HOSTS.splitlines()[2]}\n", dhcp_pool=["10.7.0.100-10.7.0.100"])
    case = site.case(message(DISCOVER, PI3_MAC, PI3))
    assert case.reply and case.lease is not None, "an offer that is used without a request is written down"
    site.now += 4
    again = site.case(message(DISCOVER, PI3_MAC, PI3))
    assert again.reply and again.lease is None, "it is on disk for long enough yet"
    site.now += 310
    assert site.case(message(DISCOVER, PI3_MAC, PI3)).lease is not None
    site.now += 300
    assert site.ask(DISCOVER, PC_MAC) is None
    assert site.must(DISCOVER, PI3_MAC, PI3).yiaddr == "10.7.0.100"
    site.now += 601
    assert site.must(DISCOVER, PC_MAC).yiaddr == "10.7.0.100"
