"""What a firmware is told to boot, and the words that each one needs for it.

Raspberry Pi: option 43 with the menu entry "Raspberry Pi Boot"; the 3B looks at three letters too many, so blanks
follow (documentation, "network booting"). Option 66 ends with a zero byte: an EEPROM of 2019 misreads short addresses
without it.
PXE: option 43 "boot the file of this offer, look for no boot server" (PXE 2.1 section 2.2.3, tag 6).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .clients import Client, Kind
from .config import DhcpConfig
from .options import BOOT_FILE, CLASS_ID, TFTP_SERVER, VENDOR

_PI_BOOT = b"Raspberry Pi Boot"
_NO_DISCOVERY = bytes.fromhex("060108ff")
_BY_ARCHITECTURE = {6: "uefi32", 7: "uefi64", 9: "uefi64", 10: "uefi_arm32", 11: "uefi_arm64"}
_LOADS_IPXE = re.compile(r"ipxe|undionly|snponly|\.kpxe", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class BootOptions:
    """``file`` is also the field of that name; ``options`` are sent whether the firmware wants them or not."""

    file: bytes = b""
    options: tuple[tuple[int, bytes], ...] = ()


def boot_options(client: Client, config: DhcpConfig, boot_file: str = "") -> BootOptions:
    """Return what ``client`` is told. ``boot_file`` is the one of its profile, "" = that of its architecture."""
    file = (boot_file or _file_of(client, config)).encode()
    if not client.firmware:
        return BootOptions(boot_file.encode(), _named(boot_file.encode()))
    server = ".".join(map(str, config.server)).encode()
    if client.pi:
        spaces = b"" if client.kind in {Kind.PI3P, Kind.PI4, Kind.PI5} else b"   "
        vendor = pi_vendor(_PI_BOOT + spaces)
        return BootOptions(
            file, ((CLASS_ID, b"PXEClient"), (VENDOR, vendor), (TFTP_SERVER, server + b"\0"), *_named(file))
        )
    if client.kind is Kind.HTTP:
        return BootOptions(file, ((CLASS_ID, b"HTTPClient"), *_named(file)))
    return BootOptions(file, ((CLASS_ID, b"PXEClient"), (VENDOR, _NO_DISCOVERY), (TFTP_SERVER, server), *_named(file)))


def pi_vendor(text: bytes) -> bytes:
    """Return option 43 as a Raspberry Pi expects it: a boot menu with one entry."""
    menu = b"\0\0" + bytes((len(text),)) + text
    return b"\x06\x01\x03\x0a\x04\0PXE\x09" + bytes((len(menu),)) + menu + b"\xff"


def _file_of(client: Client, config: DhcpConfig) -> str:
    files = config.boot_files or {}
    if client.pi:
        return files.get("pi", "")
    if client.kind is Kind.HTTP:
        return files.get("http", "")
    file = files.get(_BY_ARCHITECTURE.get(client.architecture or 0, "bios"), "")
    if client.kind is Kind.IPXE:
        # what loaded iPXE would only load it again
        return files.get("ipxe", "") or ("" if _LOADS_IPXE.search(file) else file)
    return file


def _named(file: bytes) -> tuple[tuple[int, bytes], ...]:
    return ((BOOT_FILE, file),) if file else ()
