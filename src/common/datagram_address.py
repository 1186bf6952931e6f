"""Where datagrams to a host go: found in time, and at once where the host is an address already."""

from __future__ import annotations

import asyncio
import socket
from typing import Any


async def find_address(host: str, port: int, timeout: float, family: int = socket.AF_UNSPEC) -> tuple[Any, ...]:
    """Return the socket's form of ``host`` and ``port``; asks for names for ``timeout`` seconds at most.

    A numeric host waits for nobody: look-ups take turns in a few threads, and names that nobody answers for hold these.
    Raises OSError, a TimeoutError among them, and UnicodeError for what can be no name.
    """
    kind = socket.SOCK_DGRAM
    try:
        found = socket.getaddrinfo(host, port, family, kind, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        async with asyncio.timeout(timeout):
            found = await asyncio.get_running_loop().getaddrinfo(host, port, family=family, type=kind)
    return found[0][4]
