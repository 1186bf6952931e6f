"""The daemon's users without its servers: real store, loop, registry, commands and listener, on a clock of the test."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from ockle.commands.users import UserCommands
from ockle.common.access import Caller, Grant
from ockle.common.CommunicationHandler import CommunicationHandler
from ockle.common.CommunicationMessage import Message
from ockle.common.device_loop import DeviceLoop
from ockle.common.events import EventBus
from ockle.common.services import DaemonServices
from ockle.config.templates import plugin_template
from ockle.plugins.SocketListener import SocketListener
from ockle.store.store import Store
from ockle.users.users import Users

GOOD = "correct horse battery"
OTHER = "staple, purple monkey"
LOCAL = Caller("root (local)", "admin", "cli", "127.0.0.1:5000")


class HandClock:
    """Time moves when the test says so."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return 1_767_225_600.0 + self.time

    def stamp(self) -> str:
        raise AssertionError("nobody asked for it")

    def since(self, stamp: str) -> float:
        raise AssertionError(stamp)

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


class UsersSite:
    """``switched``: what the operator command ``switch`` was called with."""

    def __init__(self, url: str) -> None:
        self.clock = HandClock()
        self.loop = DeviceLoop()
        self.switched: list[dict[str, Any]] = []
        self._url = url
        self._begin()

    def _begin(self) -> None:
        self.store = Store(self._url)
        self.store.open()
        self.users = Users(self.store, self.loop, self.clock)
        self.handler = CommunicationHandler(self)
        self.handler.access = self.users
        self.events = EventBus()
        self.services = SimpleNamespace(
            communicationHandler=self.handler, events=self.events, users=self.users, plugin_settings=self._settings
        )
        UserCommands(cast(DaemonServices, self.services))
        self.handler.AddCommandToList("look", dict, role="viewer")
        self.handler.AddCommandToList("switch", self._switch, role="operator", params={"server": "name"})
        self.handler.AddCommandToList("configure", dict, role="admin")
        self.users.open()

    def _switch(self, data: dict[str, Any]) -> dict[str, Any]:
        self.switched.append(data)
        return {"run": 7}

    def _settings(self, _name: str) -> Mapping[str, Any]:
        return {**plugin_template("SocketListener").defaults("plugins.SocketListener"), "port": 0, **self.options}

    options: Mapping[str, Any] = {}

    def restart(self) -> None:
        """End the daemon and start it again on the same store."""
        self._close_store()
        self._begin()

    def close(self) -> None:
        self._close_store()
        self.loop.stop()

    def _close_store(self) -> None:
        self.loop.call(self.store.close())

    # -- asking

    def send(self, command: str, caller: Caller = LOCAL, /, **data: Any) -> Message:
        return self.handler.handleMessage(Message(command, data), caller)

    def ok(self, command: str, caller: Caller = LOCAL, /, **data: Any) -> dict[str, Any]:
        reply = self.send(command, caller, **data)
        assert reply.error is None, reply.error
        return reply.data

    def refused(self, command: str, caller: Caller = LOCAL, /, **data: Any) -> tuple[str, str]:
        reply = self.send(command, caller, **data)
        assert reply.error is not None, reply.data
        return reply.error["code"], reply.error["message"]

    def as_user(self, secret: str, address: str = "192.0.2.7:4000") -> Caller:
        """Return the caller that a connection is which logged in with ``secret``."""
        grant = self.users.grant(secret)
        assert grant is not None
        return Caller(grant.name, grant.role, "gui", address, grant=grant)

    def granted(self, secret: str) -> Grant | None:
        return self.users.grant(secret)

    def login(self, name: str, password: str = GOOD, address: str = "192.0.2.7:4000") -> str:
        return str(self.ok("userLogin", Caller("", "", "gui", address), user=name, password=password)["session"])

    def entries(self, **data: Any) -> list[dict[str, Any]]:
        """Return the audit log, oldest first."""
        return list(reversed(self.ok("audit", **data)["entries"]))

    @contextmanager
    def listening(self, **options: Any) -> Iterator[SocketListener]:
        self.options = options
        listener = SocketListener(cast(DaemonServices, self.services))
        listener.start()
        try:
            assert listener.wait_listening(10), listener.failure
            yield listener
        finally:
            listener.stop()
            assert listener.join(10)


@contextmanager
def users_site(folder: Path) -> Iterator[UsersSite]:
    site = UsersSite(f"sqlite:///{folder / 'state.db'}")
    try:
        yield site
    finally:
        site.close()


def settle(site: UsersSite) -> None:
    """Wait until the writer has done what was asked of it so far."""
    site.loop.call(site.store.commit())
    site.store.read(lambda _connection: None)
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0), site.loop.loop).result(5)
