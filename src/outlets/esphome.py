"""Relays of smart plugs with ESPHome, over its native API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from typing_extensions import override

from ..common.errors import DeviceAnswerError, DeviceError, DeviceStateError
from ..common.esphome import PlugSession
from ..common.esphome_entities import Entities, Entity, Value
from ..drivers.esphome import PlugDriver
from .OutletTemplate import OutletTemplate

MEASURED = ("power", "voltage", "current", "energy")


class ESPHome(PlugDriver, OutletTemplate):
    """One relay of a plug.

    Quirks: a command is not answered, so only reading shows what came of it. With ``delay_switch`` off is a wish: the
    machine's agent shuts it down and then has the plug cut, and nothing here ever opens the relay. All that reads the
    plug is one exchange for all its relays.
    Data: ``power_w``, ``voltage_v``, ``current_a``, ``energy_wh``, as far as the plug has such sensors.
    Source: ESPHome, native API (switch, sensor, text sensor).
    """

    @override
    async def _setOutletState(self, state: bool) -> None:
        wish = self.params["delay_switch"]
        await self.plug.switch(self.params["entity"] if state or not wish else wish, state)

    @override
    async def _getOutletState(self) -> bool:
        (state,) = await self._read([self])
        if isinstance(state, DeviceError):
            raise state
        return state

    @property
    @override
    def asks_first(self) -> bool:
        return bool(self.params["delay_switch"])

    @override
    async def _checkOutlet(self) -> None:
        shown = await self._getOutletState()
        await self.plug.switch(self.params["entity"], shown)
        if await self._getOutletState() is not shown:
            raise DeviceStateError(f"{self.name}: it shows another state after it was told the one it had")

    @override
    async def set_state(
        self, state: bool, timeout: float | None = None, before_send: Callable[[], None] | None = None
    ) -> None:
        """As in the template; off by the delay switch takes as long as the machine takes to shut down."""
        if timeout is None and not state and self.params["delay_switch"]:
            timeout = float(self.params["delay_timeout"])
        await super().set_state(state, timeout, before_send)

    @classmethod
    @override
    async def read_many(cls, outlets: Sequence[OutletTemplate]) -> list[bool | DeviceError]:
        """Read all of ``outlets`` (of this type and one plug) in one exchange."""
        rows = [outlet for outlet in outlets if isinstance(outlet, ESPHome)]
        if not rows:
            return []
        try:
            states: list[bool | DeviceError] = await rows[0].invoke(partial(cls._read, rows))
        except DeviceError as error:
            return [error] * len(rows)
        return states

    @override
    async def updateData(self) -> None:
        plug = self.plug
        await plug.connected()
        self.data.clear()
        for name in MEASURED:
            seen = plug.last("sensor", name, self.params[name])
            if seen is not None:
                self.data.update(seen[0].in_data(seen[1]))

    @override
    def about(self) -> list[str]:
        mac = self.plug.mac
        return [f"pin_mac = {mac}"] if mac else []

    @classmethod
    async def _read(cls, rows: Sequence[ESPHome]) -> list[bool | DeviceError]:
        plug = rows[0].plug
        entities = await plug.connected()
        found: dict[str, bool | DeviceError] = {}
        for row in rows:  # a name that the plug does not have is the fault of one outlet, not of its siblings
            try:
                entities.find("switch", row.params["entity"])
            except DeviceAnswerError as error:
                found[row.params["entity"]] = DeviceAnswerError(f"{row.name}: {error}")
        names = [name for name in dict.fromkeys(row.params["entity"] for row in rows) if name not in found]
        also = [*entities.uptimes(), *(entity for row in rows if (entity := row._reason(entities)) is not None)]
        values: list[Value] = await plug.read([("switch", name) for name in names], also) if names else []
        found.update(zip(names, map(bool, values), strict=True))
        rows[0]._watch(plug)
        for row in rows:
            told = plug.last("text_sensor", "", row.params["reason"]) if row._reason(entities) else None
            row.cause = str(told[1]) if told else ""
        return [found[row.params["entity"]] for row in rows]

    def _watch(self, plug: PlugSession) -> None:
        """A plug whose uptime fell has restarted: what was read before says nothing, and its load may boot."""
        seen = self.device.shared("esphome restarts", lambda: [0])
        if plug.restarts != seen[0]:
            seen[0] = plug.restarts
            self.device.restarted(self.device.clock.now())

    def _reason(self, entities: Entities) -> Entity | None:
        """Return the sensor that says why the plug has switched off by itself; not every plug has one."""
        try:
            return entities.sensor("text_sensor", "", self.params["reason"])
        except DeviceAnswerError:
            return None
