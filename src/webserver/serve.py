"""Serves the web GUI by waitress until it is asked to stop."""

from __future__ import annotations

import argparse
import logging
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from pyramid.router import Router
from waitress.server import BaseWSGIServer, MultiSocketServer, create_server

from ..common.errors import ConfigError, OckleError
from ..config.paths import find_etc
from .application import make_app
from .daemon import open_connection
from .limits import LARGEST_BODY
from .ockle_client.connection import ClientError, ConnectionFailed
from .settings import WebSettings, read_settings

log = logging.getLogger(__name__)

PATIENCE_S, RETRY_S = 30.0, 0.5
"""How long a daemon that does not answer is waited for, and how often it is asked meanwhile."""


def make_server(app: Router, settings: WebSettings) -> MultiSocketServer | BaseWSGIServer:
    """Return a server that listens. Raises ConfigError for an address that cannot be had."""
    proxy: dict[str, Any] = {}
    if settings.trusted_proxy:
        headers = "x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded-port"
        proxy = {"trusted_proxy": settings.trusted_proxy, "trusted_proxy_headers": headers}
    try:
        return create_server(
            app,
            host=settings.host,
            port=settings.port,
            threads=settings.threads,
            url_prefix=settings.url_prefix,
            # the default of 100 lets the hundredth browser wait for another to leave
            connection_limit=1000,
            asyncore_use_poll=True,
            channel_timeout=30,
            max_request_body_size=LARGEST_BODY,
            expose_tracebacks=False,
            clear_untrusted_proxy_headers=True,
            ident=None,
            **proxy,
        )
    except (OSError, ValueError) as error:
        where = f"{settings.host}:{settings.port}"
        why = getattr(error, "strerror", None) or error
        raise ConfigError(f"config.ini: [web] cannot listen on {where}: {why}; choose another host or port") from error


def address(server: MultiSocketServer | BaseWSGIServer, settings: WebSettings) -> str:
    """Return the URL under which the GUI is found."""
    # a name that has several addresses gets a socket for each, on the same port
    several = isinstance(server, MultiSocketServer)
    port: int = server.effective_listen[0][1] if several else server.effective_port  # type: ignore[union-attr]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{port}{settings.url_prefix}/"


def check_users(settings: WebSettings, patience_s: float = PATIENCE_S) -> None:
    """Raise ConfigError when other machines could reach the GUI while there is no user who could keep them out.

    A daemon that is just starting is waited for.
    """
    if settings.is_loopback:
        return
    deadline = time.monotonic() + patience_s
    connection = open_connection(settings, settings.token, "web")
    try:
        while True:
            try:
                needed = connection.call("setupState")["needed"]
                break
            except (ConnectionFailed, ClientError) as error:
                if isinstance(error, ClientError) or time.monotonic() > deadline:
                    why = f"whether there is a user yet, only the daemon knows: {error}"
                    raise ConfigError(f"config.ini: [web] host = {settings.host}: {why}") from error
                time.sleep(RETRY_S)
    finally:
        connection.close()
    if needed:
        raise ConfigError(
            f"config.ini: [web] host = {settings.host}: until there is a user the GUI serves this machine only; "
            "make one first: ockle user add NAME --role admin"
        )


def serve(settings: WebSettings, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; ``ready`` is called with the URL. Raises ConfigError."""
    check_users(settings)
    app = make_app(settings)
    try:
        server = make_server(app, settings)
        stopped = threading.Event()

        def stop(_number: int, _frame: FrameType | None) -> None:
            if stopped.is_set():
                return
            stopped.set()
            raise KeyboardInterrupt

        signal.signal(signal.SIGTERM, stop)
        ready(address(server, settings))
        try:
            server.run()
        except KeyboardInterrupt:
            pass
        finally:
            server.close()
    finally:
        app.registry.link.stop()


def main() -> int:
    """Run the GUI from the command line, as ``python src/webserver/application.py`` does."""
    parser = argparse.ArgumentParser(prog="application.py", description="The web GUI of Ockle; see also: ockle web")
    parser.add_argument("--etc", help="folder of the configuration, whose [web] section counts")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        serve(read_settings(find_etc(options.etc)), lambda url: print(f"the GUI is at {url}", flush=True))
    except OckleError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    return 0
