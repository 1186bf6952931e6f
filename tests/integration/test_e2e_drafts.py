"""Drafts, new names and connection tests on a real daemon with the virtual lab's devices."""

from __future__ import annotations

import getpass
import signal
from pathlib import Path

import pytest

from e2e import MODULE, chain, site
from ockle.webserver.ockle_client.connection import ClientError, ConnectionFailed

pytestmark = pytest.mark.slow

SPEC = chain("core", "nas", "web")


def test_a_server_keeps_its_state_its_lock_and_its_dependents_under_a_new_name(tmp_path: Path) -> None:
    with site(SPEC, tmp_path) as made:
        made.switch("on", "nas")
        made.call("hold", server="nas", held=True, note="new disk")
        made.call("force", server="core", state="on", note="keep")
        sets = len(made.ledger.entries("set"))
        made.call("draftEdit", do="rename", file="servers/nas.ini", name="big store")
        made.call("draftEdit", do="rename", file="servers/core.ini", name="switch")
        assert made.call("draftDiff")["meaning"] == [
            "server nas is called big store from now on",
            "server core is called switch from now on",
        ]
        assert made.call("draftApply")["reload"] == "done"
        assert made.states() == {"switch": "Forced on", "big store": "OK", "web": "OFF"}
        view = made.call("getServerView", server="big store")
        assert (view["held"], view["desired"], view["dependencies"]) == ("new disk", "on", ["switch"])
        assert len(made.ledger.entries("set")) == sets
        made.daemon.stop(signal.SIGKILL)
        made.start()
        view = made.call("getServerView", server="big store")
        assert (view["held"], view["desired"]) == ("new disk", "on")
        # whoever is called nas later is somebody else
        made.call("draftEdit", do="copy", file="servers/web.ini", name="nas")
        made.call("draftApply")
        view = made.call("getServerView", server="nas")
        assert (view["held"], view["desired"], view["outlets"]) == ("", None, {})


def test_no_name_changes_while_anything_is_switched(tmp_path: Path) -> None:
    with site(chain("core", "nas", core={"boot_s": 60.0}), tmp_path) as made:
        made.order("on", "core")
        with pytest.raises(ClientError, match="being switched") as refused:
            made.call("configRename", file="servers/nas.ini", name="store")
        assert refused.value.code == "conflict"
        assert (made.etc / "servers/nas.ini").exists()
        assert "store" not in made.states()


def test_a_connection_is_tested_with_what_the_draft_says(tmp_path: Path) -> None:
    with site(SPEC, tmp_path) as made:
        good = made.call("testConnection", kind="outlets", name="pdu")
        assert (good["ok"], good["text"]) == (True, "the outlet is off")
        made.call("draftEdit", do="change", file="outlets/pdu.ini", values={"pdu": {"port": 1, "timeout": "100ms"}})
        bad = made.call("testConnection", kind="outlets", name="pdu")
        assert not bad["ok"]
        assert bad["error"] == "DeviceUnreachable"
        assert made.call("testConnection", kind="outlets", name="pdu", stored=True)["ok"]
        assert made.call("testConnection", kind="outlets", name="pdu2", params={"outlet": 2})["ok"]
        with pytest.raises(ClientError, match="which outlet") as missing:
            made.call("testConnection", kind="outlets", name="pdu2")
        assert missing.value.data["missing"] == ["outlet"]
        made.switch("on", "core")
        [control] = made.call("configObjects", folder="controllers")["objects"]
        up = made.call("testConnection", kind="controllers", name=control["name"], server="core")
        assert (up["ok"], up["text"]) == (True, "the system is up")
        tester = made.call("configObjects", folder="testers")["objects"][0]["name"]
        assert made.call("testConnection", kind="testers", name=tester, server="core")["text"] == "the test passed"
        assert made.cli("config", "test", "outlets/pdu2.ini", "--param", "outlet=2").out.startswith("the outlet is off")
        assert made.ledger.entries("set", "pdu2") == []


def test_what_needs_a_restart_is_counted_until_it_came(tmp_path: Path) -> None:
    with site(SPEC, tmp_path) as made:
        assert made.call("configState")["restart"] == []
        made.call("configSet", file="config.ini", section="main", key="log_level", value="DEBUG")
        made.call("configSet", file="config.ini", section="main", key="max_start_attempts", value="4")
        waiting = [{"file": "config.ini", "section": "main", "key": "log_level"}]
        assert made.call("configState")["restart"] == waiting
        made.daemon.stop()
        made.start()
        assert made.call("configState")["restart"] == []


def test_a_lock_holds_under_the_new_name_when_the_daemon_dies_before_it_has_taken_it_over(tmp_path: Path) -> None:
    with site(SPEC, tmp_path, start=False) as made:
        made.start(MODULE, {"OCKLE_FAILPOINTS": "adopt.begun=kill"})
        made.call("hold", server="nas", held=True, note="disk is out")
        with pytest.raises(ConnectionFailed):
            made.call("configRename", file="servers/nas.ini", name="store")
        made.daemon.ended()
        made.start()
        assert made.call("getServerView", server="store")["held"] == "disk is out"


def test_a_draft_is_looked_at_applied_and_thrown_away_in_the_terminal(tmp_path: Path) -> None:
    with site(SPEC, tmp_path) as made:
        assert made.cli("config", "drafts").out == "your draft is empty\n"
        comment = {"server": {"comment": "the first"}}
        edit = {"do": "change", "file": "servers/core.ini", "values": comment}
        person = made.daemon.connect(user=getpass.getuser(), via="gui")
        person.call("draftEdit", edit)
        shown = made.cli("config", "drafts").out
        assert shown.startswith("core: comment is the first now, was empty\n")
        assert "+comment = the first\n" in shown
        assert made.cli("config", "drafts", "--discard").out == "the draft is gone\n"
        person.call("draftEdit", edit)
        assert made.cli("config", "drafts", "--apply", "-m", "named").out == "revision 1\n"
        assert made.cli("config", "copy", "servers/web.ini", "web2").out == "revision 2\n"
        assert made.cli("config", "rename", "servers/web2.ini", "web 2").out == "revision 3\n"
        assert "web 2" in made.states()
        person.close()
