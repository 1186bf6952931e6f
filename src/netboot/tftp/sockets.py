"""The sockets of the TFTP server: where requests arrive, and a connected one for each transfer."""

from __future__ import annotations

import errno
import ipaddress
import socket
import struct
from collections.abc import Sequence
from typing import Any

from ...common.errors import OckleError
from . import packet
from .packet import Code, Op

Address = tuple[Any, ...]
"""As the socket module has it: (ip, port), with flow and scope for IPv6."""

_IP_PKTINFO, _IPV6_RECVPKTINFO = 8, 49
_IP_MTU, _IPV6_MTU = 14, 24
_LOOPBACK = 1
"""The index of the interface by which this machine speaks to itself, at whichever of its addresses."""
_UDP_SEGMENT = 103
_GSO_SEGMENTS, _GSO_BYTES = 64, 65000
"""Most that one call may send (linux/udp.h UDP_MAX_SEGMENTS; a datagram's 65507 bytes, some less for headers)."""
_GSO_REFUSALS = (errno.EIO, errno.EINVAL, errno.EMSGSIZE, errno.ENOPROTOOPT, errno.EOPNOTSUPP)
"""How kernels and network cards say that they don't cut a large datagram into small ones."""
_LOST = (errno.EAGAIN, errno.ENOBUFS, errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EPERM)
"""A datagram that could not be sent now is as good as lost on the wire: it is sent again after the timeout."""
_HEADERS = {socket.AF_INET: 20 + 8 + 4, socket.AF_INET6: 40 + 8 + 4}
"""Bytes of a frame that IP, UDP and TFTP take."""

TIDS = 32
"""Ports of the transfers of one address, taken in turn. Many connected sockets share one: RFC 1350 wants an answer to
whoever writes to a transfer's port and is not its client, and one more socket on each port is what sees that."""


