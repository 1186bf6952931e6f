"""What the tests of the engine say in short on their rig."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from typing_extensions import override

from ockle.common.errors import DeviceError
from ockle.engine.engine import Engine
from ockle.engine.runs import RunState
from ockle.networkTree.ServerNode import ServerNode
from ockle.outlets.OutletTemplate import OutletTemplate
from rig import Rig
from rig_machine import RigOutlet

CHAIN = {"switch": [], "nas": ["switch"], "hv": ["nas", "switch"], "web": ["hv"], "lone": []}


async def ordered(engine: Engine, action: str, *names: str) -> RunState:
    order = await engine.order(action, names, who="test")
    await order.finished.wait()
    return order.state


async def up(engine: Engine, *names: str) -> RunState:
    return await ordered(engine, "on", *names or everybody(engine))


async def down(engine: Engine, *names: str) -> RunState:
    return await ordered(engine, "off", *names or everybody(engine))


def everybody(engine: Engine) -> list[str]:
    return [node.name for node in engine.network]


def node_of(engine: Engine, name: str) -> ServerNode:
    return engine.network.getServernode(name)


def whats(rig: Rig, name: str) -> list[str]:
    return [sight.what for sight in rig.sights if sight.machine == name]


def again(rig: Rig) -> Rig:
    """The same machines under a new daemon."""
    new = Rig(rig.needs, store=rig.store_url, policy=rig.policy)
    for name, machine in rig.machines.items():
        new[name].relays, new[name].os = machine.relays, machine.os
    return new


class SlowToAnswer(RigOutlet):
    """Its device looks at the relay at once and answers much later, as a busy agent does."""

    delay_s = 0.0

    @classmethod
    @override
    async def read_many(cls, outlets: Sequence[OutletTemplate]) -> list[bool | DeviceError]:
        answers = await super().read_many(outlets)
        await asyncio.sleep(cls.delay_s)
        return answers
