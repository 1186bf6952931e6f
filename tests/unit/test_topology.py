"""How a site is wired: devices behind a switch, and what Ockle itself hangs on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from config_site import write_site
from ockle.cli.graph import draw
from ockle.config.site import load_site
from ockle.engine.engine import Engine
from ockle.networkTree.explain import explain
from ockle.networkTree.facts import Desired
from ockle.networkTree.plan import expected_seconds, make_plan
from ockle.networkTree.ServerNetwork import ServerNetwork
from ockle.networkTree.ServerNetworkFactory import ServerNetworkFactory, check
from rig import Rig
from rig_calls import node_of, up, whats

PDU_B = "[pdu]\ntype = Dummy\n"
SWITCH = "[server]\noutlets = psu\n[psu]\npdu = pdu-b\noutlet = 1\n"


class Owner:
    def __init__(self, etc: Path) -> None:
        self.etc = etc

    def debug(self, message: str) -> None:
        pass


def site(etc: Path, **changes: str) -> Path:
    """The usual site; ``sw`` hangs on a PDU of its own, and the way to pdu-a leads through it."""
    files = {
        "outlets__pdu-a": "[pdu]\ntype = Raritan\nhost = 127.0.0.1\nvia = sw\n",
        "outlets__pdu-b": PDU_B,
        "servers__sw": SWITCH,
        **changes,
    }
    return write_site(etc, **files)


def built(etc: Path) -> ServerNetwork:
    return ServerNetworkFactory(Owner(etc)).buildNetwork()


def faults(etc: Path) -> list[str]:
    return [str(fault) for fault in check(etc)[0]]


# -- via


def test_what_is_reached_through_a_switch_needs_it(tmp_path: Path) -> None:
    network = built(site(tmp_path))
    assert network.getDependencies("nas") == ["sw"]
    assert set(network.getDependencies("web")) == {"nas", "sw"}
    assert network.implied("nas", "sw") == "pdu-a is reached through sw"
    assert network.implied("web", "nas") == ""
    for node in network:
        node.facts.desired = Desired.ON
    plan = make_plan(network, "on", ["nas"], lambda name, action: expected_seconds(network.getServernode(name), action))
    assert [(step.server, step.because) for step in plan.steps] == [
        ("sw", "needed by nas (pdu-a is reached through sw)"),
        ("nas", "asked for"),
    ]
    network.getServernode("nas").facts.feedable = True
    texts = [reason["text"] for reason in explain(network, "nas", 0.0)["reasons"]]
    assert "nas needs sw: pdu-a is reached through sw" in texts


@pytest.mark.parametrize("kind", ["controllers__ssh", "testers__tcp"])
def test_controls_and_tests_may_lead_through_a_switch_even_its_own(tmp_path: Path, kind: str) -> None:
    before = (write_site(tmp_path / "plain") / f"{kind.replace('__', '/')}.ini").read_text()
    own = SWITCH.replace("outlets = psu\n", "outlets = psu\ncontrols = ssh\ntests = tcp\n")
    own += "[ssh]\ncontroller = ssh\nhost = 127.0.0.9\n[tcp]\ntester = tcp\nhost = 127.0.0.9\nport = 1\n"
    etc = write_site(tmp_path / "etc", **{"outlets__pdu-b": PDU_B, "servers__sw": own, kind: f"{before}via = sw\n"})
    network = built(etc)
    assert set(network.getDependencies("web")) == {"nas", "sw"}
    assert network.getDependencies("nas") == []
    assert network.getDependencies("sw") == []


def test_a_switch_that_cuts_its_own_way_is_refused(tmp_path: Path) -> None:
    own = SWITCH.replace("pdu-b", "pdu-a").replace("outlet = 1", "outlet = 3")
    assert faults(site(tmp_path, servers__sw=own)) == [
        "outlets/pdu-a.ini [pdu] via = 'sw': a cycle: sw -> sw (pdu-a is reached through sw); "
        "take it out, or one of the dependencies"
    ]


def test_a_cycle_through_a_via_is_told_where_a_dependency_can_be_taken_out(tmp_path: Path) -> None:
    own = SWITCH.replace("[server]\n", "[server]\ndependencies = nas\n")
    assert faults(site(tmp_path, servers__sw=own)) == [
        "servers/sw.ini [server] dependencies = 'nas': a cycle: sw -> nas -> sw (pdu-a is reached through sw); "
        "take one of these dependencies out"
    ]


@pytest.mark.parametrize(
    ("via", "text"),
    [
        ("swi", "via = 'swi': unknown server; did you mean 'sw'?"),
        ("sw, sw", "via = 'sw': listed twice; list it once"),
    ],
)
def test_names_in_via_are_checked(tmp_path: Path, via: str, text: str) -> None:
    pdu = f"[pdu]\ntype = Raritan\nhost = 127.0.0.1\nvia = {via}\n"
    assert faults(site(tmp_path, **{"outlets__pdu-a": pdu})) == [f"outlets/pdu-a.ini [pdu] {text}"]


def test_the_tree_says_why_and_with_whom() -> None:
    nodes = {
        "sw": {"word": "on", "children": ["a"], "because": {"a": "pdu-a is reached through sw"}},
        "a": {"word": "on", "children": [], "mates": {"b": "pdu-a outlet 2"}},
    }
    assert list(draw(["sw"], nodes))[1].endswith("[on pdu-a outlet 2 with b]  [pdu-a is reached through sw]")


# -- what Ockle hangs on


def test_the_daemons_server_is_found_with_all_that_it_needs(tmp_path: Path) -> None:
    etc = site(tmp_path, config="[main]\ndaemon_node = nas\n")
    assert faults(etc) == []
    reasons = {node.name: node.facts.policy.carries_daemon for node in built(etc)}
    assert reasons == {"nas": "Ockle runs on it", "sw": "nas, which Ockle runs on, needs it", "web": ""}


def test_an_unknown_daemon_node_is_a_fault(tmp_path: Path) -> None:
    etc = site(tmp_path, config="[main]\ndaemon_node = nass\n")
    assert faults(etc) == ["config.ini [main] daemon_node = 'nass': unknown server; did you mean 'nas'?"]
    assert load_site(etc).main["daemon_node"] == "nass"


def test_all_off_leaves_them_and_says_so() -> None:
    rig = Rig({"sw": [], "pi": ["sw"], "mate": [], "web": ["sw"]}, shared={"strip": ["pi", "mate"]}, daemon="pi")

    async def scenario(engine: Engine) -> None:
        await up(engine)
        plan = engine.plan("off", list(rig.needs))
        assert [step.server for step in plan.steps] == ["web"]
        assert plan.untouched == {
            "pi": "Ockle runs on it",
            "sw": "pi, which Ockle runs on, needs it",
            "mate": "it gets its power with pi, which Ockle runs on",
        }
        run = await engine.order("off", list(rig.needs), who="test")
        await run.finished.wait()
        engine.core.set_desired(node_of(engine, "sw"), Desired.OFF)  # as an order from before daemon_node was set
        await engine.set_auto(True)
        await asyncio.sleep(60)
        assert engine.why("sw")["reasons"][0]["text"] == "not switched off: pi, which Ockle runs on, needs it"
        assert rig.states() == {"sw": "OK", "pi": "OK", "mate": "OK", "web": "OFF"}
        rig.operator_orders.add("sw")
        await engine.force("sw", Desired.OFF)
        await asyncio.sleep(60)

    rig.play(scenario)
    assert "cut" in whats(rig, "sw")
    assert rig.broken() == []


def test_no_retry_takes_the_power_of_what_ockle_runs_on() -> None:
    rig = Rig({"sw": [], "pi": ["sw"]}, daemon="pi", policy={"retry_cycle": "always", "boot_timeout": 20.0})
    rig["sw"].fail_boots = 1

    async def scenario(engine: Engine) -> None:
        await engine.order("on", ["sw"], who="test")
        await asyncio.sleep(200)
        assert "Permanently failed to start" in rig.states()["sw"]

    rig.play(scenario)
    assert rig.broken() == []
    assert whats(rig, "sw") == ["SET sw.psu1 on", "power on"]
