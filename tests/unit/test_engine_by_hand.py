"""Commands that an operator gives to a single outlet or control."""

from __future__ import annotations

import asyncio

import pytest

from ockle.common.errors import DeviceRefused
from ockle.engine.engine import Engine
from rig import Rig
from rig_calls import node_of, up


def test_a_refused_shutdown_leaves_known_which_boot_was_asked_before() -> None:
    """Forgotten, no new boot could ever prove that the server is not on its way down any more."""
    rig = Rig({"a": []}, policy={"shutdown_timeout": 500.0})

    async def scenario(engine: Engine) -> None:
        await up(engine)
        node = node_of(engine, "a")
        rig["a"].hang_shutdown = True
        await engine.by_hand.switch_control(node, node.controls[0], False)
        assert (node.facts.shutdown_sent, node.facts.poison_boot) == (True, "boot-1")
        rig["a"].refuse_login = True
        with pytest.raises(DeviceRefused):
            await engine.by_hand.switch_control(node, node.controls[0], False)
        assert (node.facts.shutdown_sent, node.facts.poison_boot) == (True, "boot-1")
        rig["a"].os = "wedged"
        rig["a"].unwedge()
        await asyncio.sleep(60)
        assert not node.facts.shutdown_sent

    rig.play(scenario)
