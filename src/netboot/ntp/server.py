"""The service ``ntp``: answers boards that ask for the time, one packet for one packet."""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
import time
from collections import OrderedDict
from contextlib import suppress
from typing import Any

from ...common.allowance import Allowance
from ...common.errors import OckleError
from ...common.oserrors import reason
from ..service import BootContext
from ..wire import bind
from .clock_state import Belief, KernelClock, kernel_clock, precision, source
from .packet import Request, Source, answer, kiss, origin, parse_answer, parse_request, query

NTP_PORT = 123
AT_ONCE = 64
"""Packets that are taken before other sockets have their turn."""
QUEUE = 1 << 20
"""Bytes of the kernel for packets that wait: a rack that comes up asks all at once."""
MOST_CLIENTS = 1024
PER_S, SAVED = 2.0, 32.0
"""What one address may ask: a burst at its start, and then more than any client wants."""
KISS_EVERY_S = 8.0
ALL_PER_S, ALL_SAVED = 2000.0, 4000.0
LOOK_S = 1.0
ASK_EVERY_S, ASK_S = 64.0, 1.0
SO_TIMESTAMPNS = 35
"""Of asm-generic/socket.h; the kernel's time at which a packet came, nanoseconds since 1970."""
_TIMESPEC = struct.Struct("@ll")
_ANCILLARY = socket.CMSG_SPACE(_TIMESPEC.size)


class NtpServer:
    """Bound to the one address of the wire, so that answers come from the address that was asked."""

    name = "ntp"

    def __init__(self, context: BootContext) -> None:
        self._context = context
        self._sockets: list[socket.socket] = []
        self._precision = precision()
        self._source: Source | None = None
        self._above: Source | None = None
        self._looked = float("-inf")
        self._asking: asyncio.Task[None] | None = None
        self._clients: OrderedDict[str, _Client] = OrderedDict()
        self._all = Allowance(ALL_PER_S, ALL_SAVED, context.clock.now())
        self._answered = self._refused = 0

    async def open(self) -> None:
        host, port = str(self._context.wire.address), self._context.settings["ntp_port"]
        try:
            for device in self._context.wire.devices:
                sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                self._sockets.append(sock)
                sock.setblocking(False)
                sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, QUEUE)
                bind(sock, device, (host, port or self._sockets[0].getsockname()[1]))
        except OSError as error:
            self._close_sockets()
            raise OckleError(
                f"cannot listen on UDP port {port} of {host}: {reason(error)}; when this machine has an NTP server of "
                "its own, take ntp out of [plugins.NetBoot] services"
            ) from error
        for sock in self._sockets:
            asyncio.get_running_loop().add_reader(sock, self._readable, sock)
        self._asking = asyncio.create_task(self._keep_asking())

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            with suppress(asyncio.CancelledError):
                await self._asking
        for sock in self._sockets:
            asyncio.get_running_loop().remove_reader(sock)
        self._close_sockets()
        self._asking = None

    def _close_sockets(self) -> None:
        for sock in self._sockets:
            sock.close()
        self._sockets = []

    def live(self) -> dict[str, Any]:
        told = self._look(self._context.clock.now())
        where = ["{}:{}".format(*self._sockets[0].getsockname())] if self._sockets else []
        return {
            "addresses": where,
            "stratum": told.stratum,
            "synchronised": told.leap != 3,
            "answered": self._answered,
            "refused": self._refused,
        }

    def reconfigured(self) -> None:
        self._looked = float("-inf")

    # -- packets

    def _readable(self, sock: socket.socket) -> None:
        with suppress(BlockingIOError, InterruptedError):
            for _ in range(AT_ONCE):
                try:
                    data, ancillary, _flags, client = sock.recvmsg(2048, _ANCILLARY)
                except ConnectionError:  # an answer that nobody wanted, told by ICMP
                    continue
                reply = self._reply(data, _received(ancillary), client[0])
                if reply:
                    with suppress(OSError):  # no route, no room: who wants to know asks again
                        sock.sendto(reply, client)

    def _reply(self, data: bytes, received: int, client: str) -> bytes:
        """Return the answer, empty for none."""
        request = parse_request(data)
        if request is None:
            return b""
        now = self._context.clock.now()
        if self._all.peek(now) < 1:
            self._refused += 1
            return b""
        self._all.take(now)
        known = self._client(client, now)
        if known.allowance.peek(now) < 1:
            self._refused += 1
            return self._too_often(request, known, client, now)
        known.allowance.take(now)
        self._answered += 1
        told = self._look(now)
        return answer(request, told, received, time.time_ns())

    def _too_often(self, request: Request, known: _Client, client: str, now: float) -> bytes:
        if now - known.kissed < KISS_EVERY_S:
            return b""
        known.kissed = now
        self._context.report.warn(f"ntp {client}", f"{client} asks for the time too often; it is told so")
        return kiss(request, b"RATE", time.time_ns(), self._precision)

    def _client(self, client: str, now: float) -> _Client:
        known = self._clients.get(client)
        if known is None:
            known = self._clients[client] = _Client(now)
            while len(self._clients) > MOST_CLIENTS:
                self._clients.popitem(last=False)
        self._clients.move_to_end(client)
        return known

    # -- the clock

    def _look(self, now: float) -> Source:
        """Return what may be told of the clock, found out at most once a second."""
        if self._source is None or now - self._looked >= LOOK_S:
            before, self._looked = self._source, now
            settings = self._context.settings
            belief = Belief(settings["ntp_stratum"], settings["ntp_trust_clock"])
            kernel: KernelClock = kernel_clock()
            self._source = source(kernel, self._above, belief, time.time_ns(), self._precision)
            if before is None or before.leap != self._source.leap:
                self._tell(self._source)
        return self._source

    def _tell(self, told: Source) -> None:
        if told.leap == 3:
            text = "nobody sets this machine's clock, which boards that ask for the time are told: set it by NTP, or "
            self._context.report.warn("ntp clock", text + "write ntp_trust_clock = true in [plugins.NetBoot]")
        else:
            self._context.report.info("ntp clock", f"boards are given the time at stratum {told.stratum}")

    async def _keep_asking(self) -> None:
        """Ask the NTP server of this machine, if it has one, how far it is from its reference."""
        while True:
            try:
                async with asyncio.timeout(ASK_S):
                    self._above = await _ask(NTP_PORT)
            except (OSError, TimeoutError):
                self._above = None
            await asyncio.sleep(ASK_EVERY_S)


class _Client:
    def __init__(self, now: float) -> None:
        self.allowance = Allowance(PER_S, SAVED, now)
        self.kissed = float("-inf")


def _received(ancillary: list[tuple[int, int, bytes]]) -> int:
    """Return when the packet came, nanoseconds since 1970: by the kernel, or now when that makes no sense."""
    now = time.time_ns()
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, rest = _TIMESPEC.unpack_from(data)
            came = int(seconds) * 1_000_000_000 + int(rest)
            if 0 <= now - came < 1_000_000_000:  # else the clock was set in between
                return came
    return now


async def _ask(port: int) -> Source | None:
    """Return what the NTP server on loopback tells of this machine's clock. Raises OSError when there is none."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect(("127.0.0.1", port))
        sent = secrets.randbits(64)
        await loop.sock_sendall(sock, query(sent))
        data = await loop.sock_recv(sock, 2048)
        return parse_answer(data) if len(data) >= 48 and origin(data) == sent else None
