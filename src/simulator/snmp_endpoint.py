"""The UDP socket of a device: one request at a time, with the knobs slow, silent, lost, late and doubled."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Any

from typing_extensions import override

from .knobs import DeviceKnobs
from .snmp_agent import SnmpAgent

log = logging.getLogger(__name__)

QUEUE = 64
"""Requests that wait in a slow device; more are dropped, as from a full socket buffer."""

Address = tuple[str, int]


class SnmpEndpoint(asyncio.DatagramProtocol):
    """Serves one agent. Slowness is of the device, not of the network: later requests wait behind earlier ones."""

    def __init__(self, agent: SnmpAgent, knobs: DeviceKnobs, speed: float, chance: random.Random) -> None:
        self._agent, self._knobs, self._speed, self._chance = agent, knobs, speed, chance
        self._queue: asyncio.Queue[tuple[bytes, Any]] = asyncio.Queue(QUEUE)
        self._transport: asyncio.DatagramTransport | None = None
        self._worker: asyncio.Task[None] | None = None
        self.port = 0

    async def open(self, host: str) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(host, 0))
        self.port = int(self._transport.get_extra_info("sockname")[1])
        self._worker = asyncio.create_task(self._serve(), name=f"snmp {host}:{self.port}")

    async def close(self) -> None:
        if self._worker:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        if self._transport:
            self._transport.close()

    @override
    def datagram_received(self, data: bytes, addr: Any) -> None:
        if self._knobs.silent or self._chance.random() < self._knobs.lost:
            return
        for _ in range(1 + (self._chance.random() < self._knobs.doubled)):
            late_s = self._chance.uniform(0, self._knobs.late_s) * self._speed
            if late_s:
                asyncio.get_running_loop().call_later(late_s, self._arrived, data, addr)
            else:
                self._arrived(data, addr)

    def _arrived(self, data: bytes, addr: Any) -> None:
        if self._queue.empty() and not self._knobs.slow_s:
            self._reply(data, addr)
        elif not self._queue.full():
            self._queue.put_nowait((data, addr))

    @override
    def error_received(self, exc: Exception) -> None:
        log.debug("an answer could not be delivered: %s", exc)  # the client has gone: its ICMP error comes here

    async def _serve(self) -> None:
        while True:
            data, addr = await self._queue.get()
            await asyncio.sleep(self._knobs.slow_s * self._speed)
            self._reply(data, addr)

    def _reply(self, data: bytes, addr: Any) -> None:
        self._agent.locked = self._knobs.locked
        answer = self._agent.handle(data)
        # A lost answer is decided after the request took effect: a SET that timed out may have been applied.
        if (
            answer is not None
            and self._transport
            and not self._transport.is_closing()
            and self._chance.random() >= self._knobs.lost
        ):
            self._transport.sendto(answer, addr)
