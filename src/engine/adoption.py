"""What goes over from one network to the next when the configuration is loaded anew."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping

from ..common.device import Device
from ..drivers.driver import Driver
from ..networkTree.ServerNetwork import ServerNetwork
from ..networkTree.ServerNode import ServerNode
from ..outlets.OutletTemplate import OutletTemplate
from .journal import Journal

log = logging.getLogger(__name__)

CLOSE_S = 1.0
"""How long one device may take to end its sessions."""


def exchange(old: ServerNetwork, new: ServerNetwork, journal: Journal, renamed: Mapping[str, str]) -> None:
    """Give the servers of ``new`` what is known of them, and note who has come and who is gone.

    ``renamed``  new name of a server -> the one that it had; who is called so now is somebody else
    """
    given_up = set(renamed.values())
    for node in new:
        name = renamed.get(node.name, node.name)
        before = old.getServer(name) if node.name in renamed or name not in given_up else None
        if before is not None:
            take_over(node, before)
        else:
            journal.enter(node)
    for node in old:
        if node.name not in new:
            journal.leave(node)


def devices(network: ServerNetwork) -> set[Device]:
    """Return what the servers' outlets, controls and tests talk to."""
    return {part.device for node in network for part in node.parts()}


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
    node.why, node.why_since = before.why, before.why_since
    known = {outlet.name: outlet for outlet in before.outlets}
    for outlet in node.outlets:
        old = known.get(outlet.name)
        if old is not None:
            _keep_marks(outlet, old)
            if _same(outlet, old):
                outlet.opState = old.opState
    tests = zip(node.tests, before.tests, strict=False)
    if len(node.tests) != len(before.tests) or not all(_same(test, old) for test, old in tests):
        node.facts.serving = None


def _keep_marks(outlet: OutletTemplate, old: OutletTemplate) -> None:
    """Keep what is known of the physical outlet; what was read of it only where it is read in the same way."""
    new, known = outlet.marks, old.marks
    same = _same(outlet, old)
    if new is not known:
        new.remember(known)
        if same:
            new.state, new.seen_at = known.state, known.seen_at
    elif not same:
        new.forget()


def _same(part: Driver, old: Driver) -> bool:
    """Tell whether ``old`` is the same thing at the same device, so that what was seen of it is still evidence."""
    return type(old) is type(part) and old.params == part.params and old.device is part.device
