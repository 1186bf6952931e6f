"""The socket on which command line, web server and scripts reach the daemon."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from typing_extensions import override

from ..common.CommunicationHandler import ROLES
from ..common.errors import CommandError, ConfigError
from ..common.services import DaemonServices
from ..common.socket_server import ServerSettings, SocketServer
from .ModuleTemplate import ModuleTemplate

# Each connection answers these itself; they are registered so that listCommands and the reference know them.
_CONNECTION_COMMANDS = {
    "login": (
        {
            "token?": "secret of the configuration, of userLogin, or of tokenAdd",
            "via?": "cli, gui, api or socket",
            "user?": "who it is for the records, where the token does not tell",
            "address?": "for a web server: where its client is, for the records",
        },
        "Take the role of a token for this connection; returns role, name, and user if it is one's token.",
    ),
    "subscribe": (
        {"kinds?": "list of kinds of event", "server?": "name", "since_seq?": "number of the last event known"},
        "Stream events on this connection; returns seq, the number of the newest event.",
    ),
    "unsubscribe": ({}, "End the stream of events on this connection."),
    "ping": ({}, "Tell that the daemon is there; returns its time."),
}


def _only_on_a_connection(_data: dict[str, Any]) -> dict[str, Any]:
    raise CommandError("this command concerns a connection to the socket; here is none", "refused")


class SocketListener(ModuleTemplate):
    """Listens on TCP and, when configured, on a Unix socket, with an event loop in the plugin's thread.

    ``address``  what it listens on, such as ``127.0.0.1:8088``; "" while it does not
    """

    def __init__(self, MainDaemon: DaemonServices) -> None:  # noqa: N803 - documented name
        super().__init__(MainDaemon)
        self.address = ""
        self._settled = threading.Event()
        self._server: SocketServer | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave: asyncio.Event | None = None
        commands = MainDaemon.communicationHandler
        commands.AddCommandToList("who", self.who, role="viewer", doc="List connected clients.")
        for name, (params, doc) in _CONNECTION_COMMANDS.items():
            commands.AddCommandToList(name, _only_on_a_connection, role="viewer", params=params, doc=doc)

    def who(self, _data: dict[str, Any]) -> dict[str, Any]:
        """Return ``clients``: for each name, role, address, via, since (1970 seconds) and subscribed."""
        return {"clients": self._server.clients() if self._server else []}

    def wait_listening(self, timeout: float) -> bool:
        """Wait until it listens or has failed to; True when it listens."""
        return self._settled.wait(timeout) and bool(self.address)

    @override
    def wait_ready(self, timeout: float) -> None:
        if not self._settled.wait(timeout):
            self._log.warning("not listening after %g s", timeout)

    @override
    def prepare(self) -> None:
        """Take the addresses before anything is switched; a daemon that nobody can reach does not start."""
        server = SocketServer(self.mainDaemon.communicationHandler, self.mainDaemon.events, self._settings())
        try:
            server.bind()
        except ConfigError as error:
            if self.getConfigVar("required"):
                raise
            self._log.warning("%s", error)
        else:
            self._server = server

    @override
    def run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self.address = ""
            self._settled.set()

    @override
    def stop(self) -> None:
        super().stop()
        loop, leave = self._loop, self._leave
        if loop is not None and leave is not None and not loop.is_closed():
            loop.call_soon_threadsafe(leave.set)

    async def _serve(self) -> None:
        self._loop, self._leave = asyncio.get_running_loop(), asyncio.Event()
        if self.stop_requested.is_set():  # asked before there was a loop to tell
            return
        handler, events = self.mainDaemon.communicationHandler, self.mainDaemon.events
        server = self._server = self._server or SocketServer(handler, events, self._settings())
        try:
            await server.start()
            self.address = server.addresses[0]
            self._settled.set()
            self._log.info("listening on %s", ", ".join(server.addresses))
            await self._leave.wait()
        finally:
            self._server = None
            await server.stop()

    def _settings(self) -> ServerSettings:
        option = self.getConfigVar
        role = option("local_role")
        return ServerSettings(
            host=option("host"),
            port=option("port"),
            unix_socket=str(option("unix_socket") or ""),
            tokens={role: option(f"{role}_token").reveal() for role in ROLES},
            local_role="" if role == "none" else role,
            tls_cert=str(option("tls_cert") or ""),
            tls_key=str(option("tls_key") or ""),
            max_message=option("max_message"),
            max_connections=option("max_connections"),
            read_timeout=option("read_timeout"),
        )
