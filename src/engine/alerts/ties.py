"""What servers and devices hang on, as problems name it. On the device loop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...common.common import OpState
from ...common.problems import Problem
from ...drivers.driver import Driver
from ...networkTree.ServerNetwork import ServerNetwork
from ...networkTree.ServerNode import ServerNode
from ...testers.TemplateTester import TesterOpState

FINE = frozenset({OpState.OK, OpState.OFF})
"""Without a problem, a server in these states is what it shall be: it explains nothing, nor does what it hangs on."""

LABELS = {"outlets": "PDU", "controllers": "controller", "testers": "tester"}


def server_subject(name: str) -> str:
    return f"server/{name}"


def generator_subject(part: Driver) -> str:
    """Return the subject of the PDU, controller or tester that ``part`` is of."""
    return f"{part.KIND}/{part.params[part.SECTION]}"


def label(subject: str) -> str:
    """Return a device's subject as people say it."""
    kind, _, name = subject.partition("/")
    return f"{LABELS.get(kind, kind)} {name}"


def via(part: Driver) -> tuple[str, ...]:
    """Return the servers through which the part's PDU, controller or tester is reached."""
    return tuple(server_subject(name) for name in part.settings.get("via", ()))


class Ties:
    """Of one network. ``fed``: server -> what feeds its PDUs, such as ``ups/rack``."""

    def __init__(self, network: ServerNetwork, fed: Mapping[str, tuple[str, ...]] | None = None) -> None:
        self._network = network
        self._fed = fed or {}

    def needs(self, node: ServerNode) -> tuple[str, ...]:
        """Return what it needs to serve: other servers."""
        return tuple(server_subject(one.name) for one in self._network.dependencies(node.name))

    def feeds(self, node: ServerNode) -> tuple[str, ...]:
        """Return what may have taken its power: the PDUs and circuits of outlets that are not seen to be on."""
        dark = [outlet for outlet in node.outlets if outlet.last_error or outlet.state is not True]
        found = [generator_subject(outlet) for outlet in dark]
        found += [f"circuit/{one.circuit.name}" for one in dark if one.circuit is not None and not one.circuit.waits]
        found += self._fed.get(node.name, ()) if dark else ()
        return tuple(dict.fromkeys(found))

    def feeds_all(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return what feeds every one of these servers, and so the PDU that they are on."""
        sets = [set(self._fed.get(name, ())) for name in names] if self._fed else []
        return tuple(sorted(set.intersection(*sets))) if sets else ()

    def asks(self, node: ServerNode) -> tuple[str, ...]:
        """Return the testers and controllers that say that it does not serve, unless they do so through itself."""
        own = server_subject(node.name)
        bad: list[Driver] = [test for test in node.tests if test.opState is TesterOpState.FAILED]
        bad += [control for control in node.controls if control.last_error]
        return tuple(dict.fromkeys(generator_subject(part) for part in bad if own not in via(part)))

    def passes(self, problems: Iterable[Problem]) -> dict[str, tuple[str, ...]]:
        """Return the way on through what has no problem and is not known to be fine, see ``causes.find_roots``."""
        known = list(problems)
        taken = {problem.subject for problem in known}
        ways: dict[str, tuple[str, ...]] = {}
        devices: dict[str, tuple[str, ...]] | None = None
        todo = list({subject for problem in known for subject in problem.hangs_on} - taken)
        while todo:
            subject = todo.pop()
            kind, _, name = subject.partition("/")
            if kind == "server":
                onward = self._through_server(name)
            elif kind in LABELS:
                devices = self._devices() if devices is None else devices
                onward = devices.get(subject, ())
            else:
                onward = ()
            ways[subject] = onward
            todo += {one for one in onward if one not in ways and one not in taken}
        return ways

    def _through_server(self, name: str) -> tuple[str, ...]:
        node = self._network.getServer(name)
        if node is None or node.facts.op_state in FINE:
            return ()
        return (*self.needs(node), *self.feeds(node), *self.asks(node))

    def _devices(self) -> dict[str, tuple[str, ...]]:
        return {generator_subject(part): ways for node in self._network for part in node.parts() if (ways := via(part))}
