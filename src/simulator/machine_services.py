"""What a machine listens with while it is up: a TCP service, HTTP with ``/events``, and SSH (``ssh_login``)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from .listener import Listener, Serve, ignore
from .machine import Machine
from .machine_events import events

REQUEST_LIMIT = 8192
PATIENCE_S = 30.0
"""How long a client may take for its request, or keep an idle connection."""

GARBAGE = b"\x00\xff\xfe not HTTP \r\n\x80\x81\r\n\r\n"


class MachineServices:
    """All listeners of one machine: ``ports`` service name -> port, the same in every boot."""

    def __init__(self, machine: Machine, host: str, ssh: Serve | None) -> None:
        self._machine = machine
        self.host = host
        made: dict[str, Serve] = {"tcp": self._serve_tcp, "http": self._serve_http}
        if ssh is not None:
            made["ssh"] = ssh
        self._listeners = {name: Listener(host, made[name]) for name in machine.spec.services}
        self.ports = {name: listener.port for name, listener in self._listeners.items()}
        self._wanted: set[str] = set()  # what listens unless the knob service_down says otherwise

    def open(self) -> None:
        self._wanted = set(self._listeners)
        self.knobs_turned()

    def close_sessions(self) -> None:
        """Nobody can log in any more, and who is in is thrown out; the other services go on."""
        self._wanted.discard("ssh")
        if "ssh" in self._listeners:
            self._listeners["ssh"].close()

    def close(self) -> None:
        self._wanted.clear()
        for listener in self._listeners.values():
            listener.close()

    def knobs_turned(self) -> None:
        for name, listener in self._listeners.items():
            if name in self._wanted and not (self._machine.knobs.service_down and name != "ssh"):
                listener.open()
            else:
                listener.close()

    async def end(self) -> None:
        await asyncio.gather(*(listener.end() for listener in self._listeners.values()))

    async def _serve_tcp(self, peer: socket.socket) -> None:
        if self._machine.knobs.silent:
            await ignore(peer)
            return
        async with _streams(peer) as (reader, writer):
            writer.write(f"{self._machine.name} at your service\r\n".encode())
            async with asyncio.timeout(PATIENCE_S):
                while await reader.read(REQUEST_LIMIT):
                    pass

    async def _serve_http(self, peer: socket.socket) -> None:
        if self._machine.knobs.silent:
            await ignore(peer)
            return
        async with _streams(peer) as (reader, writer):
            async with asyncio.timeout(PATIENCE_S):
                try:
                    head = await reader.readuntil(b"\r\n\r\n")
                except asyncio.LimitOverrunError:
                    writer.write(_response("431 Request Header Fields Too Large", "text/plain", b"too long\n"))
                else:
                    await asyncio.sleep(self._machine.pace_s())
                    while self._machine.knobs.events == "hangs" and b" /events" in head:
                        if not await reader.read(REQUEST_LIMIT):
                            return
                    writer.write(GARBAGE if self._machine.knobs.http_garbage else self._page(head))
                await writer.drain()

    def _page(self, head: bytes) -> bytes:
        match head.split(b"\r\n", 1)[0].split(b" "):
            case [method, target, version] if version.startswith(b"HTTP/1."):
                if method not in (b"GET", b"HEAD"):
                    return _response("405 Method Not Allowed", "text/plain", b"GET only\n")
                body = method == b"GET"
                path = target.split(b"?", 1)[0]
                if path == b"/events":
                    return _response("200 OK", "application/json", events(self._machine), body)
                if path == b"/":
                    return _response("200 OK", "text/plain", f"{self._machine.name} is up\n".encode(), body)
                return _response("404 Not Found", "text/plain", b"/ and /events\n", body)
        return _response("400 Bad Request", "text/plain", b"not HTTP/1\n")


@asynccontextmanager
async def _streams(peer: socket.socket) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Streams on an accepted socket; what was written is flushed unless the session is cancelled."""
    reader, writer = await asyncio.open_connection(sock=peer, limit=REQUEST_LIMIT)
    try:
        yield reader, writer
        writer.close()
        await writer.wait_closed()
    except TimeoutError:
        pass  # an idle client; the connection is dropped below
    finally:
        writer.transport.abort()


def _response(status: str, content_type: str, body: bytes, with_body: bool = True) -> bytes:
    fields: Sequence[str] = (
        f"HTTP/1.1 {status}",
        f"Content-Type: {content_type}; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    return "\r\n".join((*fields, "", "")).encode() + (body if with_body else b"")
