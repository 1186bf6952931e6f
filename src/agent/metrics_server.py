"""``GET /events``: tells whoever asks what this machine measures of itself. Hostile clients cost a few connections."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Any

from ..common.errors import OckleError
from ..common.oserrors import reason
from .settings import MetricsSettings

log = logging.getLogger(__name__)

PATHS = ("/events", "/event")
"""The first is that of piman's documentation, the second that of its program."""
RETRY_S = 30.0
MOST_CLIENTS = 50
IDLE_S = 10
"""A client that says nothing for so long is dropped."""
MOST_HEAD, MOST_BODY = 8192, 1024

Read = Callable[[], dict[str, Any]]
Start = Callable[[str, list[tuple[str, str]]], object]


class NotServed(OckleError):
    """The port cannot be had, or the library is missing."""


def make_app(read: Read, token: str) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    """Return the WSGI application (PEP 3333). ``token``: what has to be sent as a bearer token, "" = nothing."""

    def answer(start: Start, status: str, body: dict[str, Any], *more: tuple[str, str]) -> Iterable[bytes]:
        text = json.dumps(body).encode() + b"\n"
        start(status, [("Content-Type", "application/json"), ("Content-Length", str(len(text))), *more])
        return [text]

    def app(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        if environ["PATH_INFO"].rstrip("/") not in PATHS:
            return answer(start, "404 Not Found", {"error": "there is only /events"})
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return answer(start, "405 Method Not Allowed", {"error": "GET only"}, ("Allow", "GET, HEAD"))
        given = environ.get("HTTP_AUTHORIZATION", "").encode("latin-1", "replace")
        if token and not hmac.compare_digest(given, f"Bearer {token}".encode()):
            error = {"error": "a bearer token is needed, the one of agent.ini"}
            return answer(start, "401 Unauthorized", error, ("WWW-Authenticate", "Bearer"))
        return answer(start, "200 OK", read(), ("Cache-Control", "no-store"))

    return app


class MetricsServer:
    """Serves in threads of its own, all of them daemons: none keeps the agent from watching its plug, or from ending.

    ``problem``  why it does not serve, "" while it does
    """

    def __init__(self, settings: MetricsSettings, read: Read) -> None:
        self._settings, self._read = settings, read
        self._close: Callable[[], None] | None = None
        self.problem = ""

    @property
    def where(self) -> str:
        return f"{self._settings.address or '*'}:{self._settings.port}"

    def open(self) -> int:
        """Begin to serve; return the port. Raises NotServed."""
        try:
            from waitress.server import create_server
        except ImportError as error:
            raise NotServed("waitress is not installed: pip install 'ockle[agent]'") from error
        try:
            listening = _listening(self._settings.address, self._settings.port)
        except OSError as error:
            raise NotServed(f"[metrics] cannot listen on {self.where}: {reason(error)}") from error
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a busy client is no news
        channels: dict[int, Any] = {}
        server: Any = create_server(
            make_app(self._read, self._settings.token),
            map=channels,
            sockets=[listening],
            threads=self._settings.threads,
            connection_limit=MOST_CLIENTS,
            channel_timeout=IDLE_S,
            cleanup_interval=IDLE_S // 2,
            max_request_header_size=MOST_HEAD,
            max_request_body_size=MOST_BODY,
            asyncore_use_poll=True,
            clear_untrusted_proxy_headers=True,
            expose_tracebacks=False,
            ident=None,
        )
        threading.Thread(target=server.run, name="metrics", daemon=True).start()

        def close() -> None:
            def all_of_it() -> None:
                for channel in list(channels.values()):
                    channel.close()

            server.trigger.pull_trigger(all_of_it)
            server.task_dispatcher.shutdown(timeout=1)

        self._close = close
        return int(listening.getsockname()[1])

    def close(self) -> None:
        if self._close is not None:
            self._close()
            self._close = None

    async def keep_open(self) -> None:
        """Begin to serve, sooner or later: what is in the way is told once, and waited for."""
        while True:
            try:
                self.open()
            except NotServed as error:
                if str(error) != self.problem:
                    log.error("%s; tried again", error)
                self.problem = str(error)
                await asyncio.sleep(RETRY_S)
            else:
                log.info("the figures of this machine are at http://%s%s", self.where, PATHS[0])
                self.problem = ""
                return


def _listening(address: str, port: int) -> socket.socket:
    if not address and socket.has_dualstack_ipv6():
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    family = socket.getaddrinfo(address or "0.0.0.0", port, type=socket.SOCK_STREAM)[0][0]  # noqa: S104 - as it is told
    return socket.create_server((address, port), family=family)
