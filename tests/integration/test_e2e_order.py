"""Up and down in order, judged by what the devices of the lab saw."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from e2e import Site, dependencies, judge_down, judge_up, moves, rack, site
from ockle.webserver.ockle_client.connection import ClientError

pytestmark = pytest.mark.slow

SPEC = rack()
PAIRS = dependencies(SPEC)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(SPEC, tmp_path_factory.mktemp("order")) as made:
        yield made


@pytest.fixture
def dark(shared: Site) -> Iterator[Site]:
    """The shared site with all servers off; nothing that a test leaves behind reaches the next one."""
    yield shared
    for run in shared.call("status")["runs"]:
        shared.call("cancel", run=run["id"])
        shared.ended(run["id"])
    for name, server in shared.status().items():
        if server["forced"]:
            shared.call("force", server=name, state="clear")
        if server["held"]:
            shared.call("hold", server=name, held=False)
    shared.switch("off", "all")


def test_the_whole_network_comes_up_in_topological_order_and_goes_down_in_reverse(dark: Site) -> None:
    mark = len(dark.ledger)
    dark.switch("on", "all")
    assert set(dark.states().values()) == {"OK"}
    judge_up(dark.ledger, SPEC, PAIRS, mark)
    mark = len(dark.ledger)
    dark.switch("off", "all")
    assert set(dark.states().values()) == {"OFF"}
    judge_down(dark.ledger, SPEC, PAIRS, mark)


def test_one_server_comes_up_with_what_it_needs_and_nothing_else(dark: Site) -> None:
    mark = len(dark.ledger)
    run = dark.switch("on", "db")
    assert set(dark.steps(run)) == {"core", "nas", "db"}
    judge_up(dark.ledger, SPEC, [("nas", "core"), ("db", "nas")], mark)
    assert {entry.device for entry in dark.ledger.entries()[mark:] if entry.kind == "power"} == {"core", "nas", "db"}
    assert {name for name, state in dark.states().items() if state == "OK"} == {"core", "nas", "db"}


def test_one_server_goes_down_after_what_needs_it_and_nothing_else(dark: Site) -> None:
    dark.switch("on", "all")
    mark = len(dark.ledger)
    run = dark.switch("off", "dns")
    assert set(dark.steps(run)) == {"dns", "web", "pi1"}
    judge_down(dark.ledger, SPEC, [("web", "dns"), ("pi1", "dns")], mark)
    assert {entry.device for entry in dark.ledger.entries()[mark:] if entry.kind == "power"} == {"dns", "web", "pi1"}
    assert {name for name, state in dark.states().items() if state == "OK"} == {"core", "nas", "db", "lone"}


def test_a_restart_takes_down_what_needs_it_and_brings_all_of_it_back(dark: Site) -> None:
    dark.switch("on", "web", "pi1")
    before = {name: dark.lab.boot_id(name) for name in ("core", "nas", "db", "dns", "web", "pi1")}
    mark = len(dark.ledger)
    dark.switch("restart", "dns")
    judge_down(dark.ledger, SPEC, [("web", "dns"), ("pi1", "dns")], mark)
    judge_up(dark.ledger, SPEC, [("web", "dns"), ("pi1", "dns")], mark)
    rebooted = {name for name, boot in before.items() if dark.lab.boot_id(name) != boot}
    assert rebooted == {"dns", "web", "pi1"}
    assert {dark.states()[name] for name in before} == {"OK"}


def test_two_supplies_are_on_before_it_counts_as_on_and_both_are_off_at_the_end(dark: Site) -> None:
    mark = len(dark.ledger)
    dark.switch("on", "nas")
    assert {entry.device for entry in moves(dark.ledger, SPEC, "nas", True, mark)} == {"pdu-a", "pdu-b"}
    dark.lab.press("pdu-b", 3, False)  # one feed goes away: it runs on, and is not OK
    dark.until("degraded", lambda: dark.states()["nas"] == "Failed to start")
    assert "psu2" in dark.status()["nas"]["why"]
    assert dark.lab.state("nas") == "up"
    dark.lab.press("pdu-b", 3, True)
    dark.until_state(nas="OK")
    assert dark.ledger.entries("power", "nas")[-1].what == "on"
    mark = len(dark.ledger)
    dark.switch("off", "core")
    assert not dark.lab.outlet("pdu-a", 3).closed
    assert not dark.lab.outlet("pdu-b", 3).closed
    judge_down(dark.ledger, SPEC, [("nas", "core")], mark)


def test_forced_on_serves_as_a_dependency_and_is_left_alone(dark: Site) -> None:
    assert (
        dark.cli("force", "on", "nas", "--note", "burn-in", "--yes", "--confirm", "nas").code == 0
    )  # whatever it needs
    dark.until("serving", lambda: dark.lab.state("nas") == "up")
    assert dark.states() == {**dark.states(), "nas": "Forced on", "core": "OFF"}
    dark.switch("on", "lone")
    run = dark.ended(dark.order("off", "all"))
    assert "nas" not in dark.steps(run)
    assert dark.lab.state("nas") == "up"
    assert dark.cli("force", "clear", "nas").code == 0
    dark.until_state(nas="OK")
    assert dark.status()["nas"]["desired"] is None  # nothing automatic follows: a person decides what it shall be


def test_forced_off_shuts_down_gracefully_and_stays_off_whatever_is_ordered(dark: Site) -> None:
    dark.switch("on", "dns")
    mark = len(dark.ledger)
    assert dark.cli("force", "off", "dns", "--yes", "--confirm", "dns").code == 0
    dark.until("off", lambda: dark.lab.state("dns") == "off")
    dark.ledger.wait("halted", "dns", after=mark)
    assert dark.ledger.cuts_while_mounted() == []
    assert dark.states()["dns"] == "Forced off"
    plan = dark.call("plan", action="on", servers=["web"])
    assert "dns" in plan["untouched"]
    assert "needs dns" in plan["untouched"]["web"]
    mark = len(dark.ledger)
    assert dark.cli("force", "clear", "dns").code == 0
    dark.until_state(dns="OFF")
    dark.switch("on", "lone")  # the engine has decided about everybody meanwhile
    assert moves(dark.ledger, SPEC, "dns", True, mark) == []


def test_a_held_server_keeps_its_power_and_is_not_switched(dark: Site) -> None:
    dark.switch("on", "web")
    mark = len(dark.ledger)
    assert dark.cli("hold", "web", "--note", "somebody works at it").code == 0
    plan = dark.call("plan", action="off", servers=["web"])
    assert plan["steps"] == []
    assert "somebody works at it" in plan["untouched"]["web"]
    for needed in ("db", "nas", "core"):  # what it needs stays on for it
        plan = dark.call("plan", action="off", servers=[needed])
        assert "held" in plan["untouched"][needed]
        assert needed not in {step["server"] for step in plan["steps"]}
    dark.ended(dark.order("off", "all"))
    assert dark.states()["web"] == "OK"
    switched = {entry.device for entry in dark.ledger.entries()[mark:] if entry.kind in ("shutdown", "power")}
    assert switched & {"web", "db", "dns", "nas", "core"} == set()
    assert dark.cli("hold", "--release", "web").code == 0
    assert dark.states()["web"] == "OK"


def test_a_cancel_lets_what_runs_end_and_takes_the_rest_back(dark: Site) -> None:
    mark = len(dark.ledger)
    dark.lab.turn("core", service_down=True)  # it boots for as long as the test wants
    number = dark.order("on", "web")
    dark.ledger.wait("power", "core", "on", after=mark)
    assert dark.cli("cancel", str(number)).code == 0
    dark.lab.turn("core", service_down=False)
    run = dark.ended(number)
    assert run["state"] == "cancelled"
    steps = dark.steps(run)
    assert steps["core"] == "done"
    assert {steps[name] for name in ("nas", "dns", "db", "web")} == {"cancelled"}
    states = dark.states()
    assert states["core"] == "OK"
    assert {states[name] for name in ("nas", "dns", "db", "web")} == {"OFF"}
    assert {entry.device for entry in dark.ledger.entries()[mark:] if entry.kind == "power"} == {"core"}
    with pytest.raises(ClientError, match="has ended") as refused:
        dark.call("cancel", run=number)
    assert refused.value.code == "refused"


def test_the_opposite_order_takes_over_and_nobody_is_cut(dark: Site) -> None:
    mark = len(dark.ledger)
    first = dark.order("on", "all")
    dark.ledger.wait("up", "nas", after=mark)
    second = dark.order("off", "all")
    down = dark.ended(second)
    up = dark.ended(first)
    assert down["state"] == "done", down
    assert "superseded" in dark.steps(up).values()
    assert set(dark.states().values()) == {"OFF"}
    assert {str(state) for state in dark.lab.states().values()} == {"off"}
    assert dark.ledger.cuts_while_mounted() == []
