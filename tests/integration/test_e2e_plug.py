"""A server on a smart plug, from the order to the cut: daemon, plug, and the agent as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from webtest import TestApp

from e2e import PATIENCE_S, Site, site
from ockle.simulator.lab import Lab
from ockle.simulator.machine import MachineState
from ockle.simulator.relocate import read
from ockle.simulator.spec import LabSpec, MachineSpec, PlugSpec
from ockle.webserver.application import make_app
from ockle.webserver.security import SESSION_COOKIE
from ockle.webserver.settings import WebSettings
from plug_site import KEY
from web_site import TOKENS

pytestmark = pytest.mark.slow
SPEED = 0.05
HEARTBEAT_S = 40.0
SPEC = LabSpec(
    devices=(PlugSpec("plug", key=KEY, heartbeat_s=HEARTBEAT_S, heartbeat_limit=3),),
    machines=(MachineSpec("pi", (("plug", 1),), 2.0, 8.0, 30.0, services=("tcp",)),),
    speed=SPEED,
)


class Resident:
    """The agent on the lab's machine: started when that is up, gone when its services end or its power is cut."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self._lab, self._folder = lab, folder
        self._ini, self._asked = folder / "agent.ini", folder / "shutdown"
        point = lab.endpoints["plug"]
        self._ini.write_text(
            f"[plug]\nhost = {point.host}\nport = {point.ports['esphome']}\nkey = {KEY}\n"
            f"[agent]\nshutdown_command = touch {self._asked}\nheartbeat_every = 1s\nconfirm = 1s\n"
            "[metrics]\nserve = no\n"
        )
        self.process: subprocess.Popen[str] | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._live, name="the machine's services", daemon=True)
        self._thread.start()

    def _live(self) -> None:
        while not self._end.wait(0.02):
            state = self._lab.state("pi")
            if state is MachineState.UP and self.process is None:
                self._asked.unlink(missing_ok=True)
                self._start()
            elif state in {MachineState.OFF, MachineState.HALTED} and self.process is not None:
                self.kill()
                self.process = None
            if self._asked.exists() and state is MachineState.UP:
                self._lab.shut_down("pi")

    def _start(self) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        with (self._folder / "agent.log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ockle", "agent", "run", "--config", str(self._ini)],
                stdout=log,
                stderr=log,
                text=True,
                env=environment,
            )

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(PATIENCE_S)

    def log(self) -> str:
        return (self._folder / "agent.log").read_text()

    def close(self) -> None:
        self._end.set()
        self._thread.join(PATIENCE_S)
        self.kill()


@contextmanager
def living(lab: Lab, folder: Path) -> Iterator[Resident]:
    resident = Resident(lab, folder)
    try:
        yield resident
    finally:
        resident.close()


@pytest.fixture(scope="module")
def plugged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Resident]]:
    folder = tmp_path_factory.mktemp("plug")
    server = {"halt_grace": "200ms", "shutdown_timeout": "30s", "boot_timeout": "20s"}
    tokens = {"SocketListener": {f"{role}_token": token for role, token in TOKENS.items()}}
    with (
        site(SPEC, folder, plugins=tokens, server=server, start=False) as made,
        living(made.lab, folder) as resident,
    ):
        pdu = read(made.etc / "outlets" / "plug.ini")["pdu"]
        where = {option: pdu[option] for option in ("host", "port", "key")}
        made.edit("controllers/plug.ini", "controller", type="ESPHomeDelay", **where)
        made.edit("servers/pi.ini", "server", controls="agent", tests="tcp")
        made.edit("servers/pi.ini", "agent", controller="plug")
        made.start()
        yield made, resident


@pytest.fixture
def running(plugged: tuple[Site, Resident]) -> tuple[Site, Resident]:
    """The server serves, and its agent has been heard."""
    made, _ = plugged
    made.until("read", lambda: made.states()["pi"] == "OFF")
    made.switch("on", "pi")
    made.until("heard", lambda: made.lab.plug_state("plug", "Heartbeat Switch"))
    return plugged


@contextmanager
def browser(made: Site) -> Iterator[TestApp]:
    """The GUI of the site's daemon, as an operator sees it."""
    router = make_app(WebSettings(daemon={"host": "127.0.0.1", "port": made.daemon.port}, token=TOKENS["viewer"]))
    app = TestApp(router, extra_environ={"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "ockle.test:80"})
    app.set_cookie(SESSION_COOKIE, TOKENS["operator"])
    try:
        yield app
    finally:
        router.registry.link.stop()


def test_off_in_the_gui_presses_the_delay_switch_and_the_cut_comes_after_the_shutdown(
    running: tuple[Site, Resident],
) -> None:
    made, resident = running
    ledger, mark = made.ledger, len(made.ledger)
    with browser(made) as app:
        page = app.get("/plan/new", {"action": "off", "server": "pi"})
        started = next(form for form in page.forms.values() if form.action == "/plan/start").submit()
    run = made.ended(int(started.location.rpartition("/")[2]))
    assert run["state"] == "done", resident.log() + made.daemon.tail
    seen = ledger.entries()[mark:]
    assert [entry.what for entry in seen if entry.kind == "plug"] == [
        "delay switch off",
        "real delay switch off",
        "the machine was shut down",
    ]
    wished, armed, _ = (entry.t for entry in seen if entry.kind == "plug")
    shutdown, halted, opened = (
        next(entry.t for entry in seen if entry.kind == kind) for kind in ("shutdown", "halted", "relay")
    )
    assert wished <= armed <= shutdown <= halted <= opened
    assert 15 * SPEED <= opened - armed < (15 + 180) * SPEED  # at the latest it would have come whatever it draws
    assert ledger.cuts_while_mounted() == []
    assert all(entry.t >= opened for entry in seen if entry.kind == "set")  # Ockle itself cut nothing
    made.until_state(pi="OFF")


def test_a_dead_agent_makes_the_plug_cut_and_that_is_what_is_told(running: tuple[Site, Resident]) -> None:
    made, resident = running
    mark = len(made.ledger)
    made.until("not beating", lambda: not made.lab.plug_state("plug", "Heartbeat Switch"))
    begun = time.monotonic()
    made.until("heard again", lambda: made.lab.plug_state("plug", "Heartbeat Switch"))
    resident.kill()
    event = made.event("drift", "pi was switched off")
    assert event["text"] == "pi was switched off by its outlet itself: the machine's heartbeat was missed"
    assert time.monotonic() - begun >= 2 * HEARTBEAT_S * SPEED
    seen = made.ledger.entries()[mark:]
    assert [entry.what for entry in seen if entry.kind == "plug"] == ["the machine's heartbeat was missed"]
    assert [entry for entry in seen if entry.kind == "set"] == []
    made.until_state(pi="OFF")
