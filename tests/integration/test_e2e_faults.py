"""What goes wrong in the hardware: Ockle tells it, harms nobody, and never claims what it has no evidence for."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e import Site, chain, dependencies, judge_down, judge_up, moves, site

pytestmark = pytest.mark.slow

QUICK = {"settle_timeout": "800ms"}
ONE_ATTEMPT = {"max_stop_attempts": "1"}


def short_of_patience(made: Site, *pdus: str, retries: int = 0) -> None:
    """Have requests to PDUs time out soon."""
    for pdu in pdus:
        made.edit(f"outlets/{pdu}.ini", "pdu", timeout="300ms", retries=str(retries))


# -- machines


def test_a_machine_that_hangs_in_its_first_boot_is_cycled_where_its_policy_says_so(tmp_path: Path) -> None:
    spec = chain("dns", "mon", "view", mon={"first_boot_fails": 1})
    retried = {"mon": {"boot_timeout": "2s", "retry_cycle": "always"}}
    with site(spec, tmp_path, overrides=retried) as made:
        run = made.switch("on", "all")
        assert run["failed"] == 0
        assert [entry.what for entry in made.ledger.entries("power", "mon")] == ["on", "off", "on"]
        assert len(made.ledger.entries("power", "dns")) == 1
        judge_up(made.ledger, spec, dependencies(spec))
        assert made.ledger.cuts_while_mounted() == []
        assert made.event("state", "mon: Failed to start")["data"]["why"].startswith("attempt 1 of 3")


def test_a_machine_that_hangs_is_not_cycled_unless_it_is_proven_down(tmp_path: Path) -> None:
    spec = chain("mon", "view", mon={"first_boot_fails": 9})
    limits = {"AutoControl": {"max_start_attempts": "2"}}
    with site(spec, tmp_path, plugins=limits, overrides={"mon": {"boot_timeout": "600ms"}}) as made:
        run = made.ended(made.order("on", "view"))
        assert run["state"] == "failed"
        assert made.steps(run) == {"mon": "failed", "view": "skipped"}
        assert made.states() == {"mon": "Permanently failed to start", "view": "OFF"}
        assert [entry.what for entry in made.ledger.entries("power", "mon")] == ["on"]
        assert made.cli("status").code == 1
        assert "gave up" in made.cli("status", "mon").out


def test_a_service_that_is_down_alarms_and_takes_no_power_away(tmp_path: Path) -> None:
    spec = chain("nas", "db")
    with site(spec, tmp_path, server={"fail_after": "2"}) as made:
        made.switch("on", "all")
        made.lab.turn("nas", service_down=True)
        made.until_state(nas="Failed to start")
        assert "test" in made.status()["nas"]["why"]
        assert made.lab.states() == {"nas": "up", "db": "up"}
        made.lab.turn("nas", service_down=False)
        made.until_state(nas="OK")
        assert made.ledger.entries("power", "nas")[-1].what == "on"


def test_a_refused_login_gives_up_at_once_and_leaves_the_power_on(tmp_path: Path) -> None:
    spec = chain("nas", "db")
    with site(spec, tmp_path) as made:
        made.switch("on", "all")
        mark = len(made.ledger)
        made.lab.turn("db", refused_login=True)
        run = made.ended(made.order("off", "all"))
        assert run["state"] == "failed"
        assert made.steps(run) == {"db": "failed", "nas": "skipped"}
        assert made.states() == {"db": "Permanently failed to Stop", "nas": "OK"}
        assert made.lab.states() == {"nas": "up", "db": "up"}
        assert [entry for entry in made.ledger.entries()[mark:] if entry.kind in ("set", "relay")] == []
        made.lab.turn("db", refused_login=False)  # mended: the same order goes through
        made.switch("off", "all")
        judge_down(made.ledger, spec, dependencies(spec), mark)


@pytest.mark.parametrize("hangs", ["services", "disk"])
def test_a_shutdown_that_hangs_is_not_cut_by_the_default_policy(tmp_path: Path, hangs: str) -> None:
    spec = chain("nas", "db", db={"watts": 80.0})
    with site(spec, tmp_path, main=ONE_ATTEMPT, overrides={"db": {"shutdown_timeout": "1500ms"}}) as made:
        made.switch("on", "all")
        mark = len(made.ledger)
        made.lab.turn("db", shutdown_hangs=hangs)
        run = made.ended(made.order("off", "nas"))
        assert made.steps(run) == {"db": "failed", "nas": "skipped"}
        assert made.states()["db"] == "Permanently failed to Stop"
        assert "not down after 1.5 s" in made.status()["db"]["why"]
        assert made.lab.states() == {"nas": "up", "db": "stopping"}
        assert moves(made.ledger, spec, "db", False, mark) == []
        assert made.ledger.entries("shutdown", "nas") == []


def test_a_shutdown_that_hangs_is_cut_where_the_policy_says_so_and_that_is_told(tmp_path: Path) -> None:
    spec = chain("nas", "db")
    cut = {"db": {"shutdown_timeout": "1s", "shutdown_policy": "cut"}}
    with site(spec, tmp_path, overrides=cut) as made:
        made.switch("on", "all")
        made.lab.turn("db", shutdown_hangs="services")
        made.switch("off", "all")
        assert made.states() == {"db": "OFF", "nas": "OFF"}
        assert [(entry.device, entry.what) for entry in made.ledger.cuts_while_mounted()] == [("db", "stopping")]
        first = made.ledger.first("shutdown", "db")
        assert first is not None
        assert moves(made.ledger, spec, "db", False)[0].t - first.t >= 0.9
        assert "cut by its policy" in made.event("cut", "db")["text"]


# -- PDUs


def test_a_stuck_relay_is_reported_and_what_needs_it_never_starts(tmp_path: Path) -> None:
    spec = chain("nas", "db")
    limits = {"AutoControl": {"max_start_attempts": "2"}}
    with site(spec, tmp_path, plugins=limits, outlet=QUICK) as made:
        made.lab.turn("pdu", stuck={1})
        run = made.ended(made.order("on", "db"))
        assert made.steps(run) == {"nas": "failed", "db": "skipped"}
        assert made.states() == {"nas": "Permanently failed to start", "db": "OFF"}
        assert "asked to switch on, still shows off" in made.cli("why", "nas").out
        assert {entry.device for entry in made.ledger.entries("power")} == set()
        made.lab.turn("pdu", stuck=set())
        made.switch("on", "db")
        judge_up(made.ledger, spec, dependencies(spec))


def test_a_relay_that_sticks_when_it_shall_open_is_not_called_off(tmp_path: Path) -> None:
    spec = chain("nas", "db")
    with site(spec, tmp_path, main=ONE_ATTEMPT, outlet=QUICK) as made:
        made.switch("on", "all")
        made.lab.turn("pdu", stuck={2})
        run = made.ended(made.order("off", "all"))
        assert made.steps(run) == {"db": "failed", "nas": "skipped"}
        assert made.states() == {"db": "Permanently failed to Stop", "nas": "OK"}
        assert made.lab.state("db") == "halted"
        assert made.ledger.entries("shutdown", "nas") == []


def test_a_relay_that_lies_does_not_make_a_server_ok(tmp_path: Path) -> None:
    spec = chain("nas", "db")
    limits = {"AutoControl": {"max_start_attempts": "1"}}
    with site(spec, tmp_path, plugins=limits, overrides={"nas": {"boot_timeout": "800ms"}}) as made:
        made.lab.turn("pdu", lie={1})
        run = made.ended(made.order("on", "db"))
        assert made.steps(run) == {"nas": "failed", "db": "skipped"}
        assert made.states() == {"nas": "Permanently failed to start", "db": "OFF"}
        assert made.lab.outlet("pdu", 1).reads_on
        assert made.lab.state("nas") == "off"


def test_a_pdu_that_is_dead_from_the_beginning_concerns_only_its_servers(tmp_path: Path) -> None:
    spec = chain("a", "b", a={"supplies": (("pdu2", 1),)}, b={"depends": ()})
    with site(spec, tmp_path, start=False) as made:
        short_of_patience(made, "pdu2")
        made.lab.turn("pdu2", silent=True)
        made.start()
        made.switch("on", "b")
        assert made.states() == {"a": "Not started", "b": "OK"}
        number = made.order("on", "a")
        made.until("said why", lambda: made.call("why", server="a")["reasons"])
        assert made.run(number)["state"] == "running"
        made.lab.turn("pdu2", silent=False)
        assert made.ended(number)["state"] == "done"
        assert made.states() == {"a": "OK", "b": "OK"}


def test_a_pdu_that_falls_silent_makes_its_servers_unknown_and_nothing_else(tmp_path: Path) -> None:
    spec = chain("a", "b", a={"supplies": (("pdu2", 1),)}, b={"depends": ()})
    # the last good read is believed for a while; short polls make that while short
    with site(spec, tmp_path, start=False, main={"poll_interval": "100ms"}) as made:
        short_of_patience(made, "pdu2")
        made.start()
        made.switch("on", "all")
        made.lab.turn("pdu2", silent=True)
        made.until_state(a="Unknown")
        assert made.cli("status", "a").code == 7
        made.switch("off", "b")
        assert made.lab.state("a") == "up"
        made.lab.turn("pdu2", silent=False)
        made.until_state(a="OK")
        made.switch("off", "a")
        assert made.ledger.cuts_while_mounted() == []


def test_lost_packets_cost_time_and_nothing_else(tmp_path: Path) -> None:
    spec = chain("core", "nas", "db", "web")
    with site(spec, tmp_path, start=False) as made:
        short_of_patience(made, "pdu", retries=3)
        made.start()
        made.lab.turn("pdu", lost=0.2)
        made.switch("on", "all")
        judge_up(made.ledger, spec, dependencies(spec))
        mark = len(made.ledger)
        made.switch("off", "all")
        judge_down(made.ledger, spec, dependencies(spec), mark)


# -- people


def test_what_somebody_else_switches_is_told_undone_or_taken_over(tmp_path: Path) -> None:
    spec = chain("tell", "undo", "take", undo={"depends": ()}, take={"depends": ()})
    policies = {"tell": {"drift": "alarm"}, "undo": {"drift": "enforce"}, "take": {"drift": "adopt"}}
    with site(spec, tmp_path, overrides=policies) as made:
        made.switch("on", "all")
        made.switch("off", "all")
        mark = len(made.ledger)
        for outlet in (1, 2, 3):
            made.lab.press("pdu", outlet, True)
        for name in policies:
            made.event("drift", f"^{name} was switched on by somebody else")
        made.ledger.wait("halted", "undo", after=mark)  # shut down, not just cut
        made.until_state(undo="OFF", take="OK")
        made.until("on", lambda: made.lab.state("tell") == "up")
        status = made.status()
        assert {name: one["desired"] for name, one in status.items()} == {"tell": "off", "undo": "off", "take": "on"}
        assert status["tell"]["state"] == "OK"
        assert made.lab.states() == {"tell": "up", "undo": "off", "take": "up"}
        assert made.ledger.cuts_while_mounted() == []


def test_a_server_that_somebody_switched_off_comes_back_where_that_is_enforced(tmp_path: Path) -> None:
    spec = chain("tell", "undo", "take", undo={"depends": ()}, take={"depends": ()})
    policies = {"tell": {"drift": "alarm"}, "undo": {"drift": "enforce"}, "take": {"drift": "adopt"}}
    with site(spec, tmp_path, overrides=policies) as made:
        made.switch("on", "all")
        mark = len(made.ledger)
        for outlet, name in enumerate(policies, 1):
            made.lab.shut_down(name)
            made.ledger.wait("halted", name, after=mark)
            made.lab.press("pdu", outlet, False)
        for name in policies:
            made.event("drift", f"^{name} was switched off by somebody else")
        made.ledger.wait("up", "undo", after=mark)
        made.until_state(tell="OFF", undo="OK", take="OFF")
        assert {name: one["desired"] for name, one in made.status().items()} == {
            "tell": "on",
            "undo": "on",
            "take": "off",
        }
        assert "somebody else" in made.cli("why", "tell").out
