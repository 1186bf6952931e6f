"""A UDP responder that answers SNMP requests with whatever a test wants: nonsense, lies, other people's answers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from ockle.simulator import snmp_ber as ber

Reply = Callable[[ber.Message], Iterable[bytes]]


def right(request: ber.Message, value: ber.Value = ber.Value(ber.INTEGER, 1), **changes: Any) -> bytes:  # noqa: B008
    """A whole answer with ``value`` for each object, its fields changed as asked."""
    answer = request.answer([ber.VarBind(binding.oid, value) for binding in request.bindings])
    return replace(answer, **changes).encode()


class Stranger(asyncio.DatagramProtocol):
    """``reply``  request -> datagrams; from ``elsewhere`` they come from another port than the one that was asked.

    ``behind``  so many requests late it is: each one makes it answer an earlier one, and the first ones nothing
    """

    def __init__(self) -> None:
        self.reply: Reply = lambda request: [right(request)]
        self.elsewhere = False
        self.behind = 0
        self.port = 0
        self.seen: list[ber.Message] = []
        self._asked: list[tuple[ber.Message, Any]] = []
        self._other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: Any) -> None:
        request = ber.decode(data)
        self.seen.append(request)
        self._asked.append((request, addr))
        if len(self._asked) <= self.behind:
            return
        request, addr = self._asked.pop(0)
        for answer in self.reply(request):
            if self.elsewhere:
                self._other.sendto(answer, addr)
            else:
                self._transport.sendto(answer, addr)

    def close(self) -> None:
        self._transport.close()
        self._other.close()


@asynccontextmanager
async def stranger() -> AsyncIterator[Stranger]:
    """Serve on a free port of loopback until the block ends."""
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_datagram_endpoint(Stranger, local_addr=("127.0.0.1", 0))
    try:
        yield protocol
    finally:
        protocol.close()
