"""A configuration with faults: all of them in one run, a line each, exit 2, and nothing is started."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from e2e import MAIN_DAEMON, MODULE, Daemon, Site, chain, ockle, site

pytestmark = pytest.mark.slow

SPEC = chain("core", "nas", "db", "web")


def refused(made: Site, *patterns: str) -> None:
    """Assert that a daemon ends at once with one line for each pattern and no other; so does ``ockle config check``."""
    daemon = Daemon(made.etc)
    assert daemon.ended() == 2
    daemon.stop()
    lines = [line.removeprefix("ockle: ") for line in daemon.lines if not line.startswith("ockle: warning: ")]
    for pattern in patterns:
        assert len([line for line in lines if re.search(pattern, line)]) == 1, f"{pattern}:\n{daemon.log}"
    assert len(lines) == len(patterns), daemon.log
    assert not (made.etc.parent / "state").exists()
    assert made.ledger.entries("set") == []
    checked = ockle("--etc", str(made.etc), "config", "check")
    assert checked.code == 2
    assert [line for line in lines if line not in checked.out + checked.err] == []


def test_every_fault_is_named_in_one_run(tmp_path: Path) -> None:
    with site(SPEC, tmp_path, start=False) as made:
        made.edit("config.ini", "main", colour="blue", log_level="LOUD", start_limit="-3")
        made.edit("outlets/pdu2.ini", "pdu", retries="many", write_community="${env:OCKLE_NO_SUCH_SECRET}")
        made.edit("servers/nas.ini", "psu1", outlet="1")  # core's
        made.edit("servers/nas.ini", "server", boot_timeout="-5s")
        made.edit("servers/db.ini", "server", dependencies="nsa", outlets="psu1, psu9")
        made.edit("servers/db.ini", "psu1", pdu="pdu-x")
        made.edit("servers/a.ini", "server", dependencies="b")
        made.edit("servers/b.ini", "server", dependencies="a")
        made.edit("servers/WEB.ini", "server", comment="twice")
        (made.etc / "testers" / "broken.ini").write_bytes(b"[tester]\ntype = \xff\xfe\n")
        (made.etc / "controllers" / "folder.ini").mkdir()
        (made.etc / "testers" / "empty.ini").write_text("# nothing\n")
        refused(
            made,
            r"config\.ini \[main\] colour: unknown option",
            r"config\.ini \[main\] log_level = 'LOUD'",
            r"config\.ini \[main\] start_limit = '-3': out of range",
            r"outlets/pdu2\.ini \[pdu\] write_community: the environment has no variable OCKLE_NO_SUCH_SECRET",
            r"outlets/pdu2\.ini \[pdu\] retries = 'many': not an integer",
            r"controllers/folder\.ini: ",
            r"testers/broken\.ini: ",
            r"testers/empty\.ini \[tester\]: this section is missing",
            r"servers/nas\.ini \[server\] boot_timeout = '-5s'",
            r"servers/db\.ini \[server\] dependencies = 'nsa': unknown server; did you mean 'nas'",
            r"servers/db\.ini \[server\] outlets = 'psu9': there is no section of this name",
            r"servers/nas\.ini \[psu1\]: the outlet pdu outlet 1 also feeds servers/core\.ini \[psu1\]",
            r"servers/db\.ini \[psu1\] pdu = 'pdu-x': unknown PDU",
            r"servers/a\.ini .*a cycle: a -> b -> a|servers/b\.ini .*a cycle: b -> a -> b",
            r"servers/(web|WEB)\.ini: differs only by upper and lower case",
        )


def test_two_servers_on_one_outlet_are_refused_unless_both_say_that_they_share_it(tmp_path: Path) -> None:
    with site(SPEC, tmp_path, start=False) as made:
        made.edit("servers/nas.ini", "psu1", outlet="1")
        refused(made, r"servers/nas\.ini \[psu1\]: the outlet pdu outlet 1 also feeds servers/core\.ini \[psu1\]")
        made.edit("servers/core.ini", "psu1", shared="true")
        made.edit("servers/nas.ini", "psu1", shared="true")
        refused(made, r"servers/nas\.ini .* a cycle: nas -> core -> nas \(on the same outlet, pdu outlet 1\)")
        made.edit("servers/nas.ini", "server", dependencies="")
        made.start()
        assert set(made.states()) == {"core", "nas", "db", "web"}


def test_a_cycle_is_refused_with_all_its_members(tmp_path: Path) -> None:
    with site(SPEC, tmp_path, start=False) as made:
        made.edit("servers/core.ini", "server", dependencies="web")
        refused(made, r"cycle.*(?=.*core)(?=.*nas)(?=.*db)(?=.*web)")


def test_a_folder_without_a_configuration_is_refused(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path / "nowhere", MAIN_DAEMON)
    assert daemon.ended() == 2
    daemon.stop()
    assert "does not exist" in daemon.log


def test_a_mended_site_starts(tmp_path: Path) -> None:
    with site(SPEC, tmp_path, start=False) as made:
        made.edit("servers/core.ini", "server", dependencies="web")
        assert Daemon(made.etc).ended() == 2
        made.edit("servers/core.ini", "server", dependencies="")
        made.start()
        assert list(made.states()) == ["core", "nas", "db", "web"]


def test_a_secret_from_the_environment_works_and_is_never_told(tmp_path: Path) -> None:
    quick = {"settle_timeout": "400ms"}
    with site(chain("one"), tmp_path, start=False, main={"log_level": "DEBUG"}, outlet=quick) as made:
        made.edit("outlets/pdu.ini", "pdu", write_community="${env:OCKLE_TEST_COMMUNITY}")
        made.start(MODULE, {"OCKLE_TEST_COMMUNITY": "private"})
        made.switch("on", "one")
        made.lab.turn("pdu", refuse=True)
        made.order("off", "one")
        made.event("state", "one: Failed to stop|one: Permanently")
        told = made.daemon.log + str(made.call("events")) + str(made.call("getServerView", server="one"))
        made.daemon.stop(signal.SIGTERM)
        assert "private" not in told
        assert made.lab.client_key.splitlines()[2] not in told


def test_a_store_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with site(chain("one"), tmp_path, start=False) as made:
        (tmp_path / "state").write_text("a file where the folder has to be")
        daemon = Daemon(made.etc)
        assert daemon.ended() == 2
        daemon.stop()
        assert "cannot use the state folder" in daemon.log
        assert made.ledger.entries("set") == []


@pytest.mark.parametrize("junk", [b"", b"not a database at all, but long enough to be looked at" * 40])
def test_a_database_that_is_no_database_is_not_taken_for_an_empty_one(tmp_path: Path, junk: bytes) -> None:
    with site(chain("one"), tmp_path, start=False) as made:
        (tmp_path / "state").mkdir()
        (tmp_path / "state" / "state.db").write_bytes(junk)
        daemon = Daemon(made.etc)
        if junk:
            assert daemon.ended() == 2
        else:  # SQLite's own way to begin
            daemon.ready()
            assert daemon.stop() == 0
        daemon.stop()
        assert "Traceback" not in daemon.log
