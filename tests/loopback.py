"""A guard that lets nothing but loopback traffic out of the test process, whichever library makes it."""

from __future__ import annotations

import ipaddress
import socket
import sys

_LOCAL_NAMES = ("", "localhost")
_LOCAL_DOMAINS = (".localhost", ".invalid")  # RFC 6761: nobody's names
strayed: list[str] = []
"""What the running test tried, and was refused."""


def is_local(host: object) -> bool:
    """Whether ``host`` (name or address, as given to the socket module) can only mean this machine, or nobody."""
    if host is None:
        return True
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return text.lower() in _LOCAL_NAMES or text.lower().endswith(_LOCAL_DOMAINS)
    return address.is_loopback or address.is_unspecified


def _guard(event: str, args: tuple[object, ...]) -> None:
    """Audit hook: sees every connection of this process, whichever library makes it."""
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        channel, address = args[0], args[1]
        internet = isinstance(channel, socket.socket) and channel.family in (socket.AF_INET, socket.AF_INET6)
        if not internet or not isinstance(address, tuple) or is_local(address[0]):
            return
    elif event == "socket.getaddrinfo":
        address = args[0]
        if is_local(address):
            return
    else:
        return
    strayed.append(f"{event} {address!r}")
    raise PermissionError(f"tests speak to loopback only: {event} {address!r}")


def install() -> None:
    """Guard this process until it ends (an audit hook cannot be taken back)."""
    sys.addaudithook(_guard)
