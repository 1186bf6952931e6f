"""How a state looks: its glyph, its word and the class that colours it. The same everywhere, see docs."""

from __future__ import annotations

from dataclasses import dataclass

from ..common.common import OpState
from .texts import N_


@dataclass(frozen=True, slots=True)
class Look:
    """``style``: the CSS class behind ``state-``; ``group``: under which word it is counted and filtered."""

    glyph: str
    word: str
    style: str
    group: str


LOOKS = {
    OpState.INIT: Look("○", N_("Not started"), "init", "unknown"),
    OpState.OK: Look("✓", N_("On"), "on", "on"),
    OpState.OFF: Look("–", N_("Off"), "off", "off"),
    OpState.SwitchingOn: Look("▲", N_("Switching on"), "rising", "switching"),
    OpState.SwitchingOff: Look("▼", N_("Switching off"), "falling", "switching"),
    OpState.failedToStart: Look("!", N_("Failed to start"), "failed", "failed"),
    OpState.failedToStop: Look("!", N_("Failed to stop"), "failed", "failed"),
    OpState.permanentlyFailedToStart: Look("✕", N_("Gave up starting"), "gave-up", "failed"),
    OpState.permanentlyFailedToStop: Look("✕", N_("Gave up stopping"), "gave-up", "failed"),
    OpState.forcedOn: Look("⚑", N_("Forced on"), "forced-on", "forced"),
    OpState.forcedOff: Look("⚑", N_("Forced off"), "forced-off", "forced"),
    OpState.UNKNOWN: Look("?", N_("Unknown"), "unknown", "unknown"),
}
GROUPS = (N_("on"), N_("switching"), N_("failed"), N_("forced"), N_("off"), N_("unknown"))
"""In the order in which they are listed."""


def look(state: str) -> Look:
    """Return the look of a state by its documented text; a text that this version does not know looks unknown."""
    try:
        return LOOKS[OpState(state)]
    except ValueError:
        return LOOKS[OpState.UNKNOWN]
