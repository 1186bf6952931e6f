"""MAC addresses in the form of hosts.csv: upper case, with colons."""

from __future__ import annotations

from ..common.mac import normalised


def parse_mac(text: str) -> str:
    """Return ``B8:27:EB:01:02:03``, however it was written. Raises ValueError."""
    return normalised(text).upper()


def mac_bytes(mac: str) -> bytes:
    """Return the six bytes of a MAC address in the form of ``parse_mac``."""
    return bytes.fromhex(mac.replace(":", ""))


def of_bytes(raw: bytes) -> str:
    """Return six bytes of a packet in the form of ``parse_mac``."""
    return raw.hex(":").upper()
