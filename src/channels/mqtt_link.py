"""The one connection of the channel MQTT to its broker: comes back by itself, and says what keeps it away."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..common.errors import DeviceError, DeviceRefused, DeviceUnreachable
from .mqtt_broker import Broker
from .mqtt_topics import OFFLINE

if TYPE_CHECKING:
    from aiomqtt import Client

log = logging.getLogger(__name__)
of_library = logging.getLogger(f"{__name__}.library")
of_library.setLevel(logging.CRITICAL)  # what it would tell is told here, once

MISSING = "the library of MQTT is not installed: pip install 'ockle[mqtt]'"
ANSWER_S = 10.0
"""How long the broker may take to answer anything."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
STEADY_S = 30.0
"""A connection that held so long was a good one: the next pause is short again."""
IN_FLIGHT = 20
"""Messages that wait for the broker's receipt at the same time."""
MOST_WAITING = 1000
"""Messages from the broker that wait for us; more of them are dropped."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message from the broker. ``retained``: it is from before the subscription, and may be old."""

    topic: str
    payload: bytes
    retained: bool


class Link:
    """``run`` connects, and connects again; the others are for the same loop.

    ``availability``  topic of the last will
    ``on_connect``    called in each new connection before anything else is done with it
    ``on_message``    called for each message; must return at once
    ``connected``     set while there is a connection for which ``on_connect`` has returned
    ``where``         the broker, for people
    """

    def __init__(
        self,
        broker: Broker,
        availability: str,
        on_connect: Callable[[], Awaitable[None]],
        on_message: Callable[[Received], None],
    ) -> None:
        self._broker = broker
        self.where = broker.where
        self._availability = availability
        self._on_connect = on_connect
        self._on_message = on_message
        self._client: Client | None = None
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()  # done: the connection ended
        self._turns = asyncio.Semaphore(IN_FLIGHT)
        self.connected = asyncio.Event()
        self.fault: DeviceError | None = None

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        loop = asyncio.get_running_loop()
        pause = FIRST_PAUSE_S
        while True:
            began = loop.time()
            try:
                await self._session()
            except DeviceError as error:
                self._tell(error)
            if loop.time() - began > STEADY_S:
                pause = FIRST_PAUSE_S
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - spreads clients, hides nothing
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _tell(self, error: DeviceError) -> None:
        again = self.fault is not None and str(self.fault) == str(error)
        self.fault = error
        log.log(logging.DEBUG if again else logging.WARNING, "%s; tried again", str(error))

    async def _session(self) -> None:
        try:
            import aiomqtt
        except ImportError:
            raise DeviceRefused(MISSING) from None
        client = self._new_client(aiomqtt)
        fault: DeviceError = DeviceUnreachable(f"{self.where}: the connection broke")
        try:
            async with _connected(client):
                self._client, self._lost = client, asyncio.get_running_loop().create_future()
                await self._serve(client)
        except (aiomqtt.MqttError, OSError, ValueError) as error:  # ValueError: what the library does not want to take
            fault = self._broker.fault(error)
        finally:
            self._client = None
            self.connected.clear()
            self._lost.cancel()
        raise fault  # here and not above: the library's error has the frames that hold its socket

    async def _serve(self, client: Client) -> None:
        """Return never: raises when the connection ends."""
        reading = asyncio.create_task(self._read(client), name=f"read {self.where}")
        opening = asyncio.create_task(self._open(), name=f"open {self.where}")
        try:
            await asyncio.wait((reading, opening, self._lost), return_when=asyncio.FIRST_EXCEPTION)
            for one in (opening, reading, self._lost):
                if one.done():
                    one.result()
        finally:
            for task in (reading, opening):
                task.cancel()
            await asyncio.gather(reading, opening, return_exceptions=True)

    async def _open(self) -> None:
        await self._on_connect()
        if self.fault is not None:
            log.info("%s: connected again", self._broker.where)
        self.fault = None
        self.connected.set()

    async def _read(self, client: Client) -> None:
        async for message in client.messages:
            self._on_message(Received(str(message.topic), message.payload, message.retain))

    def _new_client(self, aiomqtt: Any) -> Client:
        broker = self._broker
        client: Client = aiomqtt.Client(
            broker.host,
            broker.port,
            logger=of_library,
            identifier=broker.client_id,
            username=broker.user or None,
            password=broker.password or None,
            tls_context=broker.context(),
            clean_session=True,  # nothing is kept for us while we are away: an old command must not come late
            keepalive=round(broker.keepalive),
            timeout=ANSWER_S,
            max_queued_incoming_messages=MOST_WAITING,
            max_inflight_messages=IN_FLIGHT,
            will=aiomqtt.Will(self._availability, OFFLINE, qos=1, retain=True),
        )
        client.pending_calls_threshold = 2 * IN_FLIGHT
        return client

    # -- while it is there

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Publish; with a ``qos`` above 0 the broker has it when this returns.

        Raises DeviceUnreachable, DeviceRefused when the broker lets nobody in as we are.
        """
        await self._do(lambda client: client.publish(topic, payload, qos=qos, retain=retain))

    async def subscribe(self, filters: Sequence[str], qos: int = 0) -> list[str]:
        """Subscribe to ``filters`` and return those that the broker refuses. Raises as ``publish`` does."""
        if not filters:
            return []
        codes = await self._do(lambda client: client.subscribe([(one, qos) for one in filters]))
        return [one for one, code in zip(filters, codes, strict=False) if int(getattr(code, "value", code)) >= 0x80]

    async def unsubscribe(self, filters: Sequence[str]) -> None:
        await self._do(lambda client: client.unsubscribe(list(filters)))

    async def _do(self, work: Callable[[Client], Awaitable[Any]]) -> Any:
        import aiomqtt

        async with self._turns:
            client = self._client
            if client is None:
                raise self.fault or DeviceUnreachable(f"{self.where}: not connected yet")
            working = asyncio.ensure_future(work(client))
            try:
                await asyncio.wait((working, self._lost), return_when=asyncio.FIRST_COMPLETED)
                if not working.done():  # the library would wait for the answer until its time is over
                    raise DeviceUnreachable(f"{self.where}: the connection broke")
                return working.result()
            except aiomqtt.MqttError as error:
                fault = self._broker.fault(error)
                self._end(fault)
                raise fault from error
            except ValueError as error:
                raise self._broker.fault(error) from error
            finally:
                working.cancel()

    def _end(self, fault: DeviceError) -> None:
        """End the connection: the library may have missed that it is gone, just after it was made."""
        if not self._lost.done():
            self._lost.set_exception(fault)
            self._lost.exception()  # it has been seen

    async def ready(self, timeout: float) -> None:
        """Wait for a connection. Raises what keeps it away; at once, if waiting does not help."""
        if isinstance(self.fault, DeviceRefused) and not self.connected.is_set():
            raise self.fault
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self.connected.wait()
                return
        raise self.fault or DeviceUnreachable(f"{self.where}: no connection within {timeout:g} s")


@asynccontextmanager
async def _connected(client: Client) -> AsyncIterator[None]:
    """Connect, and disconnect at the end.

    The library connects in a thread: who is cancelled waits for that, or its socket would outlive the loop.
    """
    async with AsyncExitStack() as stack:
        entering = asyncio.ensure_future(client.__aenter__())
        try:
            await asyncio.shield(entering)
        except asyncio.CancelledError:
            await asyncio.wait((entering,))
            if not entering.cancelled() and entering.exception() is None:
                stack.push_async_exit(client)
            raise
        stack.push_async_exit(client)
        yield
