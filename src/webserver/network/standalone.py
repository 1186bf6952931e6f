"""The styles of the picture for a file that stands alone, in the light theme."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_CSS = Path(__file__).parent.parent / "static" / "css"


@cache
def stylesheet() -> str:
    """Return the styles with all colours put in: programs that draw SVG seldom know custom properties."""
    base = (_CSS / "base.css").read_text("utf-8")
    light = re.sub(r"light-dark\(([^,]+), [^)]+\)", r"\1", base[base.index(":root {") : base.index("}")])
    colours = dict(re.findall(r"(--[a-z-]+):\s*([^;]+);", light))
    css = re.sub(r"/\*.*?\*/", "", (_CSS / "graph.css").read_text("utf-8"), flags=re.DOTALL)
    states = "".join(
        f".state-{name} {{ color: {colours[f'--{colour}']}; }}\n" for name, colour in STATE_COLOURS.items()
    )
    return states + re.sub(r"var\((--[a-z-]+)\)", lambda match: colours[match[1]], css)


STATE_COLOURS = {
    **{name: name for name in ("on", "off", "rising", "falling", "failed", "gave-up", "unknown")},
    "forced-on": "forced",
    "forced-off": "forced",
    "init": "unknown",
}
"""Class of a state behind ``state-`` -> its colour, as base.css has them."""
