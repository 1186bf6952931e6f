"""From the name of a measured value, which ends with its unit, to a metric in base units."""

from __future__ import annotations

import re
from typing import NamedTuple


class Scale(NamedTuple):
    """A base unit, "" for none, and how a value comes to it: times, and then divided by."""

    unit: str
    times: float = 1.0
    per: float = 1.0

    def apply(self, value: float) -> float:
        return value * self.times / self.per


SCALES = {
    "w": Scale("watts"), "kw": Scale("watts", 1e3), "wh": Scale("joules", 3600.0), "kwh": Scale("joules", 3.6e6),
    "va": Scale("voltamperes"), "var": Scale("vars"), "v": Scale("volts"), "a": Scale("amperes"),
    "ma": Scale("amperes", 1.0, 1e3), "hz": Scale("hertz"), "c": Scale("celsius"), "s": Scale("seconds"),
    "ms": Scale("seconds", 1.0, 1e3), "percent": Scale("ratio", 1.0, 100.0), "pct": Scale("ratio", 1.0, 100.0),
    "rpm": Scale("rpm"), "dbm": Scale("dbm"), "bytes": Scale("bytes"),
}  # fmt: skip
"""End of a key -> base unit (Prometheus, "Metric and label naming")."""


def in_base_units(key: str) -> tuple[str, Scale]:
    """Return the end of a name for ``key`` and its scale: ``charge_percent`` is ``charge_ratio``, a hundredth.

    A key without a unit stays as it is; letters that a name cannot have become ``_``.
    """
    stem, mark, end = key.lower().rpartition("_")
    scale = SCALES.get(end, Scale("")) if mark else Scale("")
    return re.sub(r"[^a-z0-9_]", "_", f"{stem}_{scale.unit}" if scale.unit else key.lower()), scale
