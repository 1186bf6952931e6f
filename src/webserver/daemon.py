"""Commands to the daemon, each with the rights of whoever asks: the daemon decides, and writes down who it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyramid.request import Request

from .ockle_client.connection import Connection
from .settings import WebSettings

CALL_S = 30.0


def open_connection(settings: WebSettings, token: str = "", user: str = "", via: str = "gui") -> Connection:
    """Return a connection that connects, and logs in with ``token``, at its first call."""
    where: Mapping[str, Any] = settings.daemon
    return Connection(**where, token=token, user=user, via=via, timeout=CALL_S)


class UserDaemon:
    """The daemon as one request sees it; the connection is made when it is needed first, and closed at the end."""

    def __init__(self, settings: WebSettings, token: str, user: str, via: str) -> None:
        self._made = open_connection(settings, token, user, via)

    def call(self, command: str, data: dict[str, Any] | None = None, timeout: float = CALL_S) -> dict[str, Any]:
        """Send a command and return the data of its reply. Raises ClientError, ConnectionFailed; see errors.py."""
        return self._made.call(command, data, timeout)

    def close(self) -> None:
        self._made.close()


def request_daemon(request: Request) -> UserDaemon:
    """Return ``request.daemon``; without a login it has the rights that the daemon gives to anybody."""
    who = request.identity
    settings: WebSettings = request.registry.web_settings
    token, name = (who.token, who.name) if who else ("", "")
    daemon = UserDaemon(settings, token, name, "socket" if request.path_info.startswith("/api/") else "gui")
    request.add_finished_callback(lambda _request: daemon.close())
    return daemon
