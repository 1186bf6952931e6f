"""The invariants, judged from the machines' side: nothing here asks the planner what it thinks.

What the world changed since the daemon looked is excused once (``stale``): evidence may be as old as one look. So is
a server whose device says off while the relay is on (``fooled``).
"""

from __future__ import annotations

from .planner import Planner
from .state import ANSWERS, HALTED, UP, WEDGED, Configuration, Server, State
from .state import BOOTING as BOOTS


class Judge:
    """Says which invariant a command or a published state breaks; "" = none."""

    def __init__(self, configuration: Configuration, planner: Planner) -> None:
        self._configuration = configuration
        self._names = configuration.names
        self._planner = planner

    # -- commands

    def set_on(self, state: State, index: int) -> str:
        """I1: what it needs serves, and nothing was done to end that."""
        server = state.servers[index]
        if server.unguarded:
            return self._owned(server)
        for one in self._planner.needs[index]:
            needed = state.servers[one]
            if needed.fooled:
                continue
            if needed.asked:
                return f"I1: on while {self._names[one]}, which it needs, was asked to shut down"
            if needed.os != UP and not needed.stale:
                return f"I1: on while {self._names[one]}, which it needs, is {needed.os}"
        return self._owned(server)

    def shutdown(self, state: State, index: int) -> str:
        """I2c: nobody needs it."""
        return self._needed(state, index, "shut down") or self._owned(state.servers[index])

    def set_off(self, state: State, index: int, outlet: int) -> str:
        """I2: its disk is not mounted when its last supply goes, or the policy says so; and I2c."""
        server, own = state.servers[index], self._planner.outlets[index]
        loses = state.outlets[outlet].relay and not any(state.outlets[one].relay for one in own if one != outlet)
        if loses and server.os != HALTED and not self._may_be_cut(server):
            return f"I2: cut while {server.os}"
        return self._needed(state, index, "cut") or self._owned(server)

    def _may_be_cut(self, server: Server) -> bool:
        if server.stale:
            return True
        if server.op == "on" and self._configuration.retry_cycle == "always":
            return server.os in (BOOTS, WEDGED)
        return server.overdue and self._configuration.shutdown_policy == "cut"

    def _needed(self, state: State, index: int, what: str) -> str:
        if state.servers[index].unguarded:
            return ""
        for one in self._planner.users[index]:
            user = state.servers[one]
            if user.os != HALTED and not user.stale and not user.fooled:
                return f"I2c: {what} while {self._names[one]}, which needs it, is {user.os}"
        return ""

    @staticmethod
    def _owned(server: Server) -> str:
        """I6: who is forced is touched by nobody but the operator."""
        if server.owner is not None and not (server.unguarded and server.owner == server.op):
            return f"I6: switched {server.op} automatically, though it is forced {server.owner}"
        return ""

    # -- what is published

    def published(self, before: Server, state: State, index: int) -> str:
        """I8: "OK" and "OFF" are shown on verified evidence only, and never for what is unknown."""
        server = state.servers[index]
        if server.op or server.op_state not in ("OK", "OFF"):
            return ""
        outlets = [state.outlets[one] for one in self._planner.outlets[index]]
        on = server.op_state == "OK"
        if any(one.seen is not on for one in outlets):
            return f"I8: {server.op_state} with an outlet of which that is not known"
        if server.op_state == before.op_state or server.stale or server.fooled:
            return ""
        if any(one.shown is not on for one in outlets):
            return f"I8: {server.op_state} while an outlet shows otherwise"
        if on and (server.os not in ANSWERS or server.asked):
            return f"I8: OK while it is {server.os}"
        return ""

    # -- where it ends

    def at_rest(self, state: State) -> str:
        """I5: every server is as ordered, or a blocker with a name keeps it from that."""
        for index, server in enumerate(state.servers):
            if server.op or server.order:
                return f"stuck: {self._names[index]} in {server.op or 'force'} at {server.step}"
            if server.forced is None and not self._arrived(state, index):
                if not self._planner.decide(state, index).reason:
                    return f"{self._names[index]} is not {server.desired}, and nothing says why"
                if not self._has_cause(state, index):
                    return f"{self._names[index]} is {server.op_state}, not {server.desired}, without a cause"
        return ""

    @staticmethod
    def _arrived(state: State, index: int) -> bool:
        server = state.servers[index]
        if server.desired == "on":
            return server.op_state == "OK" and server.os == UP
        return server.desired is None or server.op_state == "OFF"

    def _has_cause(self, state: State, index: int) -> bool:
        """Whether the world, an operator, or a neighbour that has a cause itself keeps it from its goal."""
        server = state.servers[index]
        hurt = state.faults < self._configuration.faults
        if hurt and (server.op_state.startswith("permanently") or server.drifted or server.degraded):
            return True
        neighbours = [] if server.shutdown_sent else self._planner.needs[index] if server.desired == "on" else []
        if server.desired == "off" or server.shutdown_sent:
            neighbours = self._planner.users[index]
            return any(not (state.servers[one].op_state == "OFF" and not state.servers[one].op) for one in neighbours)
        return any(state.servers[one].op_state != "OK" for one in neighbours)
