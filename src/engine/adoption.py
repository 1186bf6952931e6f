"""What goes over from one network to the next when the configuration is loaded anew."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from ..common.device import Device
from ..drivers.driver import Driver
from ..networkTree.ServerNode import ServerNode

log = logging.getLogger(__name__)

CLOSE_S = 1.0
"""How long one device may take to end its sessions."""


async def close_all(devices: Iterable[Device]) -> None:
    """Close all devices at once; one that does not let itself be closed keeps nobody waiting for long."""

    async def close(device: Device) -> None:
        try:
            await asyncio.wait_for(device.close(), CLOSE_S)
        except Exception as error:  # noqa: BLE001 - foreign code: what cannot be closed is left
            log.warning("cannot close %s: %s: %s", device.name, type(error).__name__, error)

    await asyncio.gather(*(close(device) for device in devices))


def take_over(node: ServerNode, before: ServerNode) -> None:
    """Give ``node``, made from a new configuration, what is known of the server that it replaces."""
    policy = node.facts.policy
    node.facts = before.facts
    node.facts.policy = policy
    node.why = before.why
    known = {outlet.name: outlet for outlet in before.outlets}
    for outlet in node.outlets:
        old = known.get(outlet.name)
        if old is not None:
            outlet.on_at, outlet.off_at = old.on_at, old.off_at
            if _same(outlet, old):
                outlet.opState, outlet.state, outlet.seen_at = old.opState, old.state, old.seen_at
    tests = zip(node.tests, before.tests, strict=False)
    if len(node.tests) != len(before.tests) or not all(_same(test, old) for test, old in tests):
        node.facts.serving = None


def _same(part: Driver, old: Driver) -> bool:
    """Tell whether ``old`` is the same thing at the same device, so that what was seen of it is still evidence."""
    return type(old) is type(part) and old.params == part.params and old.device is part.device
