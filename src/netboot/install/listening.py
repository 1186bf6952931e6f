"""A listening socket that thousands of connections cannot wear out: so many in all, and so many of one address."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

from ...common.errors import OckleError
from ...common.oserrors import reason
from ..reporter import Reporter
from ..wire import Wire, bind

log = logging.getLogger(__name__)

PER_ADDRESS = 8
BACKLOG = 512
NO_FILES_S = 0.2
CLOSE_S = 0.8

Serve = Callable[[socket.socket, str], Awaitable[None]]
"""Serves one connection, which is closed afterwards. The second argument is the address of the client."""


class Listener:
    """Listens on the wire, and for this machine itself.

    ``option``  the one that holds the port, for errors
    ``most``    connections at the same time; more are closed at once, as are more than ``PER_ADDRESS`` of one address
    """

    def __init__(self, wire: Wire, port: int, option: str, most: int, report: Reporter, serve: Serve) -> None:
        self._wire, self._asked = wire, port
        self._option = option
        self._most = most
        self._report = report
        self._serve = serve
        self._sockets: list[socket.socket] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._by_address: Counter[str] = Counter()

    @property
    def address(self) -> str:
        """``HOST:PORT`` as it is bound, "" = it is not."""
        return f"{self._wire.address}:{self.port}" if self._sockets else ""

    @property
    def port(self) -> int:
        return int(self._sockets[0].getsockname()[1]) if self._sockets else 0

    def open(self) -> None:
        """Listen. Raises OckleError."""
        host = str(self._wire.address)
        try:
            for device in self._wire.devices:
                sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
                self._sockets.append(sock)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                bind(sock, device, (host, self.port or self._asked))
                sock.listen(BACKLOG)
                sock.setblocking(False)
        except OSError as error:
            self._close_sockets()
            raise OckleError(
                f"cannot listen on TCP port {self._asked} of {host}: {reason(error)}; stop who has it (piman?), or "
                f"write another {self._option} in [plugins.NetBoot]"
            ) from error
        self._accepting = [asyncio.create_task(self._accept(sock)) for sock in self._sockets]

    async def close(self) -> None:
        tasks = [*self._accepting, *self._tasks]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_S)
        self._accepting = []
        self._close_sockets()

    def _close_sockets(self) -> None:
        for sock in self._sockets:
            sock.close()
        self._sockets = []

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, (ip, _port) = await loop.sock_accept(listening)
            except OSError as error:  # no files left, or a client that was quicker
                self._report.warn("install accept", f"{self.address}: a connection was not taken: {reason(error)}")
                await asyncio.sleep(NO_FILES_S)
                continue
            if len(self._tasks) >= self._most or self._by_address[ip] >= PER_ADDRESS:
                connection.close()
                self._report.warn(
                    f"install many {ip}", f"{ip} was turned away from {self.address}: too many connections"
                )
                continue
            self._by_address[ip] += 1
            task = asyncio.create_task(self._run(connection, ip))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _run(self, connection: socket.socket, ip: str) -> None:
        try:
            connection.setblocking(False)
            with suppress(OSError):
                keep_alive(connection)
            await self._serve(connection, ip)
        except OckleError as error:
            self._report.warn(f"install {ip}", f"{ip}: {error}")
        except Exception:
            log.exception("a connection of %s to %s", ip, self.address)
        finally:
            connection.close()
            self._by_address[ip] -= 1
            if not self._by_address[ip]:
                del self._by_address[ip]


def keep_alive(connection: socket.socket) -> None:
    """Have the kernel find out within two minutes that a silent client is gone."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
