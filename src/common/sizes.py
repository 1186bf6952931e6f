"""Sizes of files as people read them."""

from __future__ import annotations

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def size_text(amount: float) -> str:
    """Return bytes as ``512 B``, ``1.4 MiB``, ``150 KiB``."""
    value = float(amount)
    for unit in _UNITS:
        if value < 1024 or unit == _UNITS[-1]:
            break
        value /= 1024
    return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
