"""One round of samples: what is measured at outlets, controls and tests of all servers at this moment."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from ..common.common import OpState
from ..common.errors import DeviceError
from ..controllers.ControllerTemplate import ControllerTemplate
from ..networkTree.ServerNetwork import ServerNetwork
from ..networkTree.ServerNode import ServerNode
from ..store.samples.buckets import GAP_AFTER
from ..store.samples.sample_store import Series
from ..testers.TemplateTester import TesterOpState
from .settings import Settings

log = logging.getLogger(__name__)

UP = frozenset({OpState.OK, OpState.forcedOn})
WATTS, COUNT = "power_w", "servers_on"


class Measured(NamedTuple):
    """What a meter beside the servers' parts has: a finite value, the moment of the clock when it was measured, and the
    usual seconds between two measurements, 0 = whenever it is asked."""

    value: float
    at: float
    every: float = 0.0


Meter = Callable[[], Mapping[Series, Measured]]


class Sampler:
    """Looks at a network, on its device loop.

    A value counts once: what was not measured anew since the last look is no new sample. ``pace`` is told for each
    value, the seconds after which the next one is due, so that a gap can be told from a slow meter.
    """

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self._seen: dict[Series, float] = {}  # -> moment of the measurement that was taken last

    async def look(
        self,
        network: ServerNetwork,
        settings: Settings,
        now: float,
        meters: Iterable[Meter] = (),
    ) -> tuple[dict[Series, float], dict[Series, float]]:
        """Have the controls of running servers measured; return the values and the pace of each series."""
        await self._measure_controls(network)
        values: dict[Series, float] = {}
        pace: dict[Series, float] = {}
        polled, tested = (max(self.interval, one) for one in (settings.poll_interval, settings.test_interval))
        for node in network:
            for outlet in node.outlets:
                if not outlet.last_error:
                    self._take(values, node.name, "outlet", outlet.name, outlet.data, outlet.measured_at)
            for control in node.controls:
                self._take(values, node.name, "control", control.name, control.data, control.measured_at)
            for test in node.tests:
                if test.opState is not TesterOpState.INIT:
                    figures = {**test.data, "passed": test.opState is TesterOpState.SUCCEEDED}
                    self._take(values, node.name, "test", test.name, figures, test.seen_at)
        for one in values:
            pace[one] = {"outlet": polled, "test": tested}.get(one.kind, self.interval)
        totals = self._totals(network, now - GAP_AFTER * polled)
        for meter in meters:
            for one, measure in meter().items():
                if self._is_new(one, measure.at):
                    values[one], pace[one] = measure.value, max(self.interval, measure.every)
        return {**values, **totals}, {**pace, **dict.fromkeys(totals, polled)}

    def _take(
        self, values: dict[Series, float], server: str, kind: str, part: str, data: Mapping[str, Any], measured: float
    ) -> None:
        for key, raw in data.items():
            value, one = as_number(raw), Series(server, kind, part, str(key))
            if value is not None and self._is_new(one, measured):
                values[one] = value

    def _is_new(self, one: Series, measured: float) -> bool:
        """Tell whether it was measured anew since this was asked last."""
        if self._seen.get(one, -math.inf) >= measured:
            return False
        self._seen[one] = measured
        return True

    @staticmethod
    async def _measure_controls(network: ServerNetwork) -> None:
        """Only of servers that are up and that nothing switches: no shutdown is to wait for a measurement."""
        ready = [
            control
            for node in network
            if node.facts.op is None and node.facts.op_state in UP
            for control in node.controls
            if control.measures
        ]
        await asyncio.gather(*map(_measure, ready))

    @staticmethod
    def _totals(network: ServerNetwork, oldest: float) -> dict[Series, float]:
        """Return sums over servers; a sum is left out while a part of it is not known."""
        nodes = list(network)
        found = {Series("", "network", "", COUNT): float(sum(node.facts.op_state in UP for node in nodes))}
        watts = [_watts(node, oldest) for node in nodes]
        known = [one for one in watts if one is not None]
        for node, one in zip(nodes, watts, strict=True):
            if one is not None and math.isfinite(one) and len(node.outlets) > 1:
                found[Series(node.name, "server", "", WATTS)] = one
        if known and all(map(math.isfinite, known)):
            found[Series("", "network", "", WATTS)] = math.fsum(known)
        return found


async def _measure(control: ControllerTemplate) -> None:
    try:
        await control.measure()
    except DeviceError as error:
        log.debug("%s: cannot measure: %s", control.name, error)


def _watts(node: ServerNode, oldest: float) -> float | None:
    """Return the watts of a server, NaN when an outlet with a meter has no fresh value, None without a meter."""
    metered = [outlet for outlet in node.outlets if outlet.measured_at > -math.inf and outlet.measures]
    readings = [outlet for outlet in metered if WATTS in outlet.data and outlet.measured_at >= oldest]
    if not metered or (not readings and all(outlet.measured_at >= oldest for outlet in metered)):
        return None  # what it measures is no power
    return math.nan if len(readings) < len(metered) else math.fsum(as_number(o.data[WATTS]) or 0.0 for o in readings)


def as_number(raw: object) -> float | None:
    """Return a measured value as a finite number; None for what is none."""
    if not isinstance(raw, bool | int | float):
        return None
    try:
        value = float(raw)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None