class Listener:
    """A socket that requests arrive at."""

    def __init__(self, address: str, port: int, interface: int = 0) -> None:
        """Bind. ``interface``: the index of the only one that requests may come from, 0 = any. Raises OckleError.

        An address alone does not keep others out: Linux takes what is for it from every interface.
        """
        host, scope = _split(address)
        _check(host)
        self._interface = interface
        self.family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(self.family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            if self.family == socket.AF_INET6:
                self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                self.socket.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO, 1)
            else:
                self.socket.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)  # a rack asks at the same moment
            self.socket.bind(_bindable(self.family, host, port, scope))
        except OSError as error:
            self.socket.close()
            raise OckleError(_cannot_bind(host, port, error)) from error

    @property
    def name(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self.socket.getsockname()[:2]
        return host, port

    def receive(self) -> tuple[bytes, Address, str] | None:
        """Return a datagram, who sent it, and the address of ours that it was sent to.

        Returns None for one from another interface, and for one that was sent to all, or to a group: RFC 1123 section
        4.2.3.6 has no answer to those.
        Raises BlockingIOError when there is none.
        """
        data, extra, _, client = self.socket.recvmsg(packet.MAX_REQUEST + 1, 128)
        for _, _, info in extra:
            if self.family == socket.AF_INET:
                index, ours, asked = struct.unpack("I4s4s", info[:12])
                if ours != asked or self._is_foreign(index):  # asked is a broadcast address, or a group
                    return None
                return data, client, socket.inet_ntoa(asked)
            asked, index = struct.unpack("16sI", info[:20])
            address = ipaddress.IPv6Address(asked)
            if address.is_multicast or self._is_foreign(index):
                return None
            return data, client, f"{address}%{index}" if address.is_link_local else str(address)
        return None

    def _is_foreign(self, index: int) -> bool:
        return bool(self._interface) and index not in (self._interface, _LOOPBACK)


class Link:
    """A socket for one transfer, connected to its client: nobody else's datagrams arrive here.

    ``refused``  the kernel, or the network card, did not cut a large datagram into small ones
    """

    def __init__(self, local: tuple[str, int], client: Address) -> None:
        """Raises OSError."""
        host, scope = _split(local[0])
        self.family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(self.family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.refused = False
        self._segment: list[tuple[int, int, bytes]] = []
        self._most = 1
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            self.socket.bind(_bindable(self.family, host, local[1], scope))
            self.socket.connect(client)
        except OSError:
            self.socket.close()
            raise
        try:  # what came from others between bind and connect
            while True:
                self.socket.recv(1)
        except OSError:
            pass

    def frame_block(self) -> int:
        """Return how large a block may be so that its frame is not cut into fragments on the way that is known."""
        if self.family == socket.AF_INET6:
            mtu = self.socket.getsockopt(socket.IPPROTO_IPV6, _IPV6_MTU)
        else:
            mtu = self.socket.getsockopt(socket.IPPROTO_IP, _IP_MTU)
        return mtu - _HEADERS[self.family]

    def segments(self, block: int) -> None:
        """Send windows in one call, which the kernel, or the network card, cuts into datagrams of ``block`` bytes."""
        self._most = min(_GSO_SEGMENTS, _GSO_BYTES // (block + 4))
        self._segment = [(socket.IPPROTO_UDP, _UDP_SEGMENT, struct.pack("H", block + 4))] if self._most > 1 else []

    def send(self, datagrams: Sequence[bytes], flags: int) -> None:
        """Send; what does not get out counts as lost.

        ``flags``  MSG_CONFIRM when the client has just been heard: no ARP in between, a Raspberry Pi 3 does not answer
        Raises     ConnectionRefusedError when nobody listens there, other OSErrors when this can never be sent
        """
        try:
            if len(datagrams) == 1:
                self.socket.send(datagrams[0], flags)
                return
            if not self._segment:
                for one in datagrams:
                    self.socket.send(one, flags)
                return
            for start in range(0, len(datagrams), self._most):
                self.socket.sendmsg(datagrams[start : start + self._most], self._segment, flags)
        except OSError as error:
            if self._segment and error.errno in _GSO_REFUSALS:
                self.refused, self._segment = True, []
                self.send(datagrams, flags)
            elif error.errno not in _LOST:
                raise


class Tids:
    """The ports of transfers at one address of ours, and what answers strangers there."""

    def __init__(self, address: str) -> None:
        host, scope = _split(address)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.address = address
        self.sockets: list[socket.socket] = []
        try:
            for _ in range(TIDS):
                one = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
                self.sockets.append(one)
                one.bind(_bindable(family, host, 0, scope))
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # not before: the port has to be free
        except OSError:
            self.close()
            raise
        self._ports = [one.getsockname()[1] for one in self.sockets]
        self._turn = 0

    def next(self) -> tuple[str, int]:
        """Return address and port for another transfer."""
        self._turn = (self._turn + 1) % TIDS
        return self.address, self._ports[self._turn]

    def close(self) -> None:
        for one in self.sockets:
            one.close()


def answer_stranger(door: socket.socket) -> None:
    """Tell who wrote to a transfer's port and is not its client that it is not (RFC 1350 section 4).

    Raises BlockingIOError when nobody did.
    """
    data, stranger = door.recvfrom(packet.MAX_REQUEST)
    if packet.opcode(data) not in (Op.ERROR, 0):  # an error is never answered with an error
        door.sendto(packet.error(Code.UNKNOWN_TID, "unknown transfer ID"), stranger)


def _split(address: str) -> tuple[str, str]:
    host, _, scope = address.partition("%")
    return host, scope


def _bindable(family: int, host: str, port: int, scope: str) -> Address:
    if family == socket.AF_INET:
        return host, port
    return host, port, 0, int(scope) if scope.isdigit() else socket.if_nametoindex(scope) if scope else 0


def _check(host: str) -> None:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise OckleError(f"[plugins.NetBoot] tftp_addresses: {host} is no address of this machine") from None


def _cannot_bind(host: str, port: int, error: OSError) -> str:
    where = f"TFTP cannot listen on {host} port {port}: {error.strerror}"
    if error.errno == errno.EADDRINUSE:
        return f"{where}; another TFTP server runs there (find it with `ss -lunp`), or choose another tftp_port"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{where}; ports below 1024 need root or CAP_NET_BIND_SERVICE, or choose another tftp_port"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{where}; no interface has this address, see tftp_addresses and address"
    return where
