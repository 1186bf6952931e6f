"""The transition table of a server's OpState. One function applies it; an event without a row is a bug."""

from __future__ import annotations

from enum import StrEnum

from ..common.common import FORCED, UNOBSERVED, OpState


class Trigger(StrEnum):
    """What can happen to a server."""

    SAW_ON = "all supplies on and every test passes"
    SAW_OFF = "all supplies off"
    SAW_FAULT = "supplies on, tests fail"
    UNTESTED = "supplies on, tests not run since"
    DOUBTED = "supplies on, but it was asked to shut down"
    LOST = "a supply cannot be read"
    START = "switching on begins"
    STARTED = "outlets on, tests passed"
    START_FAILED = "a deadline of the start passed"
    START_GAVE_UP = "the last attempt to start failed"
    STOP = "switching off begins"
    STOPPED = "all supplies verified off"
    STOP_FAILED = "it did not go down, or the cut could not be verified"
    STOP_GAVE_UP = "the last attempt to stop failed"
    RESET = "an operator orders it again"
    FORCE_ON = "an operator forces it on"
    FORCE_OFF = "an operator forces it off"
    UNFORCE = "the force is lifted"


_S, _T = OpState, Trigger
_FAILED_START = (_S.failedToStart, _S.permanentlyFailedToStart)
_FAILED_STOP = (_S.failedToStop, _S.permanentlyFailedToStop)


def _rows() -> dict[tuple[OpState, Trigger], OpState]:
    rows: dict[tuple[OpState, Trigger], OpState] = {}

    def add(sources: object, trigger: Trigger, target: OpState | None) -> None:
        for source in sources:  # type: ignore[attr-defined]
            rows[source, trigger] = source if target is None else target

    free = (*UNOBSERVED, _S.OK, _S.OFF)
    # What is observed while no switching runs (S1, S14-S16), or after one was dropped unsent (S5, S10).
    switching = (_S.SwitchingOn, _S.SwitchingOff)
    add((*free, *switching, _S.failedToStart), _T.SAW_ON, _S.OK)
    add((_S.permanentlyFailedToStart, *_FAILED_STOP), _T.SAW_ON, None)  # S17: giving up does not end by itself
    add((*free, *switching, *_FAILED_STOP), _T.SAW_OFF, _S.OFF)
    add(_FAILED_START, _T.SAW_OFF, None)
    add((*free, *switching), _T.SAW_FAULT, _S.failedToStart)
    add((*_FAILED_START, *_FAILED_STOP), _T.SAW_FAULT, None)
    add((*UNOBSERVED, _S.OK, *_FAILED_START, *_FAILED_STOP), _T.UNTESTED, None)
    add((_S.OFF, *switching), _T.UNTESTED, _S.UNKNOWN)  # I8: no longer off, and not known to serve
    add((*UNOBSERVED, *_FAILED_START, *_FAILED_STOP), _T.DOUBTED, None)
    add((_S.OK, _S.OFF, *switching), _T.DOUBTED, _S.UNKNOWN)  # I8: it may be on its way down
    add([_S.INIT], _T.LOST, _S.INIT)
    add((_S.UNKNOWN, _S.OK, _S.OFF, *switching), _T.LOST, _S.UNKNOWN)
    add((*_FAILED_START, *_FAILED_STOP), _T.LOST, None)
    # Switching on (S4, S6-S8).
    add((*UNOBSERVED, _S.OFF, _S.failedToStart, _S.failedToStop), _T.START, _S.SwitchingOn)
    rows[_S.SwitchingOn, _T.STARTED] = _S.OK
    rows[_S.SwitchingOn, _T.START_FAILED] = _S.failedToStart
    rows[_S.SwitchingOn, _T.START_GAVE_UP] = _S.permanentlyFailedToStart
    # Switching off (S9, S12, S13). A start that fails may end in a stop without a state between.
    add((*free, _S.SwitchingOn, *_FAILED_START, _S.failedToStop), _T.STOP, _S.SwitchingOff)
    rows[_S.SwitchingOff, _T.STOPPED] = _S.OFF
    rows[_S.SwitchingOff, _T.STOP_FAILED] = _S.failedToStop
    rows[_S.SwitchingOff, _T.STOP_GAVE_UP] = _S.permanentlyFailedToStop
    # Only a person ends "permanently failed" (S17).
    rows[_S.permanentlyFailedToStart, _T.RESET] = _S.failedToStart
    rows[_S.permanentlyFailedToStop, _T.RESET] = _S.failedToStop
    # Force (S18, S19): observed anew before anything else happens.
    add(OpState, _T.FORCE_ON, _S.forcedOn)
    add(OpState, _T.FORCE_OFF, _S.forcedOff)
    add(FORCED, _T.UNFORCE, _S.INIT)
    return rows


TRANSITIONS = _rows()
"""(state, trigger) -> state; a row that names its own state keeps it."""


def transition(state: OpState, trigger: Trigger) -> OpState:
    """Return the state after ``trigger``; raises ValueError when the table has no such row."""
    try:
        return TRANSITIONS[state, trigger]
    except KeyError:
        raise ValueError(f"no transition from {state.name} by {trigger.name}: a bug in Ockle") from None
