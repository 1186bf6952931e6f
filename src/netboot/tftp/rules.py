"""The options of the TFTP server as the transfers need them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .transfer import WRAP_TO_0, WRAP_TO_1

MOST_BLOCKS = 65535
"""How many blocks have numbers of their own."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What src/config/plugins/NetBoot.ini says. ``client_rate`` 0: no limit; ``max_block`` 0: what a frame holds."""

    transfers: int = 500
    client_transfers: int = 16
    client_rate: int = 200
    timeout_s: float = 1.0
    tries: int = 5
    max_block: int = 0
    max_window: int = 64
    rollover: str = "0"

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Rules:
        return cls(
            settings["tftp_transfers"],
            settings["tftp_client_transfers"],
            settings["tftp_client_rate"],
            settings["tftp_timeout"],
            settings["tftp_retries"],
            settings["tftp_max_block"],
            settings["tftp_max_window"],
            settings["tftp_rollover"],
        )

    @property
    def modulus(self) -> int:
        return WRAP_TO_1 if self.rollover == "1" else WRAP_TO_0


def blocks_warning(file: str, size: int, block: int) -> str:
    """Return what is to be said of a file that has more blocks than there are numbers for, "" = it has not.

    Source: raspberrypi/rpi-eeprom issues 720 and 755.
    """
    count = size // block + 1
    if count <= MOST_BLOCKS:
        return ""
    return (
        f"TFTP: {file} has {count} blocks of {block} bytes; a Raspberry Pi 4, or a Pi 5 with an EEPROM from before"
        f" 2025-09-23, cannot load more than {MOST_BLOCKS}"
    )
