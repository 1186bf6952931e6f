"""A TCP port that keeps its number while the machine behind it comes and goes."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

BACKLOG = 128
PAUSE_S = 0.2

Serve = Callable[[socket.socket], Awaitable[None]]


def _bound(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    sock.setblocking(False)
    return sock


async def ignore(peer: socket.socket) -> None:
    """Keep a connection and say nothing, until the other side has enough."""
    while await asyncio.get_running_loop().sock_recv(peer, 4096):
        pass


class Listener:
    """Opens and closes at once, without awaiting: a timer of a machine's state may do it.

    A second socket, bound and never listening, holds the port meanwhile, so that a connection is refused and no other
    program is given the number. ``serve`` gets each accepted socket and owns it; closing cancels what still runs.
    """

    def __init__(self, host: str, serve: Serve) -> None:
        self._host, self._serve = host, serve
        self._holder = _bound(host, 0)
        self.port = int(self._holder.getsockname()[1])
        self._socket: socket.socket | None = None
        self._sessions: set[asyncio.Task[None]] = set()
        self._resume: asyncio.TimerHandle | None = None

    def open(self) -> None:
        if self._socket is None:
            self._socket = _bound(self._host, self.port)
            self._socket.listen(BACKLOG)
            self._watch()

    def stop_listening(self) -> None:
        if self._resume:
            self._resume.cancel()
            self._resume = None
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def close_sessions(self) -> None:
        for session in self._sessions:
            session.cancel()

    def close(self) -> None:
        self.stop_listening()
        self.close_sessions()

    async def end(self) -> None:
        """Close, wait for the sessions, give the port back."""
        self.close()
        await asyncio.gather(*self._sessions, return_exceptions=True)
        self._holder.close()

    def _watch(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        if self._socket is None:  # closed after the loop had seen the connection, before it came to this callback
            return
        try:
            peer, _ = self._socket.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:  # no descriptors left: the socket stays readable, so look away for a while
            log.warning("cannot accept on %s:%d: %s", self._host, self.port, error)
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._socket)
            self._resume = loop.call_later(PAUSE_S, self._watch)
            return
        peer.setblocking(False)
        session = asyncio.ensure_future(self._run(peer))
        self._sessions.add(session)
        session.add_done_callback(lambda ended: self._end(ended, peer))

    def _end(self, session: asyncio.Task[None], peer: socket.socket) -> None:
        self._sessions.discard(session)
        peer.close()  # one that is cancelled before its first step comes to no finally

    async def _run(self, peer: socket.socket) -> None:
        try:
            await self._serve(peer)
        except (OSError, EOFError) as error:
            log.debug("session on %s:%d ended: %s", self._host, self.port, error)
