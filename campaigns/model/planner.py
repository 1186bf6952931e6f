"""The planner's own code on states of the model: nothing about what may follow is decided anywhere else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ockle.common.common import OpState
from ockle.networkTree import decide, states
from ockle.networkTree.facts import Desired, Policy, ServerFacts, Supply
from ockle.networkTree.states import Trigger

from .state import Configuration, Server, State


@dataclass(frozen=True)
class Node:
    """A server as the planner sees it."""

    name: str
    facts: ServerFacts


class Planner:
    """Asks ``ockle.networkTree`` about the servers of a state."""

    def __init__(self, configuration: Configuration) -> None:
        self.names = configuration.names
        at = {name: number for number, name in enumerate(self.names)}
        self.needs = [tuple(at[one] for one in wanted) for wanted in configuration.needs.values()]
        self.users = [
            tuple(user for user in range(len(self.names)) if number in self.needs[user])
            for number in range(len(self.names))
        ]
        self.outlets: list[range] = []
        for name in self.names:
            first = self.outlets[-1].stop if self.outlets else 0
            self.outlets.append(range(first, first + configuration.supplies.get(name, 1)))
        self.policy = Policy(
            shutdown_policy=configuration.shutdown_policy,
            retry_cycle=configuration.retry_cycle,
            on_failure=configuration.on_failure,
            drift=configuration.drift,
        )
        self._nodes: dict[tuple[int, Server, tuple[bool | None, ...]], Node] = {}
        self._moves: dict[tuple[str, Trigger], str] = {}

    def supply(self, state: State, index: int) -> Supply:
        """Return what the daemon takes the server's supplies for."""
        seen = {state.outlets[one].seen for one in self.outlets[index]}
        if None in seen:
            return Supply.UNKNOWN
        return Supply.MIXED if len(seen) == 2 else Supply.ON if True in seen else Supply.OFF

    def decide(self, state: State, index: int) -> decide.Decision:
        return decide.decide(
            self._node(state, index).facts,
            self._all(state, self.needs[index]),
            self._all(state, self.users[index]),
            0.0,
        )

    def on_guard(self, state: State, index: int) -> bool:
        """Tell whether the dependencies allow outlets to go on."""
        return not decide.on_guard(self._all(state, self.needs[index]))

    def off_guard(self, state: State, index: int) -> bool:
        """Tell whether the dependents allow a shutdown or a cut."""
        return not decide.off_guard(self._all(state, self.users[index]))

    def move(self, server: Server, trigger: Trigger) -> str:
        """Return the op_state after ``trigger``. Raises ValueError where the table has no row: a bug."""
        if server.forced is not None and trigger not in (Trigger.FORCE_ON, Trigger.FORCE_OFF, Trigger.UNFORCE):
            return server.op_state
        key = server.op_state, trigger
        if key not in self._moves:
            self._moves[key] = states.transition(OpState[server.op_state], trigger).name
        return self._moves[key]

    def _all(self, state: State, indexes: Iterable[int]) -> list[Node]:
        return [self._node(state, one) for one in indexes]

    def _node(self, state: State, index: int) -> Node:
        server = state.servers[index]
        key = index, server, tuple(state.outlets[one].seen for one in self.outlets[index])
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = Node(self.names[index], self._facts(server, self.supply(state, index)))
        return node

    def _facts(self, server: Server, supply: Supply) -> ServerFacts:
        return ServerFacts(
            desired=Desired(server.desired) if server.desired else None,
            forced=Desired(server.forced) if server.forced else None,
            start_attempts=server.start_attempts,
            stop_attempts=server.stop_attempts,
            shutdown_sent=server.shutdown_sent,
            op_state=OpState[server.op_state],
            op=Desired(server.op) if server.op else None,
            supply=supply,
            serving=server.serving,
            degraded=server.degraded,
            drifted=server.drifted,
            policy=self.policy,
        )
