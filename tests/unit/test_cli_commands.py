"""The command line against a real socket: what it sends, shows and returns."""

from __future__ import annotations

import io
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cli_site import NAMES, Site, cli_site
from ockle.cli.codes import MEANINGS
from ockle.cli.connect import parse_duration
from ockle.cli.force import consequences
from ockle.webserver.ockle_client.address import parse_address


@pytest.fixture(scope="module")
def shared() -> Iterator[Site]:
    with cli_site() as found:
        yield found


@pytest.fixture
def site(shared: Site) -> Site:
    shared.sent.clear()
    shared.tier, shared.rev, shared.run_states, shared.fails = 1, 1, ["done"], set()
    shared.words, shared.emergency = dict.fromkeys(NAMES, "on"), None
    return shared


# -- nothing is switched by a slip (C18)

SLIPS = [
    [],
    ["off"],
    ["on", "--yes"],
    ["of", "web1", "--yes"],
    ["offf", "all", "--yes"],
    ["web1", "off", "--yes"],
    ["off", "web1", "--ye"],
    ["off", "web1", "--forc"],
    ["off", "web9", "--yes"],
    ["off", "web1", "web9", "--yes"],
    ["off", "web[2-1]", "--yes"],
    ["off", "", "--yes"],
    ["OFF", "web1", "--yes"],
    ["restart", "--yes"],
    ["force", "web1", "on"],
    ["force", "on"],
    ["force", "on", "web1"],
    ["force", "off", "web1", "--yes"],
    ["force", "off", "web1", "--confirm", "web1"],
    ["force", "off", "web1", "--yes", "--confirm", "web2"],
    ["force", "off", "web[1-2]", "--yes", "--confirm", "web1"],
    ["events", "--limit", "0"],
    ["runs", "--limit", "-1"],
    ["events", "--server", "web9"],
    ["events", "--server", "web9", "--follow"],
    ["hold"],
    ["cancel"],
    ["outlet", "off", "web1", "--yes"],
    ["auto"],
    ["auto", "of"],
    ["off", "web1", "--yes", "-o", "xml"],
    ["emergency"],
    ["emergency", "declare", "web1", "--yes", "--confirm", "emergency"],
    ["emergency", "declare", "--within", "5m", "--yes", "--confirm", "emergency"],
    ["emergency", "declare", "web1", "--within", "0", "--yes", "--confirm", "emergency"],
    ["emergency", "declare", "web1", "--within", "5m", "--yes"],
    ["emergency", "declare", "web1", "--within", "5m", "--yes", "--confirm", "web1"],
    ["emergency", "declare", "web9", "--within", "5m", "--yes", "--confirm", "emergency"],
    ["force", "off", "web1", "--yes", "--confirm", "web1", "--for", "0"],
]


@pytest.mark.parametrize("words", SLIPS)
def test_a_slip_switches_nothing(site: Site, words: list[str]) -> None:
    result = site.run(*words)
    assert (result.code, site.sent) == (2, [])
    assert "Traceback" not in result.err


VERBS = ("on", "off", "restart", "status", "plan", "force", "hold", "reset", "auto", "cancel", "outlet", "tree", "of")
REST = ("all", "web1", "web[1-2]", "we", "--yes", "-y", "--now", "clear", "--dry-run", "--", "-o", "json", "")
WORDS = st.sampled_from((*VERBS, *REST))


@settings(max_examples=80)
@given(words=st.lists(WORDS | st.text(max_size=4), max_size=5))
def test_only_a_verb_with_targets_switches(shared: Site, words: list[str]) -> None:
    assume("web" not in words)  # it serves until somebody ends it
    shared.sent.clear()
    result = shared.run(*words)
    assert result.code in MEANINGS
    assert "Traceback" not in result.err
    for command, data in shared.sent:
        if command == "run":
            assert {"on", "off", "restart"} & set(words)
            assert {"--yes", "-y"} & set(words)
            assert "--dry-run" not in words
            asked = {name for name in NAMES if name in words or "all" in words}
            asked |= {"web1", "web2"} if "web[1-2]" in words else set()
            assert set(data["servers"]) <= asked
        else:
            assert set(words) & {"force", "hold", "reset", "auto", "cancel"}


