"""A plug with ESPHome's native API: one connection, kept up by the library, and its entities by name.

The library (aioesphomeapi, the extra ``esphome``) is imported at the first use.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import DeviceAnswerError, DeviceError, DeviceRefused, DeviceUnreachable
from .esphome_entities import Entities, Entity, Key, Value
from .esphome_errors import explained, is_key

if TYPE_CHECKING:
    from aioesphomeapi import APIClient, ReconnectLogic

log = logging.getLogger(__name__)

MISSING = "the library of ESPHome's native API is not installed: pip install 'ockle[esphome]'"


@dataclass(frozen=True, slots=True)
class PlugSettings:
    """``key``: 32 bytes in base64, "" = the plug does not encrypt; ``mac``: what it has to be, "" = any."""

    host: str
    port: int = 6053
    key: str = ""
    mac: str = ""
    timeout: float = 5.0

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Seen:
    """``value``: None = the plug does not know it (yet); ``count``: which one of all states that came it is."""

    value: Value | None
    count: int


class PlugSession:
    """Connects at the first use, and again whenever the connection is lost, until it is closed.

    A state is read by subscribing anew: the plug then tells all states, so what is returned is what it shows now, not
    what it told at some time. A plug that does not answer has no states here: unknown.
    All methods are for one and the same event loop.

    ``on_change``   called with an entity and its new state, whenever one comes, also again the same one
    ``on_up``       called when it is connected and its entities are known, before the first states come
    ``on_down``     called with the reason when the connection is lost or could not be made
    """

    def __init__(
        self,
        settings: PlugSettings,
        *,
        client: str = "Ockle",
        on_change: Callable[[Entity, Value | None], None] | None = None,
        on_up: Callable[[], None] | None = None,
        on_down: Callable[[DeviceError], None] | None = None,
    ) -> None:
        self.settings = settings
        self.entities: Entities | None = None  # None: not connected
        self.mac = ""
        self.restarts = 0  # so often its uptime has fallen
        self._client_info = client
        self._on_change, self._on_up, self._on_down = on_change, on_up, on_down
        self._client: APIClient | None = None
        self._logic: ReconnectLogic | None = None
        self._states: dict[Key, Seen] = {}
        self._on_at: dict[Key, float] = {}  # the loop's time when a switch was last told to be on
        self._count = 0
        self._waiting: set[asyncio.Event] = set()
        self._beginning = asyncio.Lock()
        self._problem: DeviceError | None = None
        self._kicked_at = float("-inf")
        self._attempt_at = float("-inf")  # when the attempt that is on its way was first seen
        self._uptime: float | None = None

    # -- use

    async def read(self, names: Iterable[tuple[str, str]], also: Iterable[Entity] = ()) -> list[Value]:
        """Return what the plug shows now for each of (kind, name); see ``Entities.find``.

        What comes first may still be the answer to the reading before: who has switched meanwhile reads until it shows.

        ``also``  what is to be of the same moment, for ``last``
        Raises DeviceUnreachable; DeviceAnswerError for an entity that it has not, or whose state it does not know.
        """
        entities = await self.connected()
        wanted = [entities.find(kind, name) for kind, name in names]
        awaited = [*wanted, *also]
        before = self._count
        self._ask_states()

        def missing() -> bool:
            return any(self._counted(entity) <= before for entity in awaited)

        await self._wait_while(missing, "does not tell its states")
        values: list[Value] = []
        for entity in wanted:
            value = self._states[entity.key].value
            if value is None:
                raise DeviceAnswerError(f"{self.settings}: {entity.name} has no state yet")
            values.append(value)
        return values

    def last(self, kind: str, device_class: str, name: str) -> tuple[Entity, Value] | None:
        """Return what came last from a sensor: by its name, or with "auto" the only one of its class."""
        entity = self.entities.sensor(kind, device_class, name) if self.entities else None
        seen = self._states.get(entity.key) if entity else None
        return (entity, seen.value) if entity and seen and seen.value is not None else None

    def last_on(self, name: str) -> float | None:
        """Return when (in the loop's time) a switch was last told to be on, as long as there is a connection."""
        return self._on_at.get(self.entities.find("switch", name).key) if self.entities else None

    async def switch(self, name: str, on: bool) -> None:
        """Switch one of its switches; the plug gives no answer, so only ``read`` shows what came of it."""
        entity = (await self.connected()).find("switch", name)
        self.send(entity, on)

    def send(self, entity: Entity, on: bool) -> None:
        """As ``switch``, at once. Raises DeviceUnreachable while there is no connection."""
        device, key = entity.key
        self._say(lambda client: client.switch_command(key, on, device))

    async def connected(self) -> Entities:
        """Wait until there is a connection. Raises DeviceError with the reason when there is none in time."""
        if self.entities is None:
            await self._try()
            self._problem = None
            await self._wait_while(lambda: self.entities is None, "no answer")
        if self.entities is None:  # lost again in the same moment
            raise DeviceUnreachable(f"{self.settings}: connection lost")
        return self.entities

    async def close(self) -> None:
        """Say goodbye and stay away."""
        logic, self._logic = self._logic, None
        client, self._client = self._client, None
        self.entities = None
        if client is not None:
            client.force_disconnect()  # or the library would wait for an attempt that is on its way
        if logic is not None:
            await logic.stop()

    # -- connection

    async def _try(self) -> None:
        async with self._beginning:
            if self._logic is None:
                await self._begin()
                return
        if isinstance(self._problem, DeviceRefused):
            raise self._problem  # the library tries again once a minute
        self._kick()

    async def _begin(self) -> None:
        settings = self.settings
        if settings.key and not is_key(settings.key):
            raise DeviceRefused(f"{settings}: the key is not 32 bytes in base64, as ESPHome writes it")
        try:  # in a thread: on a Raspberry Pi it takes seconds
            library = await asyncio.to_thread(importlib.import_module, "aioesphomeapi")
        except ImportError:
            raise DeviceRefused(MISSING) from None
        logging.getLogger("aioesphomeapi").setLevel(logging.ERROR)  # what it would tell is told here, once
        self._client = library.APIClient(
            settings.host,
            settings.port,
            client_info=self._client_info,
            noise_psk=settings.key or None,
            timezone="UTC",  # asked for the time it answers with that; looking for the machine's own costs a thread
        )
        self._logic = library.ReconnectLogic(
            client=self._client,
            on_connect=self._connected,
            on_disconnect=self._disconnected,
            on_connect_error=self._failed,
            zeroconf_wake=False,
        )
        self._attempt_at = asyncio.get_running_loop().time()
        await self._logic.start()

    def _kick(self) -> None:
        """Try now instead of when the library's pause is over, but leave an attempt that is on its way its time."""
        now = asyncio.get_running_loop().time()
        if self._logic is not None and (self._problem is not None or now - self._kicked_at >= self.settings.timeout):
            self._kicked_at = now
            self._logic.notify_device_seen()

    def _hangs(self) -> bool:
        """Whether the attempt that is on its way has had its time; a slow plug gets more than one reader waits."""
        return asyncio.get_running_loop().time() - self._attempt_at >= 2 * self.settings.timeout

    async def _connected(self) -> None:
        client = self._client
        if client is None:  # closed meanwhile
            return
        try:
            about, listed, _ = await client.device_info_and_list_entities()
            self.mac = about.mac_address.lower()
            if self.settings.mac and self.mac != self.settings.mac:
                raise DeviceRefused(
                    f"{self.settings}: another plug answers: its MAC address is {self.mac}, "
                    f"pinned is {self.settings.mac}"
                )
            entities = Entities(about.friendly_name or about.name, listed)
            self._states.clear()
            client.subscribe_states(self._changed)
        except Exception as error:  # noqa: BLE001 - whatever it is, there is no connection, and the reason is told
            await self._failed(error)
            await client.disconnect(force=True)
            return
        self.entities, self._problem = entities, None
        if self._on_up is not None:
            self._on_up()
        self._wake()

    async def _failed(self, error: Exception) -> None:
        self._lost(explained(error, self.settings))

    async def _disconnected(self, expected: bool) -> None:
        if self.entities is not None:
            reason = "it has closed the connection" if expected else "connection lost"
            self._lost(DeviceUnreachable(f"{self.settings}: {reason}"))
        elif self._waiting:  # for the connection: not to be put off by the library's pause after a goodbye
            self._kicked_at = float("-inf")
            asyncio.get_running_loop().call_soon(self._kick)

    def _lost(self, problem: DeviceError) -> None:
        self.entities, self._problem = None, problem
        self._attempt_at = asyncio.get_running_loop().time()  # of the next one
        self._states.clear()
        if self._on_down is not None:
            self._on_down(problem)
        self._wake()

    def _say(self, send: Callable[[APIClient], None]) -> None:
        if self._client is None or self.entities is None:
            raise self._problem or DeviceUnreachable(f"{self.settings}: not connected")
        try:
            send(self._client)
        except Exception as error:  # lost, and not told yet
            self._lost(explained(error, self.settings))
            raise explained(error, self.settings) from error

    # -- states

    def _ask_states(self) -> None:
        from aioesphomeapi.api_pb2 import SubscribeStatesRequest

        # `subscribe_states` would add one more callback each time
        self._say(lambda client: client._get_connection().send_message(SubscribeStatesRequest()))

    def _changed(self, state: Any) -> None:
        entity = self.entities.of((state.device_id, state.key)) if self.entities else None
        if entity is None:
            return
        value = None if getattr(state, "missing_state", False) else state.state
        self._count += 1
        self._states[entity.key] = Seen(value, self._count)
        if value is True:
            self._on_at[entity.key] = asyncio.get_running_loop().time()
        if entity.is_uptime:
            self._note_uptime(value)
        if self._on_change is not None:
            self._on_change(entity, value)
        self._wake()

    def _note_uptime(self, value: Value | None) -> None:
        """A plug has restarted when its uptime fell, or is not known any more: it is told only after a while."""
        now = value if isinstance(value, int | float) else None
        if self._uptime is not None and (now is None or now < self._uptime):
            self.restarts += 1
        self._uptime = now

    def _counted(self, entity: Entity) -> int:
        seen = self._states.get(entity.key)
        return seen.count if seen else -1

    # -- waiting

    def _wake(self) -> None:
        for event in self._waiting:
            event.set()

    async def _wait_while(self, lacking: Callable[[], bool], what: str) -> None:
        """Wait until nothing is ``lacking``. Raises what has gone wrong, or DeviceUnreachable after the time limit."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            async with asyncio.timeout(self.settings.timeout):
                while self._problem is None and lacking():
                    event.clear()
                    await event.wait()
        except TimeoutError:
            problem = DeviceUnreachable(f"{self.settings}: {what} within {self.settings.timeout:g} s")
            if self._client is not None and self.entities is not None:
                self._lost(problem)
                self._client.force_disconnect()  # a new connection shows whether it is still there
            elif self._client is not None and self._hangs():
                self._client.force_disconnect()  # the library would wait half a minute for a handshake
            raise problem from None
        finally:
            self._waiting.discard(event)
        if self._problem is not None:
            raise self._problem
