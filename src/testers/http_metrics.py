"""Tests whether a node's figures are within their limits."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from typing_extensions import override

from ..common.errors import DeviceAnswerError
from .TemplateTester import TemplateTester

FIGURES = ("cpu_percent", "memory_percent", "disk_percent", "num_pids")


class HTTPMetrics(TemplateTester):
    """Passes when the JSON of a node's ``/events`` is there, and no figure is above its limit.

    Data: ``cpu_percent``, ``memory_percent``, ``disk_percent``, ``num_pids``, as far as the node tells them.
    A figure that has a limit must be there; ``time`` must be there when ``max_age`` is set: seconds since 1970, or
    ISO 8601 (UTC unless it says otherwise).
    """

    @override
    async def _test(self) -> bool:
        from ..common.http import Target, fetch_json

        target = Target(self.params["host"], self.params["port"], self.params["path"])
        figures = await fetch_json(target, self.timeout)
        self.data.clear()
        self.data.update({name: figures[name] for name in FIGURES if _number(figures.get(name)) is not None})
        problems = [*self._above_limits(figures), *self._too_old(figures)]
        if problems:
            raise DeviceAnswerError(f"{target.where}: {'; '.join(problems)}")
        return True

    def _above_limits(self, figures: dict[str, Any]) -> list[str]:
        problems = []
        for name in FIGURES:
            limit = self.params[f"max_{name}"]
            if not limit:
                continue
            value = _number(figures.get(name))
            if value is None:
                problems.append(f"{name} is {str(figures[name])[:40]!r}" if name in figures else f"{name} is missing")
            elif value > limit:
                problems.append(f"{name} is {value:g}, more than {limit:g}")
        return problems

    def _too_old(self, figures: dict[str, Any]) -> list[str]:
        most = self.params["max_age"]
        if not most:
            return []
        moment = _moment(figures.get("time"))
        if moment is None:
            return [f"time is {str(figures['time'])[:40]!r}" if "time" in figures else "time is missing"]
        age = self.device.clock.wall() - moment
        return [f"the figures are {age:.0f} s old, more than {most:g}"] if age > most else []


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _moment(value: object) -> float | None:
    """Return seconds since 1970 of a number, of a text with a number, or of ISO 8601."""
    if not isinstance(value, str):
        return _number(value)
    try:
        return _number(float(value))
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(value.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
