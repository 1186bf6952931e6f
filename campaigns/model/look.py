"""How the daemon turns what it sees into states, as ``engine.observer`` does."""

from __future__ import annotations

from ockle.networkTree.facts import Supply
from ockle.networkTree.states import Trigger

from .planner import Planner
from .state import ANSWERS, Configuration, Rules, Server, State


class Look:
    """Reads outlets and runs tests."""

    def __init__(self, configuration: Configuration, rules: Rules, planner: Planner) -> None:
        self._drift_policy = configuration.drift
        self._rules = rules
        self._planner = planner

    def read(self, state: State, index: int) -> State:
        """Read the outlets of a server: unknown where the device is silent."""
        for one in self._planner.outlets[index]:
            outlet = state.outlets[one]
            unread = None if self._rules.silence_is_unknown else False
            seen = unread if outlet.silent else outlet.shown
            if outlet.seen is not seen:
                state = state.outlet(one, seen=seen)
        if self._planner.supply(state, index) is Supply.OFF and state.servers[index].stale:
            state = state.server(index, stale=False)
        return self.evaluate(state, index)

    def test(self, state: State, index: int) -> State:
        """Run the tests of a server that has power."""
        if self._planner.supply(state, index) not in (Supply.ON, Supply.MIXED):
            return state
        server = state.servers[index]
        if server.serving is not (server.os in ANSWERS) or server.stale:
            state = self.tested(state, index)
        if self._booted_anew(server):
            state = state.server(index, shutdown_sent=False, boot_known=False)
        return self.evaluate(state, index)

    def _booted_anew(self, server: Server) -> bool:
        """Whether it serves, in another boot than the one that was asked to shut down."""
        if not (server.os in ANSWERS and server.shutdown_sent and server.boot_known):
            return False
        return not server.asked or not self._rules.compare_boots

    def tested(self, state: State, index: int) -> State:
        """Take in the result of the tests, and for the judge: whether anything is left that nobody has looked at."""
        outlets = [state.outlets[one] for one in self._planner.outlets[index]]
        unread = any(one.seen is not one.shown for one in outlets)
        server = state.servers[index]
        return state.server(index, serving=server.os in ANSWERS, stale=server.stale and unread)

    def evaluate(self, state: State, index: int) -> State:
        """Bring the state of a server in line with what is known of it, unless a switching owns it."""
        server, supply = state.servers[index], self._planner.supply(state, index)
        if server.op:
            return state
        if supply is Supply.UNKNOWN:
            return self._move(state, index, Trigger.LOST)
        if supply is Supply.OFF:
            # the journal learns later that nothing is stopping any more, or never: that is harmless
            state = state.server(index, serving=None, degraded=False, shutdown_sent=False, boot_known=False)
            return self._move(self._drift(state, index, False), index, Trigger.SAW_OFF)
        if supply is Supply.MIXED or server.serving is False:
            degraded = server.degraded or server.op_state == "OK"
            state = self._drift(state.server(index, degraded=degraded), index, True)
            return self._move(state, index, Trigger.SAW_FAULT)
        if server.serving is True and not server.shutdown_sent:
            state = self._drift(state.server(index, degraded=False), index, True)
            return self._move(state, index, Trigger.SAW_ON)
        trigger = Trigger.DOUBTED if server.shutdown_sent else Trigger.UNTESTED
        return self._move(self._drift(state, index, True), index, trigger)

    def _move(self, state: State, index: int, trigger: Trigger) -> State:
        server = state.servers[index]
        after = self._planner.move(server, trigger)
        return state if after == server.op_state else state.server(index, op_state=after)

    def _drift(self, state: State, index: int, is_on: bool) -> State:
        server = state.servers[index]
        was = {"OK": True, "OFF": False}.get(server.op_state)
        if server.desired is None:
            return state
        if is_on is (server.desired == "on"):
            return state.server(index, drifted=False) if server.drifted else state
        if was is None or was is is_on:
            return state
        if self._drift_policy == "adopt":
            return state.server(index, desired="on" if is_on else "off", drifted=False)
        return state.server(index, drifted=self._drift_policy == "alarm")