# -- switching


def test_on_sends_the_plan_that_was_shown_and_follows_the_run(site: Site) -> None:
    site.run_states = ["running", "done"]
    result = site.run("off", "nas01", "web1", "--yes", "--note", "new disk")
    assert result.code == 0
    assert site.sent == [
        ("run", {"action": "off", "servers": ["nas01", "web1"], "rev": 1, "confirm": "", "note": "new disk"})
    ]
    assert result.out == "ockle: run 214: 2 off, 0 failed, 0 skipped in 0:04\n"
    assert result.err.splitlines() == ["web1: off done", "nas01: off running", "nas01: off done"]


def test_a_failed_step_is_named_and_makes_exit_code_1(site: Site) -> None:
    site.run_states = ["failed"]
    result = site.run("off", "nas01", "--yes")
    assert result.code == 1
    assert "nas01: off failed: relay stuck" in result.err


def test_a_server_that_was_named_and_is_not_touched_is_no_success(site: Site) -> None:
    site.run_states = ["done"]
    site.untouched = {"web1": "held: new fan"}
    result = site.run("off", "nas01", "web1", "--yes")
    assert result.code == 1
    assert result.err.splitlines()[-1] == "web1: not touched: held: new fan"
    assert site.run("off", "all", "--yes").code == 0


def test_a_cancelled_run_is_not_success(site: Site) -> None:
    site.run_states = ["cancelled"]
    assert site.run("off", "nas01", "--yes").code == 6


def test_without_a_terminal_yes_is_needed(site: Site) -> None:
    result = site.run("off", "nas01")
    assert (result.code, site.sent) == (2, [])
    assert "needs --yes" in result.err


def test_tier_3_needs_the_text_even_with_yes(site: Site) -> None:
    site.tier = 3
    for words, code in ((["--yes"], 2), (["--yes", "--confirm", "nas02"], 2), (["--yes", "--confirm", "nas01"], 0)):
        assert site.run("off", "nas01", *words).code == code
    assert [data["confirm"] for _command, data in site.sent] == ["nas01"]


def test_now_cuts(site: Site) -> None:
    site.run("off", "nas01", "--now", "--yes")
    assert site.sent[0][1]["action"] == "cut"


def test_dry_run_and_plan_only_show(site: Site) -> None:
    for words in (["off", "nas01", "web1", "--dry-run"], ["plan", "off", "nas01", "web1"]):
        result = site.run(*words)
        assert result.code == 0
        assert "Plan (2 steps, about 1 min 50 s):" in result.out
        assert "1.  nas01  off  you asked  20 s critical" in result.out
    assert site.sent == []


def test_no_wait_leaves_at_once(site: Site) -> None:
    site.run_states = ["running"]
    result = site.run("on", "nas01", "--yes", "--no-wait", "-o", "name")
    assert (result.code, result.out) == (0, "214\n")


def test_a_timeout_leaves_the_run_alone(site: Site) -> None:
    site.run_states = ["running"]
    result = site.run("on", "nas01", "--yes", "--timeout", "0.1")
    assert result.code == 5
    assert "run 214 goes on in the daemon; stop it with: ockle cancel 214" in result.err


