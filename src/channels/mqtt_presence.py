"""The daemon as the broker sees it: there or not, with its states, and with an ear for commands."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from ..common.alert_message import AlertMessage
from ..common.errors import DeviceError, OckleError
from ..common.events import Event
from ..common.services import DaemonServices
from .mqtt_broker import Broker
from .mqtt_discovery import Home
from .mqtt_link import Link, Received
from .mqtt_look import look
from .mqtt_mirror import Mirror
from .mqtt_orders import Orders, Outcome
from .mqtt_payloads import encoded
from .mqtt_topics import OFFLINE, ONLINE

log = logging.getLogger(__name__)

GAP_S, LONGEST_GAP_S = 1.0, 10.0
"""Seconds between two looks: at least, and at most, when nothing has happened (measured power changes without)."""
SPARE = 20
"""A look, and what follows from it, may take one part in so many of the time."""
AGAIN_S = 10.0
"""Home Assistant is sent everything anew at most so often; a step that failed unexpectedly waits as long."""
LEAVE_S = 2.0
"""How long the broker may take to hear that we go; if it takes longer, it has the last will."""
MOST_RESULTS = 64
"""Outcomes of commands that wait to be told; the log has all of them."""


class Presence:
    """All of it happens on the loop that ``start`` is called on.

    ``home``   the topics, and what is said of devices
    ``mute``   nothing but messages is published, and no command is heard: only to try the connection
    """

    def __init__(
        self, name: str, services: DaemonServices, broker: Broker, home: Home, *, discovery: bool, mute: bool = False
    ) -> None:
        self._name = name
        self._services = services
        self._topics = home.topics
        self._link = Link(broker, self._topics.availability, self._connected, self._heard)
        self._mirror = Mirror(self._link, home, discovery=discovery)
        self._orders = Orders(services, self._topics, name)
        self._mute = mute
        self._obeys = home.commands and not mute
        self._results: asyncio.Queue[Outcome] = asyncio.Queue(MOST_RESULTS)
        self._wake = asyncio.Event()
        self._said: bool | None = None  # what `availability` is in this connection
        self._meets = False  # whether what earlier connections have left is still being read
        self._again_at = float("-inf")
        self._tasks: list[asyncio.Task[None]] = []
        self._unsubscribe: Callable[[], None] = _nothing

    def start(self) -> None:
        """Begin to connect."""
        loop = asyncio.get_running_loop()

        def happened(_: Event) -> None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._wake.set)

        self._unsubscribe = self._services.events.subscribe(happened)
        steps = [self._link.run] if self._mute else [self._link.run, self._follow, self._tell, self._carry_out]
        self._tasks = [asyncio.create_task(self._forever(step), name=f"MQTT {self._name}") for step in steps]

    async def stop(self) -> None:
        """Take leave of the broker, if it is there."""
        self._unsubscribe()
        for task in self._tasks[1:]:
            task.cancel()
        try:
            if self._link.connected.is_set() and not self._mute:
                with suppress(DeviceError, TimeoutError):
                    async with asyncio.timeout(LEAVE_S):
                        await self._say(False)
        finally:
            self._tasks[0].cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def send(self, message: AlertMessage, timeout: float) -> str:
        """Publish a message and return where; the broker has it then.

        ``timeout``  how long it waits for a connection
        Raises DeviceUnreachable, DeviceRefused.
        """
        await self._link.ready(timeout)
        await self._link.publish(self._topics.alerts, encoded(message.as_dict()))
        return f"{self._link.where}: received in {self._topics.alerts}"

    async def _forever(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await step()
            except DeviceError as error:
                log.debug("%s: %s", self._name, error)
            except Exception:  # the outermost loop of a task: one bad message must not end the others
                log.exception("%s: a step failed; tried again", self._name)
                await asyncio.sleep(AGAIN_S)

    # -- the connection

    async def _connected(self) -> None:
        if self._mute:
            return
        self._mirror.begin()
        self._meets, self._said = True, None
        commands = [self._topics.commands] if self._obeys else []
        # QoS 0, at most once: a command that comes twice would switch twice
        refused = await self._link.subscribe([*self._topics.kept, self._topics.home_status, *commands], qos=0)
        if refused:
            log.warning("%s: the broker does not let us read %s", self._name, ", ".join(refused))
        await self._say(False)  # its receipt comes after what was kept; available with the first states
        self._wake.set()

    async def _say(self, available: bool) -> None:
        if self._said is not available:
            payload = ONLINE if available else OFFLINE
            await self._link.publish(self._topics.availability, payload.encode(), retain=True)
            self._said = available

    def _heard(self, message: Received) -> None:
        if message.topic == self._topics.home_status:
            self._home_says(message)
        elif self._topics.commanded(message.topic) is not None:
            if self._obeys:  # a broker may send what nobody has asked for
                self._orders.take(message, self._result)
        else:
            self._mirror.meet(message)

    def _home_says(self, message: Received) -> None:
        """Home Assistant has started, and may know nothing any more."""
        now = asyncio.get_running_loop().time()
        if message.payload == ONLINE.encode() and not message.retained and now >= self._again_at:
            self._again_at = now + AGAIN_S
            self._mirror.again()
            self._wake.set()

    # -- states

    async def _follow(self) -> None:
        """Publish what has changed, and wait until something happens."""
        loop = asyncio.get_running_loop()
        await self._link.connected.wait()
        self._wake.clear()
        began = loop.time()
        try:
            await self._publish()
        finally:
            await asyncio.sleep(max(GAP_S, SPARE * (loop.time() - began)))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), LONGEST_GAP_S)

    async def _publish(self) -> None:
        """Look, and bring the broker up to date. Raises DeviceError."""
        try:
            now = await asyncio.to_thread(look, self._services)
        except OckleError as error:
            log.debug("%s: the daemon does not answer: %s", self._name, error)
            await self._say(False)
            return
        await self._mirror.sync(now)
        await self._say(True)
        if self._meets:
            self._meets = False
            await self._link.unsubscribe(self._topics.kept)

    # -- commands

    async def _carry_out(self) -> None:
        self._result(await self._orders.next())
        self._wake.set()

    def _result(self, outcome: Outcome) -> None:
        log.info("%s: %s %s: %s", self._name, outcome.server, outcome.command, outcome.text)
        with suppress(asyncio.QueueFull):  # somebody floods us
            self._results.put_nowait(outcome)

    async def _tell(self) -> None:
        outcome = await self._results.get()
        await self._link.publish(self._topics.result(outcome.server), encoded(outcome.as_dict()))


def _nothing() -> None:
    """No events are heard yet."""
