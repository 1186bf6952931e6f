"""OpState, the state of every server, outlet and control. The names and texts are part of the documented API."""

from __future__ import annotations

from enum import StrEnum


class OpState(StrEnum):
    """Operation state of a server, an outlet or a control; the value is the text that people read."""

    INIT = "Not started"
    """Not observed since the daemon started: never taken for on or off."""
    UNKNOWN = "Unknown"
    """Observed before, but the device does not answer (or makes no sense) now: never taken for on or off."""
    OK = "OK"
    OFF = "OFF"
    SwitcingOn = "Switching on"
    SwitchingOn = "Switching on"
    SwitchingOff = "Switching off"
    failedToStart = "Failed to start"
    failedToStop = "Failed to stop"
    permanentlyFailedToStart = "Permanently failed to start"
    permanentlyFailedToStop = "Permanently failed to Stop"
    forcedOn = "Forced on"
    forcedOff = "Forced off"


UNOBSERVED = frozenset({OpState.INIT, OpState.UNKNOWN})
"""States that say nothing about the thing: they neither satisfy a dependency nor count as down."""

FORCED = frozenset({OpState.forcedOn, OpState.forcedOff})
FAILED_START = frozenset({OpState.failedToStart, OpState.permanentlyFailedToStart})
PERMANENT = frozenset({OpState.permanentlyFailedToStart, OpState.permanentlyFailedToStop})
SWITCHING = frozenset({OpState.SwitchingOn, OpState.SwitchingOff})