def test_ctrl_c_says_that_the_run_goes_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.run_states = ["running"]

    def interrupt(*_arguments: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("ockle.cli.follow._wait_for_news", interrupt)
    result = site.run("on", "nas01", "--yes")
    assert result.code == 6
    assert "ockle cancel 214" in result.err


def test_another_run_has_the_servers(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = site._plan

    def stale(data: dict[str, object]) -> dict[str, object]:
        return {**plan(data), "rev": 0}

    site.services.communicationHandler.AddCommandToList("plan", stale, role="viewer")
    try:
        assert site.run("on", "nas01", "--yes").code == 6
    finally:
        site.services.communicationHandler.AddCommandToList("plan", plan, role="viewer")


# -- looking


def test_status_folds_by_state(site: Site) -> None:
    site.words = {"sw-core": "on", "web1": "on", "web2": "on", "db1": "failed", "nas01": "off"}
    result = site.run("status")
    assert result.code == 1
    assert result.out.splitlines() == [
        "on:      sw-core web[1-2]",
        'failed:  db1 (test "pg" timeout)',
        "off:     nas01",
        "unknown: -",
    ]


@pytest.mark.parametrize(
    ("word", "code"),
    [("on", 0), ("forced on", 0), ("off", 7), ("unknown", 7), ("switching on", 7), ("failed", 1), ("gave up", 1)],
)
def test_the_exit_code_of_status(site: Site, word: str, code: int) -> None:
    site.words["web1"] = word
    assert site.run("status", "web1").code == code
    assert site.run("status", "web2").code == 0


def test_status_of_an_unknown_server(site: Site) -> None:
    result = site.run("status", "web9")
    assert result.code == 2
    assert "no such server: web9" in result.err


def test_status_as_json_names_and_wide(site: Site) -> None:
    assert json.loads(site.run("status", "web1", "-o", "json").out)["web1"]["power_w"] == 12.4
    assert site.run("-o", "name", "status", "web[1-2]").out == "web1\nweb2\n"
    assert "12 W" in site.run("status", "-o", "wide").out


def test_tree_draws_what_is_shared_once(site: Site) -> None:
    assert site.run("tree").out.splitlines() == [
        "sw-core  ✓ on",
        "├─ nas01  ✓ on",
        "│  └─ web1  ! failed",
        "└─ db1  ✓ on",
        "   └─ nas01  ✓ on  …",
    ]


def test_why(site: Site) -> None:
    result = site.run("why", "web1")
    assert "waiting for db1" in result.out
    assert "goes on when: db1 is on" in result.out


def test_test_exit_code(site: Site) -> None:
    assert site.run("test", "web1").code == 0
    site.fails = {"web1"}
    result = site.run("test", "web[1-2]")
    assert result.code == 1
    assert "port 80" in result.out


def test_wait(site: Site) -> None:
    assert site.run("wait", "--for", "on", "web1", "--timeout", "5").code == 0
    assert site.run("wait", "--for", "off", "web1", "--timeout", "0.05").code == 5
    site.words["web1"] = "gave up"
    assert site.run("wait", "--for", "on", "web1").code == 1


def test_force_hold_reset_auto_cancel_and_outlets_send_what_was_typed(site: Site) -> None:
    site.run("force", "on", "web1", "--note", "x", "--yes", "--confirm", "web1")
    site.run("force", "clear", "web1")
    site.run("hold", "web[1-2]")
    site.run("hold", "--release", "web1")
    site.run("reset", "web1")
    site.run("auto", "off")
    site.run("cancel", "214")
    site.run("outlet", "off", "web1", "psu1", "--yes", "--confirm", "web1", "--force")
    site.run("control", "off", "web1", "ssh", "--yes", "--confirm", "web1")
    assert site.sent == [
        ("force", {"server": "web1", "state": "on", "note": "x"}),
        ("force", {"server": "web1", "state": "clear"}),
        ("hold", {"server": "web1", "held": True}),
        ("hold", {"server": "web2", "held": True}),
        ("hold", {"server": "web1", "held": False}),
        ("reset", {"server": "web1"}),
        ("setAutoControlStatus", {"status": "off"}),
        ("cancel", {"run": "214"}),
        ("switchOutlet", {"server": "web1", "obj": "psu1", "state": "off", "force": True}),
        ("switchControl", {"server": "web1", "obj": "ssh", "state": "off"}),
    ]


ON = dict.fromkeys(NAMES, "on")


def _servers(site: Site, **words: str) -> dict[str, dict[str, Any]]:
    site.words = {**ON, **{name.replace("_", "-"): word for name, word in words.items()}}
    servers: dict[str, dict[str, Any]] = site._status({})["servers"]
    return servers


def test_forcing_off_tells_who_loses_what_it_needs(site: Site) -> None:
    text = consequences("off", ["sw-core"], _servers(site, web2="off"))
    assert text.splitlines() == [
        "Force off sw-core, at once and whatever the neighbours do:",
        "  sw-core is on",
        "  Still needed by: nas01 (on), web1 (on).",
        "  They are not shut down first; they lose what they need.",
        "  sw-core: shut down before the power is cut.",
        "Then no automation touches sw-core until: ockle force clear sw-core",
    ]
    text = consequences("off", ["web1", "web2"], _servers(site), ["web2"])
    assert "Still needed by: nobody." in text
    assert "web2: no control, so the power is cut without a shutdown." in text
    assert "ockle force clear web[1-2]" in text


def test_forcing_on_tells_what_is_missing(site: Site) -> None:
    text = consequences("on", ["web1"], _servers(site, web1="off", nas01="failed", sw_core="off"))
    assert "  Needed, and not on: nas01 (failed), sw-core (off).\n  They are neither started nor waited for." in text
    assert "Needed, and not on: nobody." in consequences("on", ["web1"], _servers(site, web1="off"))


@pytest.mark.parametrize(("typed", "code", "sent"), [("sw-core\n", 0, 1), ("y\n", 6, 0), ("\n", 6, 0), ("", 6, 0)])
def test_force_wants_the_name_typed(
    site: Site, monkeypatch: pytest.MonkeyPatch, typed: str, code: int, sent: int
) -> None:
    monkeypatch.setattr("ockle.cli.confirm._can_ask", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    result = site.run("force", "off", "sw-core")
    assert (result.code, len(site.sent)) == (code, sent)
    assert "Still needed by: nas01 (on), web1 (on), web2 (on)." in result.err
    assert 'Type "sw-core" to go on:' in result.err


def test_the_plan_of_a_conflict_is_shown_and_not_agreed_to_unseen(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = {**site._plan({"action": "off", "servers": ["nas01", "web1"]}), "rev": 0}
    site.services.communicationHandler.AddCommandToList("plan", lambda _data: stale, role="viewer")
    try:
        unseen = site.run("off", "nas01", "--yes")
        monkeypatch.setattr("ockle.cli.confirm._can_ask", lambda: True)
        monkeypatch.setattr("sys.stdin", io.StringIO("y\ny\n"))
        seen = site.run("off", "nas01")
    finally:
        site.services.communicationHandler.AddCommandToList("plan", site._plan, role="viewer")
    assert unseen.code == 6
    assert "The plan changed since you looked: - web1 off" in unseen.err
    assert seen.code == 0
    assert seen.err.count("Go on?") == 2
    assert [data["rev"] for _command, data in site.sent] == [0, 0, 1]


def test_runs_events_who_and_command(site: Site) -> None:
    site.services.events.publish("state", "on \x1b[2Jnow", "web1")
    assert "214" in site.run("runs").out
    assert "nas01" in site.run("runs", "214").out
    events = site.run("events")
    assert "web1: on" in events.out
    assert "\x1b" not in events.out
    assert "(local)" in site.run("who").out
    assert json.loads(site.run("command", "echo", "a=1", "b=x", 'c={"d":[]}').out) == {"a": 1, "b": "x", "c": {"d": []}}
    assert site.run("command", "nonsense").code == 2
    assert site.run("command", "echo", "a").code == 2
    assert site.run("_names").out.split() == list(NAMES)


def test_completion_knows_servers(site: Site) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert "_ockle_names" in site.run("completion", shell).out


def test_no_daemon() -> None:
    from ockle.cli.main import main

    assert main(["--host", "unix:/nonexistent/socket", "status"]) == 3
    assert main(["--host", "unix:/nonexistent/socket", "_names"]) == 0


def test_help_names_every_exit_code(site: Site) -> None:
    result = site.run("--help")
    assert result.code == 0
    text = " ".join(result.out.split())
    for code, meaning in MEANINGS.items():
        assert f"{code} {meaning}" in text


@pytest.mark.parametrize("words", [[], ["doctor"], ["emergency", "declare"], ["db", "copy"], ["force"], ["resume"]])
def test_help_fits_a_terminal(site: Site, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = site.run(*words, "--help").out.splitlines()
    assert max(map(len, lines)) < 80


def test_an_emergency_is_declared_with_what_was_typed(site: Site) -> None:
    agreed = ("--yes", "--confirm", "emergency")
    assert site.run("emergency", "declare", "web1", "--within", "5m", "--no-wait", *agreed).code == 0
    assert site.sent == [("declareEmergency", {"servers": ["web1"], "within_s": 300.0})]


def test_an_emergency_says_when_its_time_is_short(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ockle.cli.confirm._can_ask", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO("no\nno\n"))
    short, ample = (site.run("emergency", "declare", "web1", "--within", time) for time in ("60s", "5m"))
    assert (short.code, ample.code, site.sent) == (6, 6, [])
    assert "cut while it runs" in short.err
    assert "cut while it runs" not in ample.err


def test_clearing_an_emergency_too_early_says_what_to_type(site: Site) -> None:
    site.emergency = {"not_down": ["web1"]}
    result = site.run("emergency", "clear")
    assert (result.code, site.sent) == (2, [])
    assert "not down yet: web1; to clear it all the same: --confirm 'clear emergency'" in result.err
    assert site.run("emergency", "clear", "--confirm", "clear emergency").code == 0
    assert site.sent == [("clearEmergency", {"confirm": "clear emergency"})]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("pi", {"host": "pi", "port": 8088}),
        ("pi:99", {"host": "pi", "port": 99}),
        ("[::1]:99", {"host": "::1", "port": 99}),
        ("::1", {"host": "::1", "port": 8088}),
        ("tls:pi:99", {"host": "pi", "port": 99, "tls": True}),
        ("unix:/run/x", {"unix": "/run/x"}),
    ],
)
def test_addresses(text: str, where: dict[str, object]) -> None:
    assert parse_address(text) == where


@given(st.text(max_size=12))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        assert parse_address(text)
    except ValueError as error:
        assert "is no address" in str(error) or "needs the path" in str(error)


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("0.5s", 0.5)])
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


def test_config_needs_no_daemon(tmp_path: Path, site: Site) -> None:
    (tmp_path / "servers").mkdir()
    (tmp_path / "config.ini").write_text("[main]\n# kept\npoll_interval = 5s\n")
    (tmp_path / "servers" / "web1.ini").write_text("[server]\ncomment = a web server\n")

    def config(*words: str) -> object:
        result = site.run("config", *words, "--etc", str(tmp_path))
        return result.code, result.out

    assert config("check") == (0, f"{tmp_path}: no faults\n")
    assert config("get", "servers/web1.ini", "server", "comment") == (0, "a web server\n")
    assert config("set", "config.ini", "main", "poll_interval", "7s") == (0, "revision 1\n")
    assert "# kept\npoll_interval = 7s" in (tmp_path / "config.ini").read_text()
    assert config("set", "config.ini", "main", "poll_interval", "often") == (2, "")
    assert config("get", "../x.ini") == (2, "")
    draft = tmp_path.parent / f"{tmp_path.name}-draft"
    (draft / "servers").mkdir(parents=True)
    (draft / "servers" / "web2.ini").write_text("[server]\ndependencies = web1\n")
    code, out = site.run("config", "diff", str(draft), "--etc", str(tmp_path)).code, ""
    assert (code, out) == (1, "")
    assert config("apply", str(draft)) == (2, "")  # nobody to ask
    assert config("apply", str(draft), "--yes", "-m", "second web server") == (0, "revision 2\n")
    history = json.loads(site.run("config", "history", "--etc", str(tmp_path), "-o", "json").out)
    assert [one["rev"] for one in history] == [2, 1]
    assert config("undo") == (0, "revision 3\n")
    assert not (tmp_path / "servers" / "web2.ini").exists()
    (draft / "servers" / "web2.ini").write_text("[server]\ndependencies = web2\n")
    assert config("apply", str(draft), "--yes") == (2, "")
