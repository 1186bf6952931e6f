"""The real GUI on a real daemon on the virtual lab, with WebTest in place of a browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyramid.router import Router
from webtest import TestApp

from e2e import PATIENCE_S, Daemon, rack
from ockle.simulator.lab import Lab
from ockle.simulator.site_writer import write_site
from ockle.webserver.application import make_app
from ockle.webserver.ockle_client.connection import Connection
from ockle.webserver.security import SESSION_COOKIE
from ockle.webserver.settings import WebSettings

TOKENS = {role: f"token-of-{role}-0123456789" for role in ("viewer", "operator", "admin")}
SPEED = 0.1


@dataclass
class WebSite:
    """``router``: the application, made once; its ``registry.link`` follows the daemon."""

    lab: Lab
    etc: Path
    daemon: Daemon
    settings: WebSettings
    router: Router

    def browser(self, role: str = "") -> TestApp:
        """Return a browser that is logged in with the token of ``role``."""
        app = TestApp(self.router, extra_environ={"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "ockle.test:80"})
        if role:
            app.set_cookie(SESSION_COOKIE, TOKENS[role])
        return app

    def client(self, role: str = "admin") -> Connection:
        """Return a connection past the GUI."""
        return Connection("127.0.0.1", self.daemon.port, token=TOKENS[role])

    def settled(self, state: str, *names: str) -> None:
        """Wait until the GUI's snapshot shows these servers (all if none are named) in a state."""
        deadline = time.monotonic() + PATIENCE_S
        snapshot = self.router.registry.link.snapshot
        while True:
            servers = snapshot.servers
            if servers and all(servers[name]["state"] == state for name in names or servers):
                return
            left = deadline - time.monotonic()
            assert left > 0, {name: server["state"] for name, server in servers.items()}
            snapshot = self.router.registry.link.wait_changed(snapshot.tag, left)


Sections = Mapping[str, Mapping[str, str | list[str]]]


@contextmanager
def web_site(
    folder: Path, settings: Sections | None = None, prepare: Callable[[Path], object] = lambda _etc: None
) -> Iterator[WebSite]:
    """Yield the site with all servers off; its files are below ``folder``.

    ``settings``  further sections of config.ini
    ``prepare``   is called with the folder of the configuration before the daemon starts
    """
    with ExitStack() as stack:
        lab = stack.enter_context(Lab(rack(SPEED)))
        write_site(
            lab,
            folder / "etc",
            settings={
                "main": {"state_dir": str(folder / "state"), "poll_interval": "1s", "test_interval": "1s"},
                "plugins.SocketListener": {
                    "port": "0",
                    "local_role": "none",
                    **{f"{role}_token": token for role, token in TOKENS.items()},
                },
                "plugins.AutoControl": {"enabled": "false"},
                "web": {"grace": "2s", "wall": "true"},
                "plugins.Logger": {"interval": "1s", "write_every": "1s"},
                **(settings or {}),
            },
        )
        prepare(folder / "etc")
        daemon = Daemon(folder / "etc").ready()
        stack.callback(daemon.stop)
        web = WebSettings(daemon={"host": "127.0.0.1", "port": daemon.port}, token=TOKENS["viewer"], grace=0.2)
        router = make_app(web)
        stack.callback(router.registry.link.stop)
        found = WebSite(lab, folder / "etc", daemon, web, router)
        found.settled("OFF")
        yield found
