"""Schedules as their users meet them: a real daemon, its command line, REST interface and pages."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from webtest import TestApp

from ockle.cli.main import main
from ockle.common.clock import SystemClock
from ockle.MainDaemon import MainDaemon
from ockle.plugins.Schedules import Schedules
from ockle.plugins.SocketListener import SocketListener
from ockle.webserver.application import make_app
from ockle.webserver.security import SESSION_COOKIE
from ockle.webserver.settings import WebSettings
from own_daemon import ask, until, written

TOKEN = "token-of-an-admin-0123456789"
SERVER = "[server]\noutlets = plug\nhalt_grace = 0s\n[plug]\npdu = strip\nmin_off_time = 0s\nmax_per_minute = 0\n"
FILES = {
    "config.ini": f"""[main]
state_dir = ../state
poll_interval = 200ms
[plugins]
plugins = CoreCommunicationCommands, EditingCommunicationCommands, SocketListener, Schedules
[plugins.SocketListener]
port = 0
local_role = none
admin_token = {TOKEN}
[plugins.Schedules]
look_interval = 100ms
""",
    "outlets/strip.ini": "[pdu]\ntype = Dummy\n",
    "servers/web1.ini": SERVER,
    "servers/web2.ini": SERVER,
    "schedules/morning.ini": """[schedule]
comment = shop
servers = web[1-2]
times = 07:30
time_zone = Europe/Berlin
""",
    "schedules/night.ini": "[schedule]\nservers = all\naction = off\ncron = 0 22 * * *\nenabled = false\n",
    "schedules/never.ini": "[schedule]\nservers = web1\ncron = 0 0 30 2 *\n",
}


class SetClock(SystemClock):
    """Shows what the test sets it to, and goes on from there."""

    def __init__(self) -> None:
        self.set(7, 20)

    def set(self, hour: int, minute: int) -> None:
        wanted = datetime(2026, 11, 23, hour, minute, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
        self._ahead = wanted - super().wall()

    def wall(self) -> float:
        return super().wall() + self._ahead


@dataclass
class Whole:
    daemon: MainDaemon
    app: TestApp
    address: str

    def cli(self, *words: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main(["--host", self.address, *words])
        return code, out.getvalue(), err.getvalue()

    def one(self, name: str) -> dict[str, Any]:
        return next(one for one in ask(self.daemon, "getSchedules")["schedules"] if one["name"] == name)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    clock = SetClock()
    daemon = MainDaemon(written(tmp_path_factory.mktemp("schedules") / "etc", FILES), clock=clock)
    daemon.start()
    plugin = daemon.plugins["Schedules"]
    assert isinstance(plugin, Schedules)
    until(lambda: plugin._scheduler._records)  # it has looked at the clock once
    clock.set(7, 30)
    listener = daemon.plugins["SocketListener"]
    assert isinstance(listener, SocketListener)
    port = int(listener.address.rpartition(":")[2])
    router = make_app(WebSettings(daemon={"host": "127.0.0.1", "port": port}, token=TOKEN))
    app = TestApp(router, extra_environ={"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "ockle.test:80"})
    app.set_cookie(SESSION_COOKIE, TOKEN)
    try:
        yield Whole(daemon, app, f"127.0.0.1:{port}")
    finally:
        router.registry.link.stop()
        daemon.close()


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCKLE_TOKEN", TOKEN)


def test_it_runs_by_itself_and_is_written_down(whole: Whole) -> None:
    last = until(lambda: whole.one("morning")["last"])
    assert last["what"] == "ordered"
    until(lambda: all(one["word"] == "on" for one in ask(whole.daemon, "status")["servers"].values()))
    run = ask(whole.daemon, "getRun", run=last["run"])
    assert (run["via"], run["note"], run["targets"]) == ("schedule", "shop", ["web1", "web2"])
    entry = until(lambda: [one for one in ask(whole.daemon, "audit")["entries"] if one["via"] == "schedule"])[0]
    assert (entry["who"], entry["command"], entry["result"], entry["run"]) == (
        "schedule morning", "run", "ok", str(last["run"]),
    )  # fmt: skip


def test_the_command_line(whole: Whole) -> None:
    until(lambda: whole.one("morning")["last"])
    code, out, err = whole.cli("schedule", "list")
    assert code == 0
    assert "never: it never comes" in err
    row = next(line for line in out.splitlines() if line.startswith("morning"))
    assert "web[1-2]" in row
    assert "Europe/Berlin" in row
    assert "ordered, run 1" in row
    assert "disabled" in next(line for line in out.splitlines() if line.startswith("night"))
    code, out, _ = whole.cli("schedule", "next", "--limit", "3", "-o", "json")
    times = [datetime.fromtimestamp(one["when"], ZoneInfo("Europe/Berlin")) for one in json.loads(out)]
    assert [f"{time:%d %H:%M}" for time in times] == ["24 07:30", "25 07:30", "26 07:30"]
    assert whole.cli("schedule", "next", "nosuch")[0] == 2
    assert "there is: " in whole.cli("schedule", "run", "nosuch")[2]


def test_one_now_and_another_enabled(whole: Whole) -> None:
    until(lambda: whole.one("morning")["last"])
    until(lambda: all(one["word"] == "on" for one in ask(whole.daemon, "status")["servers"].values()))
    code, out, _ = whole.cli("schedule", "run", "night", "--dry-run")
    assert code == 0
    assert "web2" in out
    code, out, err = whole.cli("schedule", "run", "night", "--yes", "--confirm", "2")
    assert code == 0, err
    newest = ask(whole.daemon, "runs")["runs"][0]
    assert (newest["action"], newest["note"]) == ("off", "schedule night")
    assert whole.one("night")["next"] == []
    assert whole.cli("schedule", "enable", "night")[0] == 0
    assert until(lambda: whole.one("night")["next"])
    assert whole.cli("schedule", "disable", "night")[0] == 0
    until(lambda: not whole.one("night")["next"])
    assert whole.cli("schedule", "enable", "nosuch")[0] == 2


def test_rest_and_pages(whole: Whole) -> None:
    until(lambda: whole.one("morning")["last"])
    found = whole.app.get("/api/v1/schedules?next=2").json
    assert [len(one["next"]) for one in found["schedules"] if one["name"] == "morning"] == [2]
    page = whole.app.get("/schedules")
    page.mustcontain("morning", "shop", "Europe/Berlin", "Run 1", "never comes", "Run now")
    plan = page.click("Run now", index=0)
    plan.mustcontain("web1")
    assert "/schedules" in whole.app.get("/runs").text
    form = whole.app.get("/settings/schedules/morning")
    form.mustcontain("time_zone", "exceptions")


def test_its_own_kind_of_configuration(whole: Whole) -> None:
    whole.app.get("/settings/schedules").mustcontain("morning", "shop")
    assert ask(whole.daemon, "getScheduleFolder") == {"folder": "schedules"}
