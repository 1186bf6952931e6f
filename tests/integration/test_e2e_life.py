"""The daemon process: started in every way, stopped and killed in the middle of things, reloaded, started twice."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from e2e import MAIN_DAEMON, MODULE, PATIENCE_S, Daemon, Site, chain, dependencies, judge_down, judge_up, rack, site
from ockle.webserver.ockle_client import ClientCalls

pytestmark = pytest.mark.slow

SPEC = chain("core", "nas", "db", "web")
PAIRS = dependencies(SPEC)
CONSOLE_SCRIPT = Path(sys.executable).with_name("ockle")
STOP_S = 10.0


def contacts(made: Site) -> list[bool]:
    return [made.lab.outlet("pdu", outlet).closed for outlet in range(1, 5)]


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(MODULE, id="python -m ockle"),
        pytest.param(MAIN_DAEMON, id="src/MainDaemon.py"),
        pytest.param(
            (str(CONSOLE_SCRIPT), "daemon"),
            id="ockle",
            marks=pytest.mark.skipif(not CONSOLE_SCRIPT.exists(), reason="the package is not installed here"),
        ),
    ],
)
def test_every_way_to_start_serves_and_stops_with_0(tmp_path: Path, command: Sequence[str]) -> None:
    with site(chain("one"), tmp_path, start=False) as made:
        daemon = made.start(command)
        assert made.cli("status").code == 7  # nothing is on, nothing failed
        assert list(made.status()) == ["one"]
        assert daemon.stop() == 0
        assert "stopped" in daemon.lines[-1]
        assert made.cli("status").code == 3
        assert made.ledger.entries("set") == []


@pytest.mark.parametrize(
    ("number", "moment"),
    [(signal.SIGTERM, ("power", "nas")), (signal.SIGKILL, ("power", "nas")), (signal.SIGINT, ("up", "nas"))],
)
def test_a_power_up_that_is_stopped_in_the_middle_goes_on_after_the_restart(
    tmp_path: Path, number: signal.Signals, moment: tuple[str, str]
) -> None:
    with site(SPEC, tmp_path) as made:
        run = made.order("on", "all")
        made.ledger.wait(*moment, timeout=PATIENCE_S)
        began = time.monotonic()
        code = made.daemon.stop(number)
        assert time.monotonic() - began < STOP_S
        assert code == (-signal.SIGKILL if number is signal.SIGKILL else 0)
        mark, before = len(made.ledger), contacts(made)
        assert before[:2] == [True, True]
        made.start(MAIN_DAEMON if number is signal.SIGINT else MODULE)
        assert contacts(made)[:2] == [True, True]
        assert made.ended(run)["state"] == "done"
        assert set(made.states().values()) == {"OK"}
        judge_up(made.ledger, SPEC, PAIRS)
        opened = [one for one in made.ledger.entries()[mark:] if one.kind == "relay" and not one.detail["closed"]]
        assert opened == []
        assert made.cli("runs", str(run)).code == 0


@pytest.mark.parametrize(
    ("number", "moment"),
    [(signal.SIGTERM, ("shutdown", "web")), (signal.SIGKILL, ("halted", "db")), (signal.SIGKILL, ("shutdown", "nas"))],
)
def test_a_power_down_that_is_stopped_in_the_middle_goes_on_after_the_restart(
    tmp_path: Path, number: signal.Signals, moment: tuple[str, str]
) -> None:
    with site(SPEC, tmp_path) as made:
        made.switch("on", "all")
        mark = len(made.ledger)
        run = made.order("off", "all")
        made.ledger.wait(*moment, after=mark, timeout=PATIENCE_S)
        made.daemon.stop(number)
        made.start()
        assert made.ended(run)["state"] == "done"
        assert set(made.states().values()) == {"OFF"}
        judge_down(made.ledger, SPEC, PAIRS, mark)


def test_a_command_that_hangs_keeps_no_daemon_from_stopping_within_10_s(tmp_path: Path) -> None:
    with site(chain("one"), tmp_path, start=False) as made:
        made.edit("outlets/pdu.ini", "pdu", timeout="60s", retries="0")
        made.start()
        made.until_state(one="OFF")
        made.lab.turn("pdu", silent=True)
        run = made.order("on", "one")
        made.until_state(one="Switching on")
        began = time.monotonic()
        assert made.daemon.stop() == 0
        assert time.monotonic() - began < STOP_S
        made.lab.turn("pdu", silent=False)
        made.start()
        assert made.ended(run)["state"] == "done"


def test_sighup_applies_a_changed_file_and_refuses_a_faulty_one_while_all_goes_on(tmp_path: Path) -> None:
    with site(SPEC, tmp_path) as made:
        made.switch("on", "nas")
        mark = len(made.ledger)

        made.edit("servers/db.ini", "server", comment="the new database")
        made.daemon.process.send_signal(signal.SIGHUP)
        made.until("reloaded", lambda: made.status()["db"]["comment"] == "the new database")
        assert made.states() == {"core": "OK", "nas": "OK", "db": "OFF", "web": "OFF"}

        made.edit("servers/db.ini", "server", comment="never seen", boot_timeout="soon")
        made.edit("servers/core.ini", "server", dependencies="web")
        said = len(made.daemon.lines)
        made.daemon.process.send_signal(signal.SIGHUP)
        made.daemon.said(r"not reloaded: servers/db\.ini \[server\] boot_timeout = 'soon'", after=said)
        assert made.status()["db"]["comment"] == "the new database"

        made.edit("servers/db.ini", "server", comment="never seen", boot_timeout="20s")
        said = len(made.daemon.lines)
        made.daemon.process.send_signal(signal.SIGHUP)
        made.daemon.said(r"not reloaded: .*cycle.*core", after=said)

        made.edit("servers/core.ini", "server", dependencies="")
        made.edit("servers/db.ini", "server", comment="mended")
        made.daemon.process.send_signal(signal.SIGHUP)
        made.until("reloaded", lambda: made.status()["db"]["comment"] == "mended")
        made.switch("on", "web")
        assert [one for one in made.ledger.entries()[mark:] if one.kind == "relay" and not one.detail["closed"]] == []
        judge_up(made.ledger, SPEC, PAIRS)
        assert made.daemon.stop() == 0


def test_a_reload_takes_in_new_servers_and_lets_old_ones_go(tmp_path: Path) -> None:
    with site(SPEC, tmp_path, start=False) as made:
        file = made.etc / "servers" / "web.ini"
        text = file.read_text()
        file.unlink()
        made.start()
        made.switch("on", "all")
        file.write_text(text)
        assert made.call("reload") == {"status": "ok", "servers": 4}
        made.switch("on", "web")
        judge_up(made.ledger, SPEC, PAIRS)
        file.unlink()
        assert made.call("reload")["servers"] == 3
        assert made.lab.state("web") == "up"  # nobody said that it shall be switched
        assert "web" not in made.states()


def test_a_second_daemon_is_refused_by_name_of_the_first(tmp_path: Path) -> None:
    with site(chain("one"), tmp_path) as made:
        second = Daemon(made.etc)
        assert second.ended() == 2
        second.stop()
        assert f"another daemon (process {made.daemon.process.pid}) uses" in second.log
        assert made.cli("status").code == 7
        made.switch("on", "one")


def test_restart_ockle_starts_a_new_daemon_in_the_same_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with site(chain("one"), tmp_path) as made:
        made.switch("on", "one")
        monkeypatch.setattr(ClientCalls, "PORT", made.daemon.port)
        said = len(made.daemon.lines)
        ClientCalls.restartOckle()
        made.daemon.said("stopped", after=said)
        port = made.daemon.said(r"listening on 127\.0\.0\.1:(\d+)", after=said)[1]
        made.daemon.port = int(port)
        made.attach()
        made.until_state(one="OK")
        assert made.lab.state("one") == "up"
        assert len(made.ledger.entries("power", "one")) == 1


# -- AutoControl at the start


def test_at_start_on_brings_the_whole_network_up_in_order(tmp_path: Path) -> None:
    spec = rack()
    with site(spec, tmp_path, plugins={"AutoControl": {"at_start": "on"}}) as made:
        made.until("all on", lambda: set(made.states().values()) == {"OK"})
        judge_up(made.ledger, spec, dependencies(spec))
        assert made.call("runs")["runs"][0]["who"] == "AutoControl"
        assert made.cli("status").code == 0


def test_at_start_on_lets_a_run_from_before_the_crash_end_first(tmp_path: Path) -> None:
    with site(chain("one", "two"), tmp_path, plugins={"AutoControl": {"at_start": "on", "wait_time": "1s"}}) as made:
        made.until_state(one="OK", two="OK")
        mark = len(made.ledger)
        run = made.order("off", "one")
        made.ledger.wait("shutdown", "two", after=mark, timeout=PATIENCE_S)
        made.daemon.stop(signal.SIGKILL)
        made.start()
        assert made.ended(run)["state"] == "done"
        for machine in ("two", "one"):
            made.ledger.wait("power", machine, "off", after=mark, timeout=PATIENCE_S)
        made.until_state(one="OK", two="OK")
        assert made.call("runs")["runs"][0]["who"] == "AutoControl"


def lose_power(made: Site) -> None:
    """Have the machine ``one`` go down cleanly, and its outlet off, while no daemon runs."""
    mark = len(made.ledger)
    made.lab.shut_down("one")
    made.ledger.wait("halted", "one", after=mark, timeout=PATIENCE_S)
    made.lab.press("pdu", 1, False)
    made.ledger.wait("power", "one", "off", after=mark, timeout=PATIENCE_S)


@pytest.mark.parametrize(
    ("at_start", "desired", "state"), [("restore", "on", "OK"), ("observe", None, "OFF"), ("on", "on", "OK")]
)
def test_at_start_says_what_becomes_of_a_server_that_was_on(
    tmp_path: Path, at_start: str, desired: str | None, state: str
) -> None:
    with site(chain("one"), tmp_path, plugins={"AutoControl": {"at_start": at_start}}) as made:
        if at_start != "on":
            made.switch("on", "one")
        made.until_state(one="OK")
        made.daemon.stop()
        lose_power(made)
        made.start()
        made.until_state(one=state)
        made.until("begun", lambda: made.status()["one"]["desired"] == desired)
        assert len(made.ledger.entries("up", "one")) == (2 if state == "OK" else 1)


def test_with_the_master_switch_off_nothing_moves_by_itself_and_orders_still_work(tmp_path: Path) -> None:
    with site(chain("one"), tmp_path, server={"drift": "enforce"}) as made:
        made.switch("on", "one")
        assert made.cli("auto", "off").code == 0
        mark = len(made.ledger)
        lose_power(made)
        made.until_state(one="OFF")
        made.call("reload")
        reasons = made.call("why", server="one")["reasons"]
        assert reasons[0]["text"] == "AutoControl is off"
        made.daemon.stop()
        made.start()  # the master switch is remembered
        made.until_state(one="OFF")
        made.until("begun", lambda: made.call("getAutoControlStatus") == {"status": "off"})
        assert [entry.kind for entry in made.ledger.entries()[mark:] if entry.kind in ("set", "up")] == []
        made.switch("on", "one")
        lose_power(made)
        made.until_state(one="OFF")
        mark = len(made.ledger)
        assert made.cli("auto", "on").code == 0
        made.ledger.wait("up", "one", after=mark, timeout=PATIENCE_S)
        made.until_state(one="OK")
