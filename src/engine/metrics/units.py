"""From the name of a measured value, which ends with its unit, to a metric in base units."""

from __future__ import annotations

import re

BASE = {
    "w": ("watts", 1.0), "kw": ("watts", 1e3), "wh": ("joules", 3600.0), "kwh": ("joules", 3.6e6),
    "va": ("voltamperes", 1.0), "var": ("vars", 1.0), "a": ("amperes", 1.0), "ma": ("amperes", 1e-3),
    "v": ("volts", 1.0), "hz": ("hertz", 1.0), "c": ("celsius", 1.0), "s": ("seconds", 1.0), "ms": ("seconds", 1e-3),
    "percent": ("ratio", 0.01), "pct": ("ratio", 0.01), "rpm": ("rpm", 1.0), "dbm": ("dbm", 1.0),
    "bytes": ("bytes", 1.0),
}  # fmt: skip
"""End of a key -> base unit, and by what a value is multiplied (Prometheus, "Metric and label naming")."""


def in_base_units(key: str) -> tuple[str, float]:
    """Return the end of a metric's name for ``key``, and its factor: ``charge_percent`` -> ``charge_ratio``, 0.01.

    A key without a unit stays as it is; letters that a name cannot have become ``_``.
    """
    stem, mark, end = key.lower().rpartition("_")
    unit, factor = BASE.get(end, ("", 1.0)) if mark else ("", 1.0)
    return re.sub(r"[^a-z0-9_]", "_", f"{stem}_{unit}" if unit else key.lower()), factor
