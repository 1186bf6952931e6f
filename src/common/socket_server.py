"""The daemon's side of the socket protocol: listens, limits, hands requests to the CommunicationHandler.

docs/protocol.md tells what goes over the wire.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import logging
import os
import socket
import stat
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .access import Action, Caller, Grant
from .allowance import Allowance
from .CommunicationHandler import CommunicationHandler
from .CommunicationMessage import MAX_REQUEST, Message
from .errors import ConfigError
from .events import Event, EventBus
from .socket_session import Session, problem

if TYPE_CHECKING:
    from ssl import SSLContext

log = logging.getLogger(__name__)

WORKERS = 32
"""Commands that are carried out at the same time, over all clients."""
RATE_PER_S = 500.0
BURST = 1000.0
"""Requests per second of one address, and how many it may save up; beyond that its reading pauses."""
BACKLOG = 128
SHARE, SHARE_LEAST = 0.25, 16
"""Of ``max_connections``, what another machine may have, and how many it may have anyhow: none shuts the rest out."""
ACCEPT_TURNS = 5
"""Turns of the event loop until a connection that was just accepted has its session, which can then be ended. A server
that is closed before leaves its socket open: asyncio gives it a transport only as long as there is a server."""
STOP_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """``tokens``: role -> secret, empty ones left out. ``local_role``: role of a client on this machine, "" for none.

    ``host``  "" for no TCP; ``port``  0 for any free one; ``unix_socket``  "" for none
    """

    host: str = "127.0.0.1"
    port: int = 8088
    unix_socket: str = ""
    tokens: Mapping[str, str] = field(default_factory=dict)
    local_role: str = "admin"
    tls_cert: str = ""
    tls_key: str = ""
    max_message: int = MAX_REQUEST
    max_connections: int = 200
    read_timeout: float = 5.0


@dataclass(slots=True)
class _Peer:
    """One address: its connections, and what it may ask for over all of them."""

    allowance: Allowance
    sessions: int = 0


class SocketServer:
    """Serves clients on the running event loop between ``start`` and ``stop``.

    ``addresses``  what it listens on, such as ``127.0.0.1:8088`` and ``unix:/run/ockle/socket``
    """

    def __init__(self, handler: CommunicationHandler, events: EventBus, settings: ServerSettings) -> None:
        self.handler = handler
        self.events = events
        self.settings = settings
        self.addresses: list[str] = []
        self._sessions: set[Session] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._peers: dict[str, _Peer] = {}
        self._servers: list[asyncio.Server] = []
        self._unix_path: Path | None = None
        self._bound: list[socket.socket] = []
        self._unix: socket.socket | None = None
        self._context: SSLContext | None = None
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="command")
        self._newest = 0
        self._unsubscribe: Callable[[], None] = _nothing
        self._digests = {role: _digest(token) for role, token in settings.tokens.items() if token}

    def bind(self) -> None:
        """Take the addresses; nobody is let in before ``start``. Raises ConfigError when unsafe or impossible."""
        settings = self.settings
        if settings.host and not _stays_here(settings.host) and not self._digests:
            raise ConfigError(
                f"config.ini [plugins.SocketListener] host = {settings.host!r}: other machines can reach it, "
                "but no token is set; set admin_token (or operator_token, viewer_token), or listen on 127.0.0.1"
            )
        self._context = self._tls_context()
        try:
            if settings.host:
                self._bound += _bind_tcp(settings.host, settings.port)
            if settings.unix_socket:
                self._unix = _bind_unix(Path(settings.unix_socket))
        except ConfigError:
            self.unbind()
            raise
        self.addresses = [_address(one.getsockname()) for one in self._bound]
        if self._bound and self._context is None and not _stays_here(settings.host):
            log.warning("%s: without TLS tokens go over the network in clear", self.addresses[-1])
        if self._unix is not None:
            self.addresses.append(f"unix:{settings.unix_socket}")

    def unbind(self) -> None:
        """Give the addresses back that were taken and not used."""
        for one in (*self._bound, *filter(None, (self._unix,))):
            one.close()
        self._bound, self._unix = [], None

    async def start(self) -> None:
        """Let clients in. Raises ConfigError like ``bind``, when that was not called before."""
        if not self.addresses:
            self.bind()
        self._loop = asyncio.get_running_loop()
        while self._bound:
            server = await asyncio.start_server(
                self._connected, sock=self._bound.pop(0), ssl=self._context, backlog=BACKLOG
            )
            self._servers.append(server)
        if self._unix is not None:
            self._unix_path = Path(self.settings.unix_socket)
            self._servers.append(await asyncio.start_unix_server(self._connected, sock=self._unix, backlog=BACKLOG))
            self._unix = None
        kept = self.events.since(0)
        self._newest = kept[-1].seq if kept else 0
        self._unsubscribe = self.events.subscribe(self._published)

    async def stop(self) -> None:
        """Let nobody in any more, finish what runs for at most STOP_TIMEOUT_S, and close everything."""
        self._unsubscribe()
        self.unbind()
        for server in self._servers:
            for one in server.sockets:
                self._loop.remove_reader(one.fileno())
        for _ in range(ACCEPT_TURNS):
            await asyncio.sleep(0)
        for server in self._servers:
            server.close()
        for session in tuple(self._sessions):
            session.leave()
        if self._tasks:
            _done, late = await asyncio.wait(self._tasks, timeout=STOP_TIMEOUT_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        if self._unix_path is not None:
            self._unix_path.unlink(missing_ok=True)
        self._workers.shutdown(wait=False, cancel_futures=True)

    def clients(self) -> list[dict[str, Any]]:
        """Return who is connected, oldest first. May be called from any thread."""
        return sorted((session.describe() for session in tuple(self._sessions)), key=lambda one: one["since"])

    # -- what sessions use

    def grant(self, token: str) -> Grant | None:
        """Return what ``token`` gives: one that the configuration names, of a user, or of a login.

        Takes as long for a wrong one of the configuration as for a right one; of the others only digests are compared.
        """
        digest, found = _digest(token), None
        for role, known in self._digests.items():
            if hmac.compare_digest(digest, known):
                found = Grant(f"{role} token", role)
        if found is None and self.handler.access is not None:
            return self.handler.access.grant(token)
        return found

    def current(self, grant: Grant) -> Grant | None:
        """Return what the token of ``grant`` gives now, None once that is nothing."""
        if not grant.user or self.handler.access is None:
            return grant
        return self.handler.access.current(grant)

    async def record(self, action: Action) -> None:
        """Have something written down that was no command."""
        with suppress(RuntimeError):  # the workers are gone: the daemon is stopping
            await self._loop.run_in_executor(self._workers, self.handler.record, action)

    async def carry_out(self, message: Message, caller: Caller) -> Message:
        """Have the command carried out in a worker thread and return its reply."""
        try:
            return await self._loop.run_in_executor(self._workers, self.handler.handleMessage, message, caller)
        except RuntimeError:  # the workers are gone: the daemon is stopping
            return message.refuse("stopping", "the daemon is stopping")

    async def wait_turn(self, address: str) -> None:
        """Wait until ``address`` may have another request."""
        peer = self._peers.get(_host_of(address))
        if peer is None:
            return
        wait = peer.allowance.take(self._loop.time())
        if wait:
            await asyncio.sleep(wait)

    def _peer(self, host: str) -> _Peer:
        """Return what is known of ``host``; whoever has gone is known until a rest has given back all that it used."""
        now = self._loop.time()
        for other in [name for name, one in self._peers.items() if not one.sessions and one.allowance.is_full(now)]:
            del self._peers[other]
        return self._peers.setdefault(host, _Peer(Allowance(RATE_PER_S, BURST, now)))

    def _is_full(self, host: str, local: bool) -> bool:
        """Tell whether there is no room for another connection of ``host``."""
        most = self.settings.max_connections
        peer = self._peers.get(host)
        theirs = peer.sessions if peer is not None and not local else 0
        return len(self._sessions) >= most or theirs >= max(SHARE_LEAST, round(most * SHARE))

    def newest_seq(self) -> int:
        """Return the number of the newest event that has been offered to the sessions."""
        return self._newest

    # -- connections

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - streams run this as a task
        self._tasks.add(task)
        peername = writer.get_extra_info("peername")
        address = _address(peername) if peername else "unix"
        local = not peername or _is_here(peername[0])
        if self._is_full(_host_of(address), local):
            log.warning("client %s turned away: %d are connected", address, len(self._sessions))
            writer.write(Message("error", error=problem("busy", "too many clients are connected")).encode())
            writer.close()
            self._tasks.discard(task)
            return
        session = Session(self, reader, writer, address, self.settings.local_role if local else "")
        peer = self._peer(_host_of(address))
        peer.sessions += 1
        self._sessions.add(session)
        try:
            await session.serve()
        finally:
            self._sessions.discard(session)
            self._tasks.discard(task)
            peer.sessions -= 1

    def _published(self, event: Event) -> None:
        """Called in whatever thread publishes."""
        with suppress(RuntimeError):  # the loop has been closed: nobody is left to tell
            self._loop.call_soon_threadsafe(self._offer, event)

    def _offer(self, event: Event) -> None:
        self._newest = max(self._newest, event.seq)
        for session in tuple(self._sessions):
            session.offer(event)

    def _tls_context(self) -> SSLContext | None:
        if not self.settings.tls_cert:
            return None
        import ssl

        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(self.settings.tls_cert, self.settings.tls_key or None)
        except OSError as error:  # SSLError is one, too
            raise ConfigError(
                f"config.ini [plugins.SocketListener] tls_cert = {self.settings.tls_cert!r}: {error}"
            ) from error
        return context


def _nothing() -> None:
    """What ending a subscription means before there is one."""


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _address(name: Any) -> str:
    """Return a socket name as text: ``127.0.0.1:8088``, ``[::1]:8088``."""
    host, port = name[0], name[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _is_here(host: str) -> bool:
    return ipaddress.ip_address(host.partition("%")[0]).is_loopback


def _host_of(address: str) -> str:
    return address.rpartition(":")[0] or address


def _stays_here(host: str) -> bool:
    """Tell whether only this machine can reach ``host``: every address of it is a loopback one."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return all(ipaddress.ip_address(str(one[4][0]).partition("%")[0]).is_loopback for one in found)


def _bind_tcp(host: str, port: int) -> list[socket.socket]:
    """Return a listening socket for each address of ``host``. Raises ConfigError, and then none is left."""
    bound: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, address in dict.fromkeys((one[0], one[4]) for one in found):
            bound.append(socket.create_server(address[:2], family=family, backlog=BACKLOG))
    except OSError as error:
        for one in bound:
            one.close()
        raise ConfigError(
            f"config.ini [plugins.SocketListener] port = {port}: cannot listen on {host}: {error.strerror or error}"
        ) from error
    return bound


def _bind_unix(path: Path) -> socket.socket:
    """Return a bound socket that group members may use; a socket left over by a dead daemon is replaced."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.exists() and stat.S_ISSOCK(path.stat().st_mode) and not _answers(path):
            path.unlink()
        listener.bind(os.fspath(path))
        path.chmod(0o660)  # before anybody can connect: it does not listen yet
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"config.ini [plugins.SocketListener] unix_socket = {os.fspath(path)!r}: {error.strerror or error}"
        ) from error
    return listener


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(os.fspath(path)) == 0
