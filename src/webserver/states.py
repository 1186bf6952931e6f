"""How a state looks: its glyph, its word and the class that colours it. The same everywhere, see docs."""

from __future__ import annotations

from dataclasses import dataclass

from ..common.common import OpState


@dataclass(frozen=True, slots=True)
class Look:
    """``style``: the CSS class behind ``state-``; ``group``: under which word it is counted and filtered."""

    glyph: str
    word: str
    style: str
    group: str


LOOKS = {
    OpState.INIT: Look("○", "Not started", "init", "unknown"),
    OpState.OK: Look("✓", "On", "on", "on"),
    OpState.OFF: Look("–", "Off", "off", "off"),
    OpState.SwitchingOn: Look("▲", "Switching on", "rising", "switching"),
    OpState.SwitchingOff: Look("▼", "Switching off", "falling", "switching"),
    OpState.failedToStart: Look("!", "Failed to start", "failed", "failed"),
    OpState.failedToStop: Look("!", "Failed to stop", "failed", "failed"),
    OpState.permanentlyFailedToStart: Look("✕", "Gave up starting", "gave-up", "failed"),
    OpState.permanentlyFailedToStop: Look("✕", "Gave up stopping", "gave-up", "failed"),
    OpState.forcedOn: Look("⚑", "Forced on", "forced-on", "forced"),
    OpState.forcedOff: Look("⚑", "Forced off", "forced-off", "forced"),
    OpState.UNKNOWN: Look("?", "Unknown", "unknown", "unknown"),
}
GROUPS = ("on", "switching", "failed", "forced", "off", "unknown")
"""In the order in which they are listed."""


def look(state: str) -> Look:
    """Return the look of a state by its documented text; a text that this version does not know looks unknown."""
    try:
        return LOOKS[OpState(state)]
    except ValueError:
        return LOOKS[OpState.UNKNOWN]
