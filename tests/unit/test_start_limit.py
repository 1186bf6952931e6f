"""Who gets a free start when only the limit of simultaneous starts keeps servers waiting."""

from __future__ import annotations

import asyncio

from ockle.engine.engine import Engine
from ockle.engine.settings import Settings
from rig import Rig


def test_a_start_that_its_next_server_no_longer_wants_goes_to_another() -> None:
    names = [f"s{number}" for number in range(4)]
    rig = Rig({name: [] for name in names}, settings=Settings(poll_interval=5, start_limit=1))

    async def scenario(engine: Engine) -> None:
        await engine.order("on", names, who="test")
        await asyncio.sleep(1)
        await engine.hold("s1", True, "being looked at")
        await engine.hold("s2", True, "being looked at")
        await asyncio.sleep(25)  # the boots of s0 and s3, one after the other

    rig.play(scenario)
    assert rig.order("up") == ["s0", "s3"]
