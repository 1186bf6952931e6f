"""The command line against a real socket: what it sends, and how it follows what it has ordered."""

from __future__ import annotations

import io
import json
import signal
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cli_site import NAMES, Site
from ockle.cli.codes import MEANINGS

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


def test_servers_can_be_left_out_which_is_no_failure(site: Site) -> None:
    site.untouched = {"web1": "excluded"}
    assert site.run("off", "nas01", "web1", "--exclude", "web1", "--yes").code == 0
    assert site.sent[0][1]["exclude"] == ["web1"]
    site.untouched = {"nas01": "needed by web1 (excluded)"}
    assert site.run("off", "nas01", "--exclude", "web1", "--yes").code == 1


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
