"""Text that fits into a box. Browsers do not cut text in SVG, and what is wider than its box runs over the next one."""

from __future__ import annotations

import math
from collections.abc import Iterable
from unicodedata import east_asian_width

ELLIPSIS = "…"
BOLD_PX, SMALL_PX = 8.6, 6.4
"""Width of a usual letter: of a name (13.5 px, bold), of the lines below it (11.5 px)."""
BESIDE_PX = 50
"""of a box, taken by its glyph and margins"""
LEAST_PX, MOST_PX = 140, 220
USUAL = 14
"""Letters that a name may always have without being cut."""


def letters(width: float, letter_px: float) -> int:
    """Return how many letters fit into a box."""
    return max(1, int((width - BESIDE_PX) / letter_px))


def cells(text: str) -> int:
    """Return the width of ``text`` in letters: those of East Asian scripts, and emoji, are as wide as two."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def box_width(names: Iterable[str], room: float) -> int:
    """Return how wide boxes are: as ``room``, but so that nearly all ``names`` fit, and within limits. Even.

    A long name that is longer than nearly all others is cut rather than that all boxes get wide.
    """
    lengths = sorted(map(cells, names)) or [0]
    longest = max(lengths[(len(lengths) - 1) * 9 // 10], min(lengths[-1], USUAL))
    wanted = max(BESIDE_PX + longest * BOLD_PX, room)
    return 2 * math.ceil(min(max(wanted, LEAST_PX), MOST_PX) / 2)


def cut(text: str, room: int) -> str:
    """Return ``text`` in at most ``room`` letters, an ellipsis where something is missing."""
    if cells(text) <= room:
        return text
    kept, used = [], 1
    for letter in text:
        used += cells(letter)
        if used > room:
            break
        kept.append(letter)
    return "".join(kept).rstrip() + ELLIPSIS
