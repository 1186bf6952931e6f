"""Parts of a network that nothing joins, side by side and one below the other."""

from __future__ import annotations

from collections.abc import Iterable

from .model import Layout, Metrics


def pack(parts: Iterable[Layout], metrics: Metrics) -> list[tuple[int, int]]:
    """Return how far right and down each part goes, in shelves as wide as ``metrics.page`` or the widest part."""
    sizes = [(part.width, part.height) for part in parts]
    page = max([metrics.page, *(width for width, _height in sizes)])
    found: list[tuple[int, int]] = []
    x = y = shelf = 0
    for width, height in sizes:
        if x and x + width > page:
            x, y, shelf = 0, y + shelf + metrics.part_gap, 0
        found.append((x, y))
        x += width + metrics.part_gap
        shelf = max(shelf, height)
    return found
