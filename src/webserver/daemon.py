"""Commands to the daemon, each with the rights of whoever asks: the daemon decides, and writes down who it was."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from pyramid.request import Request

from .ockle_client.connection import Connection
from .settings import WebSettings

CALL_S = 30.0
SILENT_CALL_S = 5.0
"""The same while the daemon has not said anything for some seconds: requests that wait for it must not pile up."""


def open_connection(
    settings: WebSettings,
    token: str = "",
    user: str = "",
    via: str = "gui",
    address: str = "",
    timeout: float = CALL_S,
    role: str = "",
) -> Connection:
    """Return a connection that connects, and logs in with ``token``, at its first call.

    ``address``  where the browser or program is for which it asks
    ``role``     the most that it may do
    """
    where: Mapping[str, Any] = settings.daemon
    return Connection(**where, token=token, user=user, via=via, address=address, timeout=timeout, role=role)


class UserDaemon:
    """The daemon as one request sees it; the connection is made when it is needed first, and closed at the end."""

    def __init__(
        self,
        settings: WebSettings,
        token: str,
        user: str,
        via: str,
        address: str,
        role: str,
        longest: float = float("inf"),
    ) -> None:
        self._made = open_connection(settings, token, user, via, address, min(CALL_S, longest), role)
        self._longest = longest

    def call(self, command: str, data: dict[str, Any] | None = None, timeout: float = CALL_S) -> dict[str, Any]:
        """Send a command and return the data of its reply. Raises ClientError, ConnectionFailed; see errors.py."""
        return self._made.call(command, data, min(timeout, self._longest))

    def close(self) -> None:
        self._made.close()


def request_daemon(request: Request) -> UserDaemon:
    """Return ``request.daemon``, which may no more than whoever asks, also where the GUI itself may.

    That is so where the daemon trusts this machine, or the GUI's token, and the GUI lets others look.
    """
    who = request.identity
    settings: WebSettings = request.registry.web_settings
    token, name = (who.token, who.name) if who else ("", "")
    via = "api" if is_for_programs(request) else "gui"
    longest = SILENT_CALL_S if request.snapshot.stale else float("inf")
    daemon = UserDaemon(settings, token, name, via, client_address(request), who.role if who else "viewer", longest)
    request.add_finished_callback(lambda _request: daemon.close())
    return daemon


def ask_as_gui(
    request: Request, command: str, data: dict[str, Any] | None = None, timeout: float = CALL_S
) -> dict[str, Any]:
    """Send a command that anybody may send, for somebody who has not logged in. Raises as ``UserDaemon.call``."""
    settings: WebSettings = request.registry.web_settings
    longest = min(timeout, SILENT_CALL_S) if request.snapshot.stale else timeout
    connection = open_connection(settings, settings.token, "web", address=client_address(request), timeout=longest)
    try:
        return connection.call(command, data)
    finally:
        connection.close()


def is_for_programs(request: Request) -> bool:
    """Whether the address that was asked for is no page: programs want JSON, and no form to log in."""
    return request.path_info.startswith(("/api/", "/grafana")) or request.path_info == "/metrics"


def client_address(request: Request) -> str:
    """Return the IP address of the browser, "" where there is none, as behind a Unix socket."""
    try:
        return str(ipaddress.ip_address(request.remote_addr or ""))
    except ValueError:
        return ""
