"""UPSes that say what a test has them say, over machines in memory and a virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from ockle.common.errors import DeviceUnreachable
from ockle.common.nut import Reading, reading_of
from ockle.config.model import PlainConfig
from ockle.config.templates import check_settings, load_template
from ockle.config.ups import Ups, ups_of
from ockle.engine.engine import Engine
from ockle.engine.ups_keeper import UpsKeeper
from ockle.engine.ups_report import as_dicts
from rig import Rig

EVERY_S = 5.0
MAINS = {"ups.status": "OL", "battery.charge": "100", "battery.runtime": "3600"}
BATTERY = {**MAINS, "ups.status": "OB DISCHRG"}


def ups(name: str = "rack", **options: Any) -> Ups:
    raw = {"servers": ["all"], "after": "1m", "back_for": "30s", "lost_after": "1m", **options}
    return ups_of(PlainConfig(name, check_settings(load_template("ups.ini"), "ups", raw), name))


class Site:
    """UPSes that say what the test has them say, and a keeper that looks at them."""

    def __init__(self, engine: Engine, *upses: Ups, auto: bool = False) -> None:
        self.engine = engine
        self.says: dict[str, Mapping[str, str] | str] = {one.name: MAINS for one in upses}
        self.keeper = UpsKeeper(engine, self._read, lambda: auto)
        self.keeper.load()
        self.keeper.take(upses)

    async def _read(self, one: Ups) -> Reading:
        said = self.says[one.name]
        if isinstance(said, str):
            raise DeviceUnreachable(said)
        return reading_of(said)

    async def wait(self, seconds: float, says: Mapping[str, str] | str | None = None, name: str = "rack") -> None:
        if says is not None:
            self.says[name] = says
        for _ in range(int(seconds / EVERY_S)):
            await self.keeper.look()
            await asyncio.sleep(EVERY_S)
        await self.keeper.look()

    def one(self, name: str = "rack") -> dict[str, Any]:
        return next(one for one in as_dicts(self.keeper, self.engine.core.clock) if one["name"] == name)

    def told(self) -> list[str]:
        return [event.text for event in self.engine.core.events.since(0) if event.kind == "ups"]


def states(rig: Rig) -> dict[str, bool]:
    return {name: state == "OK" for name, state in rig.states().items()}


def off(rig: Rig) -> set[str]:
    return {name for name, state in rig.states().items() if state == "OFF"}
