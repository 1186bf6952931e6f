"""What a plan shows is what is done: random networks, states and orders, by the addresses that a program uses."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from webtest import TestApp

from e2e import PATIENCE_S, Daemon
from ockle.webserver.application import make_app
from ockle.webserver.settings import WebSettings

TOKEN = "token-of-a-program-0123456789"
SERVER = """[server]
dependencies = {needs}
outlets = plug
controls = hand
halt_grace = 0s
[plug]
pdu = strip
min_off_time = 0s
max_per_minute = 0
[hand]
controller = hand
"""
FILES = {
    "config.ini": f"""[main]
state_dir = {{state}}
poll_interval = 200ms
[plugins]
plugins = SocketListener, CoreCommunicationCommands, EditingCommunicationCommands, AutoControl
[plugins.SocketListener]
port = 0
local_role = none
admin_token = {TOKEN}
[plugins.AutoControl]
enabled = false
""",
    "outlets/strip.ini": "[pdu]\ntype = Dummy\n",
    "controllers/hand.ini": "[controller]\ntype = Dummy\n",
}
NUMBERS = count()


class Client:
    """Asks as a program does, and waits for what it ordered."""

    def __init__(self, app: TestApp) -> None:
        self._app = app
        self._headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        self._known: list[str] = []

    def get(self, path: str) -> Any:
        return self._app.get(f"/api/v1{path}", headers=self._headers).json

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self._app.post(f"/api/v1{path}", json.dumps(body).encode(), self._headers).json

    def configure(self, needs: dict[str, list[str]]) -> None:
        """Have these servers and no others, all of them seen to be off."""
        files: dict[str, str | None] = {f"servers/{name}.ini": None for name in self._known}
        files |= {f"servers/{name}.ini": SERVER.format(needs=", ".join(needed) + ",") for name, needed in needs.items()}
        assert self.post("/config/apply", {"files": files})["reload"] == "done"
        self._known = list(needs)
        self.until(lambda servers: {server["word"] for server in servers.values()} == {"off"})

    def until(self, holds: Any) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            servers: dict[str, Any] = self.get("/servers")["servers"]
            if holds(servers):
                return servers
            assert time.monotonic() < deadline, {name: server["state"] for name, server in servers.items()}

    def run(self, plan: dict[str, Any]) -> dict[str, Any]:
        number = self.post(f"/plans/{plan['id']}/run", {"confirm": plan["confirm"]})["run"]
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found: dict[str, Any] = self.get(f"/runs/{number}?log=true")
            if found["state"] != "running":
                return found
            assert time.monotonic() < deadline, found


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder: Path = tmp_path_factory.mktemp("preview")
    for name, text in FILES.items():
        path = folder / "etc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("{state}", str(folder / "state")))
    daemon = Daemon(folder / "etc").ready()
    router = make_app(WebSettings(daemon={"host": "127.0.0.1", "port": daemon.port}, token=TOKEN))
    yield Client(TestApp(router, extra_environ={"HTTP_HOST": "ockle.test"}))
    router.registry.link.stop()
    daemon.stop()


@st.composite
def networks(draw: st.DrawFn) -> dict[str, list[str]]:
    """A random DAG; the names are new with each, so that no server is taken for an older one."""
    example = next(NUMBERS)
    names = [f"s{example}-{number}" for number in range(draw(st.integers(1, 6)))]
    return {
        name: draw(st.lists(st.sampled_from(names[:place]), max_size=3, unique=True)) if place else []
        for place, name in enumerate(names)
    }


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(networks(), st.data())
def test_the_previewed_steps_are_the_executed_steps(client: Client, needs: dict[str, list[str]], data: Any) -> None:
    one = st.sampled_from(sorted(needs))
    before = data.draw(st.lists(one, unique=True), label="on before")
    action = data.draw(st.sampled_from(["on", "off", "restart", "cut"]), label="action")
    targets = data.draw(st.lists(one, unique=True, min_size=1), label="targets")
    exclude = data.draw(st.lists(one, max_size=1), label="excluded")
    client.configure(needs)
    if before:
        client.run(client.post("/plans", {"action": "on", "servers": before}))
    plan = client.post("/plans", {"action": action, "servers": targets, "exclude": exclude})
    was = {name: server["word"] for name, server in client.get("/servers")["servers"].items()}
    run = client.run(plan)

    previewed = [(step["server"], "off" if step["action"] == "cut" else step["action"]) for step in plan["steps"]]
    switched = [(sent["server"], sent["verb"]) for sent in run["log"] if sent["verb"] in ("on", "off")]
    assert sorted(switched) == sorted(previewed)
    assert {step["state"] for step in run["steps"]} <= {"done"}
    place = {one: number for number, one in enumerate(switched)}
    for step in plan["steps"]:  # and in an order that the plan allows
        verb = "off" if step["action"] == "cut" else step["action"]
        for needed in step["needs"]:
            assert place[needed, verb] < place[step["server"], verb]
    after = {name: server["word"] for name, server in client.get("/servers")["servers"].items()}
    last = dict(previewed)
    assert after == {name: last.get(name, was[name]) for name in after}
    assert not set(exclude) & {name for name, _verb in previewed}
