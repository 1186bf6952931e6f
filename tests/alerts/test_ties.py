"""What servers and devices hang on, as problems name it."""

from __future__ import annotations

from typing import Any

from ockle.common.common import OpState
from ockle.common.device import Device
from ockle.common.problems import Problem, Severity
from ockle.engine.alerts.ties import Ties
from ockle.networkTree.ServerNetwork import ServerNetwork
from ockle.networkTree.ServerNode import ServerNode
from ockle.outlets.circuit import Circuit
from ockle.outlets.dummy import Dummy as Outlet
from ockle.testers import dummy
from ockle.testers.TemplateTester import TesterOpState


def outlet(pdu: str, **settings: Any) -> Outlet:
    made = Outlet("psu", settings, {"pdu": pdu})
    made.device = Device(pdu)
    return made


def asked_by(name: str, **settings: Any) -> dummy.Dummy:
    made = dummy.Dummy("test", settings, {"tester": name})
    made.opState = TesterOpState.FAILED
    return made


def network_of(*nodes: ServerNode, needs: dict[str, str] | None = None) -> ServerNetwork:
    network = ServerNetwork()
    for node in nodes:
        network.addServer(node)
    for server, needed in (needs or {}).items():
        network.addDependency(server, needed)
    return network


def problem(*hangs_on: str) -> Problem:
    return Problem("p", "server", Severity.WARNING, "server/p", "p", "p", hangs_on)


def test_a_server_hangs_on_what_may_have_taken_its_power() -> None:
    lit, dark, dead = outlet("a"), outlet("b"), outlet("c")
    lit.state, lit.marks.seen_at = True, lit.device.clock.now()
    dark.state, dark.marks.seen_at = False, dark.device.clock.now()
    dark.circuit = Circuit("fuse")
    dead.last_error, dead.circuit = "no answer", Circuit("the boot server", waits="waits for it")
    node = ServerNode("web", [lit, dark, dead])
    ties = Ties(network_of(node), {"web": ("ups/rack",), "db": ("ups/cellar",)})
    assert ties.feeds(node) == ("outlets/b", "outlets/c", "circuit/fuse", "ups/rack")
    assert ties.feeds_all(["web", "db"]) == ()
    assert ties.feeds_all(["web"]) == ("ups/rack",)


def test_what_a_server_is_asked_through_is_no_cause_if_that_is_itself() -> None:
    passed = asked_by("fine")
    passed.opState = TesterOpState.SUCCEEDED
    node = ServerNode("gate", [], [asked_by("ping"), asked_by("inside", via=["gate"]), passed])
    assert Ties(network_of(node)).asks(node) == ("testers/ping",)


def test_the_way_goes_on_through_what_is_not_known_to_be_fine() -> None:
    web = ServerNode("web", [outlet("a", via=["sw"])], [asked_by("ping", via=["sw"])])
    db, sw = ServerNode("db"), ServerNode("sw")
    network = network_of(sw, db, web, needs={"web": "db"})
    web.facts.op_state, db.facts.op_state, sw.facts.op_state = OpState.UNKNOWN, OpState.OK, OpState.UNKNOWN
    ways = Ties(network).passes([problem("server/web", "circuit/f", "server/nobody")])
    assert ways == {
        "server/web": ("server/db", "outlets/a", "testers/ping"),
        "circuit/f": (),
        "server/nobody": (),
        "server/db": (),
        "outlets/a": ("server/sw",),
        "testers/ping": ("server/sw",),
        "server/sw": (),
    }


def test_the_way_does_not_go_through_what_has_a_problem() -> None:
    own = Problem("q", "device", Severity.CRITICAL, "outlets/a", "q")
    assert Ties(network_of(ServerNode("web", [outlet("a", via=["sw"])]))).passes([problem("outlets/a"), own]) == {}
