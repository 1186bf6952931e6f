"""The sockets of a DHCP server: what they are bound to, and how a reply leaves them."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable

from ...common.errors import OckleError
from ..mac import mac_bytes
from ..wire import Wire
from .arp import ETHERTYPE
from .routes import EVERYBODY_IP, Route, Way, frame

RECEIVE_BYTES = 4 << 20
"""A rack that is switched on asks all at once."""
MOST_BYTES = 4096
_PKTINFO = 8  # IP_PKTINFO of ip(7); the socket module has no name for it


def open_udp(wire: Wire, port: int, what: str, *, address: str | None = None) -> socket.socket:
    """Return a socket for ``port`` on the wire only. ``address``: bound to it instead of to all addresses of the wire.

    Raises OckleError, one line that says how to mend it.
    """
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        if wire.loopback:
            one.bind((str(wire.address), port))
        else:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, wire.interface.encode() + b"\0")
            if address is not None:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind((address or "0.0.0.0", port))  # noqa: S104 - broadcasts, of this interface only
    except OSError as error:
        one.close()
        mend = {
            errno.EADDRINUSE: "another server has it: stop that one, or take dhcp out of `services`",
            errno.EACCES: "ports below 1024 need root or the capability CAP_NET_BIND_SERVICE",
            errno.EPERM: "the interface needs root or the capability CAP_NET_RAW",
        }.get(error.errno or 0, "look at `interface`")
        raise OckleError(
            f"cannot listen on UDP port {port} of {wire.interface} for {what}: {error.strerror}; {mend}"
        ) from error
    return one


def open_frames(wire: Wire) -> socket.socket | None:
    """Return a socket for whole Ethernet frames, which receives ARP; None where that is not allowed or not possible."""
    if wire.loopback:
        return None
    try:
        one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.htons(ETHERTYPE))
    except OSError:
        return None
    try:
        one.bind((wire.interface, ETHERTYPE))
    except OSError:
        one.close()
        return None
    return one


class Sender:
    """Sends replies. ``problem`` is told of each that the kernel refuses, and of nothing else.

    ``frames``  None: clients without an address are answered by broadcast, as RFC 2131 section 4.1 allows
    """

    def __init__(
        self,
        wire: Wire,
        udp: socket.socket,
        frames: socket.socket | None,
        client_port: int,
        problem: Callable[[str], None],
    ) -> None:
        self._udp, self._frames = udp, frames
        self._wire, self._mac, self._address = wire, mac_bytes(wire.mac), wire.address.packed
        self._port: int = udp.getsockname()[1]
        self._client_port = client_port
        self._problem = problem
        self._from = [(socket.IPPROTO_IP, _PKTINFO, struct.pack("=I4s4s", 0, self._address, bytes(4)))]

    def send(self, route: Route, payload: bytes) -> None:
        """Send a reply."""
        if route.way is Way.RELAY:
            self._datagram(payload, route.ip, self._port)
        elif route.way is Way.UNICAST or self._frames is None:
            ip = route.ip if route.way is Way.UNICAST else EVERYBODY_IP
            self._datagram(payload, ip, self._client_port)
        else:
            ports = (self._port, self._client_port)
            self._frame(frame(self._mac, route.mac, self._address, route.ip, ports, payload))

    def send_frame(self, raw: bytes) -> None:
        """Send a whole frame, if that is possible at all."""
        if self._frames is not None:
            self._frame(raw)

    def send_back(self, payload: bytes, source: tuple[str, int], by: socket.socket) -> None:
        """Answer a datagram where it came from, by the socket that it came to."""
        try:
            by.sendto(payload, source)
        except OSError as error:
            self._problem(f"a reply to {source[0]} cannot be sent: {error.strerror}")

    def _datagram(self, payload: bytes, ip: bytes, port: int) -> None:
        try:
            self._udp.sendmsg([payload], self._from, 0, (socket.inet_ntoa(ip), port))
        except OSError as error:
            self._problem(f"a reply to {socket.inet_ntoa(ip)} cannot be sent: {error.strerror}")

    def _frame(self, raw: bytes) -> None:
        try:
            assert self._frames is not None  # noqa: S101 - asked by the callers
            self._frames.send(raw)
        except OSError as error:
            self._problem(f"nothing can be sent on {self._wire.interface}: {error.strerror}")
