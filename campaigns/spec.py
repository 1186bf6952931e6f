"""Spec = code: whenever a guard of the real engine answers, the model's guard is asked about the same moment.

A difference in either direction is a finding: what the engine sends is allowed by the model, and what it holds back the
model holds back as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from ockle.engine.guards import Dropped, Guards
from ockle.networkTree.ServerNetwork import ServerNetwork
from ockle.networkTree.ServerNode import ServerNode

from .model.daemon import Model
from .model.state import Configuration, Outlet, Rules, Server, State


class Spec:
    """Collects the differences, and counts the answers that were compared."""

    def __init__(self) -> None:
        self.answers = 0
        self.differences: list[str] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Within, each answer of the engine's guards is compared."""

        def asked(real: Callable[[Guards], None], goal: str) -> Callable[[Guards], None]:
            def ask(guards: Guards) -> None:
                refused: Dropped | None = None
                try:
                    real(guards)
                except Dropped as error:
                    refused = error
                self._compare(guards, goal, refused)
                if refused is not None:
                    raise refused

            return ask

        on, off = asked(Guards.on, "on"), asked(Guards.off, "off")
        with patch.object(Guards, "on", on), patch.object(Guards, "off", off):
            yield

    def _compare(self, guards: Guards, goal: str, refused: Dropped | None) -> None:
        network, node = guards._core.network, guards._node
        model = Model(configuration(network), Rules())
        state = state_of(network, guards)
        index = model.planner.names.index(node.name)
        allowed = model.program.may_go_on(state, index) if goal == "on" else model.program.may_go_off(state, index)
        self.answers += 1
        if allowed is not (refused is None):
            engine = "sends" if refused is None else f"does not ({refused})"
            self.differences.append(f"spec: {node.name} {goal}: the engine {engine}, the model not so: {state}")


def configuration(network: ServerNetwork) -> Configuration:
    """Return the network in the words of the model."""
    needs = {node.name: tuple(one.name for one in network.dependencies(node.name)) for node in network}
    return Configuration("the engine's", needs, {node.name: len(node.outlets) for node in network})


def state_of(network: ServerNetwork, guards: Guards) -> State:
    """Return what the engine knows at this moment, in the words of the model."""
    servers = tuple(_server(node, guards if node is guards._node else None) for node in network)
    outlets = tuple(Outlet(seen=outlet.state) for node in network for outlet in node.outlets)
    return State(servers, outlets, 0, 0, 0)


def _server(node: ServerNode, guards: Guards | None) -> Server:
    facts = node.facts
    server = Server(
        desired=facts.desired,
        forced=facts.forced,
        op_state=facts.op_state.name,
        shutdown_sent=facts.shutdown_sent,
        serving=facts.serving,
        degraded=facts.degraded,
        drifted=facts.drifted,
        op=facts.op or "",
    )
    if guards is None:
        return server
    return server._replace(
        op=guards.goal,
        no_way_back=guards.no_way_back,
        dropped=guards.dropped.is_set(),
        unguarded=guards._unguarded,
    )
