"""A daemon on dummies whose network a test changes as it likes, and a program that asks the REST interface."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from webtest import TestApp

from e2e import PATIENCE_S, Daemon
from ockle.webserver.application import make_app
from ockle.webserver.security import SESSION_COOKIE
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
plugins = SocketListener, CoreCommunicationCommands, EditingCommunicationCommands, AutoControl, Logger
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


def _server(needed: list[str]) -> str:
    return SERVER.format(needs="".join(f'"{name}", ' for name in needed) or ",")


class Client:
    """Asks as a program does, and waits for what it ordered."""

    def __init__(self, app: TestApp) -> None:
        self._app = app
        self.router = app.app
        self._headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        self._known: list[str] = []

    def get(self, path: str) -> Any:
        return self._app.get(f"/api/v1{path}", headers=self._headers).json

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self._app.post(f"/api/v1{path}", json.dumps(body).encode(), self._headers).json

    def browser(self) -> TestApp:
        """Return a browser that has logged in with the same token."""
        app = TestApp(self.router, extra_environ={"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "ockle.test:80"})
        app.set_cookie(SESSION_COOKIE, TOKEN)
        return app

    def configure(self, needs: Mapping[str, list[str]]) -> None:
        """Have these servers and no others, all of them seen to be off."""
        files: dict[str, str | None] = {f"servers/{name}.ini": None for name in self._known}
        files |= {f"servers/{name}.ini": _server(needed) for name, needed in needs.items()}
        assert self.post("/config/apply", {"files": files})["reload"] == "done"
        self._known = list(needs)
        self.until(lambda servers: {server["word"] for server in servers.values()} == {"off"})
        self.until(
            lambda servers: servers.keys() == needs.keys(), "/state"
        )  # so do the pages, which see it a bit later

    def until(self, holds: Callable[[dict[str, Any]], bool], path: str = "/servers") -> dict[str, Any]:
        """Return what ``path`` says of the servers as soon as it ``holds``."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            servers: dict[str, Any] = self.get(path)["servers"]
            if holds(servers):
                return servers
            assert time.monotonic() < deadline, servers

    def run(self, plan: dict[str, Any]) -> dict[str, Any]:
        number = self.post(f"/plans/{plan['id']}/run", {"confirm": plan["confirm"]})["run"]
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found: dict[str, Any] = self.get(f"/runs/{number}?log=true")
            if found["state"] != "running":
                return found
            assert time.monotonic() < deadline, found


@contextmanager
def dummy_site(folder: Path) -> Iterator[Client]:
    """Yield a program that talks to the GUI of a daemon without servers; its files are below ``folder``."""
    for name, text in FILES.items():
        path = folder / "etc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("{state}", str(folder / "state")))
    daemon = Daemon(folder / "etc").ready()
    router = make_app(WebSettings(daemon={"host": "127.0.0.1", "port": daemon.port}, token=TOKEN, grace=0.0))
    try:
        yield Client(TestApp(router, extra_environ={"HTTP_HOST": "ockle.test"}))
    finally:
        router.registry.link.stop()
        daemon.stop()
