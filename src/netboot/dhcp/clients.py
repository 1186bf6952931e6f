"""Who asks: a firmware and which one, or a system that runs already. Told from all that they send.

Sources: RFC 4578 (options 93, 97), the IANA list of processor architectures, iPXE (options 77 and 175), and for the
Raspberry Pi its documentation of DHCP_OPTION97 and captures of each generation (docs/netboot-raspberry-pi.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .options import ARCHITECTURE, CLASS_ID, IPXE, MACHINE_ID, USER_CLASS
from .packet import Packet


class Kind(StrEnum):
    """The value is for people."""

    SYSTEM = "system"
    PXE = "PXE"
    IPXE = "iPXE"
    HTTP = "HTTP boot"
    PI = "Raspberry Pi"
    PI3 = "Raspberry Pi 3"
    PI3P = "Raspberry Pi 3B+"
    PI4 = "Raspberry Pi 4"
    PI5 = "Raspberry Pi 5"


PIS = frozenset({Kind.PI, Kind.PI3, Kind.PI3P, Kind.PI4, Kind.PI5})
PI_MACS = frozenset(
    bytes.fromhex(prefix) for prefix in ("b827eb", "dca632", "e45f01", "d83add", "2ccf67", "28cdc1", "88a29e", "3a3541")
)
"""The first three bytes of their Ethernet addresses."""
_PI3_ID = bytes.fromhex("44" * 16)

ARCHITECTURES = {
    0: "BIOS", 6: "UEFI x86", 7: "UEFI x86-64", 9: "UEFI x86-64", 10: "UEFI arm", 11: "UEFI arm64",
    15: "UEFI x86 HTTP", 16: "UEFI x86-64 HTTP", 18: "UEFI arm HTTP", 19: "UEFI arm64 HTTP",
}  # fmt: skip
_PXE_CLASS, _HTTP_CLASS = b"PXEClient", b"HTTPClient"


@dataclass(frozen=True, slots=True)
class Client:
    """Who sent a message.

    ``architecture``  option 93, None = not told; a Raspberry Pi says 0, "BIOS"
    ``serial``        eight hexadecimal digits as a Raspberry Pi's folder of boot files is named, "" = not told
    ``machine``       option 97 as it was sent, to be given back (RFC 4578 section 2.3)
    """

    kind: Kind
    architecture: int | None = None
    serial: str = ""
    machine: bytes = b""

    @property
    def firmware(self) -> bool:
        return self.kind is not Kind.SYSTEM

    @property
    def pi(self) -> bool:
        return self.kind in PIS

    @property
    def arch(self) -> str:
        """The architecture for people; "" for a Pi, which tells it wrong."""
        if self.architecture is None or self.pi:
            return ""
        return ARCHITECTURES.get(self.architecture, f"architecture {self.architecture}")


_SYSTEM = Client(Kind.SYSTEM)
_SIGNS = frozenset({CLASS_ID, ARCHITECTURE, MACHINE_ID, USER_CLASS, IPXE})


def identify(packet: Packet) -> Client:
    """Return who sent ``packet``.

    A Pi 4 or 5 leaves option 60 out of its REQUEST: architecture and machine tell it there.
    """
    options = packet.options
    if _SIGNS.isdisjoint(options):
        return _SYSTEM
    machine = options.get(MACHINE_ID, b"")
    name = options.get(CLASS_ID, b"")
    architecture = packet.architecture
    pi, serial = _raspberry(packet.hardware, machine)
    if is_ipxe(options):
        kind = Kind.IPXE
    elif pi is not None and not name.startswith(_HTTP_CLASS) and (architecture == 0 or name.startswith(_PXE_CLASS)):
        kind = pi
    elif name.startswith(_HTTP_CLASS):
        kind = Kind.HTTP
    elif name.startswith(_PXE_CLASS) or architecture is not None:
        kind = Kind.PXE
    else:
        return _SYSTEM
    return Client(kind, architecture, serial, machine)


def is_ipxe(options: dict[int, bytes]) -> bool:
    """Tell whether iPXE asks. Its user class comes as plain text or, as RFC 3004 has it, behind its length."""
    return IPXE in options or options.get(USER_CLASS, b"") in {b"iPXE", b"\x04iPXE"}


def _raspberry(hardware: bytes, machine: bytes) -> tuple[Kind | None, str]:
    """Return the generation of a Raspberry Pi and its serial number; None = it is none."""
    raw = machine[1:] if len(machine) == 17 else machine
    if len(raw) == 16:
        if raw == _PI3_ID:
            return Kind.PI3, ""
        if raw[:4] in {b"RPi4", b"RPi5"}:
            return Kind.PI5 if raw[3:4] == b"5" else Kind.PI4, _number(raw[12:])
        if raw[:4] * 4 == raw and hardware[:3] in PI_MACS:
            # the serial number four times: 3B+, and a Pi 4 of 2019 or with DHCP_OPTION97=0
            return Kind.PI3P if hardware[:3] == b"\xb8\x27\xeb" else Kind.PI4, _number(raw[:4])
    return (Kind.PI, "") if hardware[:3] in PI_MACS else (None, "")


def _number(raw: bytes) -> str:
    return f"{int.from_bytes(raw, 'little'):08x}"
