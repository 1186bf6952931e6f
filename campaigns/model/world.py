"""What machines, relays and people do, whatever the daemon thinks."""

from __future__ import annotations

from collections.abc import Iterator

from .planner import Planner
from .state import BOOTING, HALTED, STOPPING, UP, WEDGED, State


def spend(state: State) -> State:
    """Take one of the faults that may still happen."""
    return state._replace(faults=state.faults - 1)


def switch(state: State, planner: Planner, index: int, outlet: int, on: bool) -> State:
    """Move a relay; a machine that loses its last supply is halted, one that gets its first boots."""
    if state.outlets[outlet].stuck:
        return state
    own = planner.outlets[index]
    before = any(state.outlets[one].relay for one in own)
    state = state.outlet(outlet, relay=on, shown=on)
    after = any(state.outlets[one].relay for one in own)
    if after is before:
        return state
    return state.server(index, os=BOOTING if after else HALTED, asked=False, fooled=False)


def lie(state: State, index: int, outlet: int, on: bool) -> State:
    """Have a device show what it was asked for, and not do it."""
    return spend(state.outlet(outlet, shown=on).server(index, fooled=not on))


def runs_on(state: State, planner: Planner) -> Iterator[tuple[str, State]]:
    """Yield what happens by itself: boots and shutdowns end, devices answer again."""
    for index, server in enumerate(state.servers):
        if server.os == BOOTING:
            too_late = server.step.startswith("cycle")  # the daemon has looked, and found nobody
            yield f"{planner.names[index]} has booted", state.server(index, os=UP, stale=server.stale or too_late)
        elif server.os == STOPPING:
            yield f"{planner.names[index]} has halted", state.server(index, os=HALTED, fooled=False)
        for outlet in planner.outlets[index]:
            if state.outlets[outlet].silent:
                yield f"the outlet of {planner.names[index]} answers again", state.outlet(outlet, silent=False)


def goes_wrong(state: State, planner: Planner) -> Iterator[tuple[str, State]]:
    """Yield the faults that are no answer to a command."""
    for index, server in enumerate(state.servers):
        name = planner.names[index]
        if server.os == BOOTING:
            yield f"the boot of {name} fails", spend(state.server(index, os=WEDGED))
        if server.os == UP:
            yield f"{name} wedges", spend(state.server(index, os=WEDGED, stale=True))
        for outlet in planner.outlets[index]:
            if not state.outlets[outlet].silent:
                yield f"the outlet of {name} is silent", spend(state.outlet(outlet, silent=True))
            if not state.outlets[outlet].stuck:
                yield f"a relay of {name} sticks", spend(state.outlet(outlet, stuck=True))
            pressed = switch(state, planner, index, outlet, not state.outlets[outlet].relay)
            yield f"somebody presses the button of {name}", spend(pressed.server(index, stale=True))
    if any(outlet.relay for outlet in state.outlets):
        yield "the mains fails and returns", spend(_mains(state, planner))


def _mains(state: State, planner: Planner) -> State:
    for index in range(len(state.servers)):
        if any(state.outlets[one].relay for one in planner.outlets[index]):
            state = state.server(index, os=BOOTING, asked=False, fooled=False, stale=True)
    return state
