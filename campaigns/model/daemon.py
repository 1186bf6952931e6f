"""What the daemon does: decide, look, take orders; its death and its next life."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ockle.networkTree.decide import Move
from ockle.networkTree.facts import Supply
from ockle.networkTree.states import Trigger

from . import world
from .judge import Judge
from .look import Look
from .planner import Planner
from .program import Program, Step
from .state import STOPPING, UP, Configuration, Rules, Server, State

FAILURES = ("failedToStart", "failedToStop", "permanentlyFailedToStart", "permanentlyFailedToStop")


@dataclass
class Model:
    """Everything that can happen in a state."""

    configuration: Configuration
    rules: Rules

    def __post_init__(self) -> None:
        self.planner = Planner(self.configuration)
        self.judge = Judge(self.configuration, self.planner)
        self._look = Look(self.configuration, self.rules, self.planner)
        self.program = Program(self.configuration, self.rules, self.planner, self.judge, self._look)

    def steps(self, state: State) -> Iterator[Step]:
        """Yield every step that can be taken; those that change nothing are left out."""
        for index in range(len(state.servers)):
            yield from self._of_server(state, index)
            if state.commands:
                yield from self._orders(state._replace(commands=state.commands - 1), index)
        for label, after in world.runs_on(state, self.planner):
            yield Step(label, after)
        if state.faults:
            for label, after in world.goes_wrong(state, self.planner):
                yield Step(label, after, False)
        if state.kills:
            yield from self._deaths(state._replace(kills=state.kills - 1))

    # -- by itself

    def _of_server(self, state: State, index: int) -> Iterator[Step]:
        server, name = state.servers[index], self.planner.names[index]
        if server.op:
            yield from self.program.advance(state, index)
            return
        if server.order:
            yield Step(f"{name}: force {server.order}", self._force(state, index))
            return
        read = self._look.read(state, index)
        if read != state:
            yield Step(f"{name}: read", read)
        tested = self._look.test(state, index)
        if tested != state:
            yield Step(f"{name}: tested", tested)
        if server.op_state == "OK" and server.start_attempts:
            yield Step(f"{name} is stable", state.server(index, start_attempts=0))
        move = self.planner.decide(state, index).move
        if move in (Move.START, Move.STOP):
            goal = "on" if move is Move.START else "off"
            try:
                after = self.program.launch(state, index, goal)
            except ValueError as error:
                yield Step(f"{name}: to be switched {goal}", state, bad=str(error))
            else:
                yield Step(f"{name}: to be switched {goal}", after)

    # -- operators

    def _orders(self, state: State, index: int) -> Iterator[Step]:
        server, name = state.servers[index], self.planner.names[index]
        if server.order:
            return
        for goal in ("on", "off"):
            if server.forced is None and (server.desired != goal or server.op_state.startswith("permanently")):
                yield Step(f"an operator orders {name} {goal}", self._order(state, index, goal), False)
        if server.os == UP and server.forced is None and not server.op:
            yield Step(f"an operator shuts {name} down by hand", self._by_hand(state, index), False)
        for force in ("on", "off") if server.forced is None else ("clear",):
            after = state.server(index, order=force, dropped=bool(server.op))
            yield Step(f"an operator forces {name}: {force}", after, False)

    def _order(self, state: State, index: int, goal: str) -> State:
        server = state.servers[index]
        op_state = server.op_state
        if op_state.startswith("permanently"):
            op_state = self.planner.move(server, Trigger.RESET)
        return state.server(
            index,
            desired=goal,
            op_state=op_state,
            start_attempts=0,
            stop_attempts=0,
            degraded=False,
            drifted=False,
        )

    def _by_hand(self, state: State, index: int) -> State:
        """Journaled and sent in one: it is an operator's own decision, and what follows is left to that person."""
        server = state.servers[index]
        state = state.server(
            index,
            os=STOPPING,
            asked=True,
            shutdown_sent=True,
            kept_sent=True,
            boot_known=True,
            desired=None if server.desired == "on" else server.desired,
            stale=True,
        )
        if self.planner.supply(state, index) is not Supply.OFF:
            return state
        for one in self.planner.outlets[index]:  # it heard: what was seen of its outlets is out of date
            state = state.outlet(one, seen=None)
        return self._look.evaluate(state, index)

    def _force(self, state: State, index: int) -> State:
        server = state.servers[index]
        if server.order == "clear":
            free = server._replace(forced=None)
            op_state = self.planner.move(free, Trigger.UNFORCE)
            state = state.server(index, forced=None, owner=None, desired=None, order="", op_state=op_state)
            return self._look.read(state, index)
        trigger = Trigger.FORCE_ON if server.order == "on" else Trigger.FORCE_OFF
        state = state.server(
            index, forced=server.order, owner=server.order, order="", op_state=self.planner.move(server, trigger)
        )
        return self.program.launch(state, index, server.order, unguarded=True)

    # -- kill -9, and the next start

    def _deaths(self, state: State) -> Iterator[Step]:
        """Yield the next lives: what was noted and not committed may be on the disk, or not."""
        kept = self._restarted(state, [server.kept_sent for server in state.servers])
        yield Step("kill -9, restart", kept, False)
        if self.rules.journal_durable:
            noted = self._restarted(state, [server.shutdown_sent and not server.op for server in state.servers])
            if noted != kept and not any(server.op for server in state.servers):
                yield Step("kill -9, restart (all was written)", noted, False)

    def _restarted(self, state: State, sent: list[bool]) -> State:
        servers = tuple(self._reborn(server, was_sent) for server, was_sent in zip(state.servers, sent, strict=True))
        outlets = tuple(outlet._replace(seen=None, task="") for outlet in state.outlets)
        return state._replace(servers=servers, outlets=outlets)

    def _reborn(self, server: Server, sent: bool) -> Server:
        forced = server.forced if self.rules.force_durable else None
        op_state = server.op_state if server.op_state in FAILURES else "INIT"
        if forced is not None:
            op_state = "forcedOn" if forced == "on" else "forcedOff"
        return Server(
            os=server.os,
            desired=server.desired,
            forced=forced,
            op_state=op_state,
            shutdown_sent=sent,
            kept_sent=sent,
            boot_known=sent and server.boot_known,
            start_attempts=server.start_attempts,
            stop_attempts=server.stop_attempts,
            asked=server.asked,
            stale=server.stale,
            fooled=server.fooled,
            owner=server.owner,
        )
