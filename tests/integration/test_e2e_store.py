"""The daemon and its store: crash loops, damage, a port that is taken, and one daemon at a time."""

from __future__ import annotations

import signal
import socket
import subprocess
from pathlib import Path

import pytest

from e2e import Daemon, chain, dependencies, judge_up, site
from ockle.webserver.ockle_client.connection import ConnectionFailed
from peers import free_port, missing, peer

pytestmark = pytest.mark.slow

SPEC = chain("nas", "db")


def test_a_daemon_that_dies_over_and_over_only_watches_until_a_person_looked(tmp_path: Path) -> None:
    with site(SPEC, tmp_path, start=False) as made:
        made.edit("outlets/pdu.ini", "pdu", timeout="300ms", retries="0")
        made.lab.turn("pdu", silent=True)
        made.start()
        run = made.order("on", "all")
        for _crash in range(3):
            made.daemon.stop(signal.SIGKILL)
            made.start()
        made.daemon.said(r"safe mode: the daemon was started 3 times .* run 1")
        made.lab.turn("pdu", silent=False)
        made.until_state(nas="OFF", db="OFF")
        assert made.ledger.entries("set") == []
        assert made.run(run)["state"] == "running"
        assert "safe mode" in made.cli("status").err
        assert "ockle resume" in made.cli("why", "nas").out
        assert "safe mode" in made.cli("on", "nas", "--yes").err
        made.daemon.stop()
        made.start()  # a restart is no person
        assert "safe mode" in made.cli("status").err
        assert "started 3 times" in made.cli("resume").out
        assert made.ended(run)["state"] == "done"
        judge_up(made.ledger, SPEC, dependencies(SPEC))
        assert made.cli("status").err == ""


def test_a_damaged_store_is_replaced_and_nothing_moves_until_a_person_looked(tmp_path: Path) -> None:
    with site(SPEC, tmp_path) as made:
        made.switch("on", "nas")
        assert made.cli("force", "off", "db", "--yes", "--confirm", "db").code == 0
        made.until_state(db="Forced off")
        made.daemon.stop()
        file = tmp_path / "state" / "state.db"
        file.write_bytes(b"\0" * file.stat().st_size)
        mark = len(made.ledger)
        made.start()
        made.daemon.said("cannot be trusted")
        made.event("daemon", "safe mode: the state database could not be trusted")
        made.until_state(nas="OK", db="Forced off")
        assert made.status()["nas"]["desired"] == "on"
        assert made.call("getAutoControlStatus") == {"status": "off"}
        assert (
            made.ledger.entries("set")[len([one for one in made.ledger.entries()[:mark] if one.kind == "set"]) :] == []
        )
        assert made.cli("auto", "on").code == 0
        assert made.cli("status").err == ""
        assert made.call("getAutoControlStatus") == {"status": "on"}


def test_a_daemon_whose_port_is_taken_does_not_start_and_switches_nothing(tmp_path: Path) -> None:
    with site(chain("one"), tmp_path, plugins={"AutoControl": {"at_start": "on"}}, start=False) as made:
        port = free_port()
        made.edit("config.ini", "plugins.SocketListener", port=str(port))
        with socket.create_server(("127.0.0.1", port)):
            daemon = Daemon(made.etc)
            assert daemon.ended() == 2
            daemon.stop()
            assert f"port = {port}: cannot listen on 127.0.0.1: Address already in use" in daemon.lines[-1]
            assert made.ledger.entries("set") == []
            made.edit("config.ini", "plugins.SocketListener", required="false")
            daemon = Daemon(made.etc)
            daemon.said("is ready")
            made.ledger.wait("up", "one")
            assert daemon.stop() == 0


@pytest.mark.peer
def test_a_disk_that_fails_ends_the_daemon_before_anything_is_sent(tmp_path: Path) -> None:
    strace = peer("strace")
    with site(SPEC, tmp_path) as made:
        made.until_state(nas="OFF", db="OFF")
        fault = ["-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO"]
        command = [strace, "-f", "-o", "/dev/null", *fault, "-p", str(made.daemon.process.pid)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
            assert tracer.stderr is not None
            said = tracer.stderr.readline()
            if "attached" not in said:
                missing(f"strace cannot attach to a process: {said}")
            with pytest.raises(ConnectionFailed):
                made.order("on", "all")
            assert made.daemon.ended() == 74
        made.daemon.said(r"cannot write the store: disk I/O error \(SQLITE_IOERR_FSYNC\); the daemon ends")
        assert made.ledger.entries("set") == []
        made.start()
        made.switch("on", "all")
        judge_up(made.ledger, SPEC, dependencies(SPEC))


def test_a_database_elsewhere_is_locked_too(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'shared.db'}"
    with site(chain("one"), tmp_path, main={"database": database}) as made:
        made.edit("config.ini", "main", state_dir=str(tmp_path / "other"))
        second = Daemon(made.etc)
        assert second.ended() == 2
        second.stop()
        assert f"another daemon (process {made.daemon.process.pid}) uses {tmp_path / 'shared.db'}" in second.log
