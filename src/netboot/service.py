"""What a service of the boot server is, and what all of them are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..common.clock import Clock
from .boards import Boards
from .host_book import HostBook
from .profiles import Profiles
from .reporter import Reporter
from .wire import Wire


@dataclass
class BootContext:
    """``settings`` are the options of [plugins.NetBoot], typed; ``root`` and ``images`` absolute folders.

    ``settings`` and ``profiles`` are other objects after a change of the configuration: read them when needed.
    """

    settings: Mapping[str, Any]
    wire: Wire
    hosts: HostBook
    profiles: Profiles
    boards: Boards
    clock: Clock
    report: Reporter
    root: Path
    images: Path


class Service(Protocol):
    """DHCP, TFTP, the installation, NTP. Everything is called on the boot server's loop, and may not block it."""

    name: str

    async def open(self) -> None:
        """Begin to serve. Raises OckleError that names the address, and what to do."""

    async def close(self) -> None:
        """Stop within a second. Harmless for a service that is not open."""

    def live(self) -> dict[str, Any]:
        """Return plain values for people: ``addresses`` (HOST:PORT each), and ``transfers``, ``unknown`` … if any."""

    def reconfigured(self) -> None:
        """The hosts or the profiles have changed."""
