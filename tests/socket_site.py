"""A SocketListener on a free port with a registry of a few small commands, for tests of the socket protocol."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from ockle.common.CommunicationHandler import CommunicationHandler, current_caller
from ockle.common.errors import CommandError
from ockle.common.events import EventBus
from ockle.common.services import DaemonServices
from ockle.config.references import Secret
from ockle.config.templates import plugin_template
from ockle.plugins.SocketListener import SocketListener
from ockle.webserver.ockle_client.connection import Connection

TOKENS = {"viewer": "see", "operator": "switch", "admin": "all"}


class Services:
    """The daemon's services as the listener needs them: real registry, real bus, settings as a site would have them."""

    def __init__(self, **settings: object) -> None:
        self.communicationHandler = CommunicationHandler(self)
        self.events = EventBus()
        self.hold = threading.Event()
        self._settings = {**plugin_template("SocketListener").defaults("plugins.SocketListener"), "port": 0, **settings}
        add = self.communicationHandler.AddCommandToList
        add("echo", dict, role="viewer")
        add("caller", self._caller, role="viewer")
        add("wait", self._wait, role="viewer")
        add("switch", dict, role="operator")
        add("refuse", self._refuse, role="viewer")
        add("break", self._break, role="viewer")
        add("big", lambda data: {"text": "x" * data["size"]}, role="viewer")

    def plugin_settings(self, name: str) -> Mapping[str, Any]:
        assert name == "SocketListener"
        return self._settings

    def _caller(self, _data: dict[str, Any]) -> dict[str, Any]:
        caller = current_caller()
        return {"name": caller.name, "role": caller.role, "via": caller.via, "address": caller.address}

    def _wait(self, _data: dict[str, Any]) -> dict[str, Any]:
        return {"released": self.hold.wait(20)}

    def _refuse(self, _data: dict[str, Any]) -> dict[str, Any]:
        raise CommandError("no", "conflict")

    def _break(self, _data: dict[str, Any]) -> dict[str, Any]:
        raise ZeroDivisionError


def make_listener(services: Services) -> SocketListener:
    """Return a listener that is not started; of the daemon's many services it uses those that Services has."""
    return SocketListener(cast(DaemonServices, services))


@contextmanager
def listening(**settings: object) -> Iterator[tuple[Services, SocketListener]]:
    services = Services(**settings)
    listener = make_listener(services)
    listener.start()
    try:
        assert listener.wait_listening(10), listener.failure
        yield services, listener
    finally:
        services.hold.set()
        listener.stop()
        assert listener.join(10)


def port_of(listener: SocketListener) -> int:
    return int(listener.address.rpartition(":")[2])


def connect(listener: SocketListener, **options: Any) -> Connection:
    return Connection("127.0.0.1", port_of(listener), **options)


def until_refused(port: int) -> None:
    """Wait until nobody listens any more."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 10).close()
        except OSError:
            return
        time.sleep(0.01)
    raise AssertionError(f"port {port} still takes connections")


def raw(listener: SocketListener) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port_of(listener)), 10)


def tokens(**only: str) -> dict[str, Secret]:
    return {f"{role}_token": Secret(token) for role, token in (only or TOKENS).items()}


def read_line(link: socket.socket) -> bytes:
    """Return the next line without its newline; b"" at the end of the connection."""
    with link.makefile("rb", buffering=0) as stream:
        return stream.readline().rstrip(b"\n")
