"""Reads and measures outlets, each type's at once, and leaves out what a switching has overtaken."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence

from ..common.errors import DeviceAnswerError, DeviceError
from ..networkTree.ServerNode import ServerNode
from ..outlets.OutletTemplate import OutletTemplate

log = logging.getLogger(__name__)

Pair = tuple[ServerNode, OutletTemplate]


async def read_pairs(pairs: Sequence[Pair]) -> list[tuple[ServerNode, OutletTemplate, bool | DeviceError]]:
    """Return what the outlets of one device show, or why they cannot be read.

    An answer to a read that was begun before the outlet was commanded, or before its command was verified, is left
    out: a slow device would take back what is known since, and a running server would count as down.
    """
    found = []
    for outlet_type, group in _by_type(pairs).items():
        begun = [outlet.marks.switchings for _, outlet in group]
        answers = await _read_many(outlet_type, [outlet for _, outlet in group])
        for (node, outlet), then, answer in zip(group, begun, answers, strict=True):
            if outlet.marks.switchings == then:
                found.append((node, outlet, answer))
    return found


async def measure_pairs(pairs: Sequence[Pair]) -> None:
    """Measure those of the outlets of one device that could be read and have a meter."""
    ready = [(node, outlet) for node, outlet in pairs if outlet.measures and not outlet.last_error]
    for outlet_type, group in _by_type(ready).items():
        try:
            await outlet_type.measure_many([outlet for _, outlet in group])
        except Exception:
            log.exception("the driver %s has a bug", outlet_type.__name__)


def _by_type(pairs: Sequence[Pair]) -> dict[type[OutletTemplate], list[Pair]]:
    found: dict[type[OutletTemplate], list[Pair]] = defaultdict(list)
    for pair in pairs:
        found[type(pair[1])].append(pair)
    return found


async def _read_many(outlet_type: type[OutletTemplate], outlets: list[OutletTemplate]) -> Sequence[bool | DeviceError]:
    try:
        answers = await outlet_type.read_many(outlets)
    except Exception as error:
        log.error("the driver %s has a bug", outlet_type.__name__, exc_info=error)
        text = f"{type(error).__name__}: {error}"
    else:
        if len(answers) == len(outlets):
            return answers
        text = f"{len(answers)} answers for {len(outlets)} outlets"
        log.error("the driver %s has a bug: %s", outlet_type.__name__, text)
    return [DeviceAnswerError(f"the driver {outlet_type.__name__} has a bug: {text}")] * len(outlets)
