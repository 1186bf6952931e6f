"""The daemon's services around a folder with the example site, and the commands that edit it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ockle.common.clock import Clock, SystemClock
from ockle.common.CommunicationHandler import Caller, CommunicationHandler
from ockle.common.CommunicationMessage import Message
from ockle.common.device_loop import shared_loop
from ockle.common.errors import ConfigError
from ockle.common.events import EventBus
from ockle.config.templates import plugin_template
from ockle.networkTree.plan import Expected, expected_seconds
from ockle.networkTree.ServerNetwork import ServerNetwork
from ockle.plugins.EditingCommunicationCommands import EditingCommunicationCommands

EXAMPLE = Path(__file__).parents[1] / "etc"
VIEWER = Caller("vera", "viewer", "gui")
ADMIN = Caller("anna", "admin", "cli")
SECRETS = ("rack-a", "rack-b", "private@9")
"""The literal secrets of the example site that stand nowhere else in it."""


class Engine:
    """What the commands ask of the engine; nothing is ever learned here. ``names`` keeps what was announced."""

    def __init__(self) -> None:
        self.durations = self.names = self
        self.network = ()
        self.announced: list[dict[str, str]] = []

    def expect(self, network: ServerNetwork, server: str, action: str) -> Expected:
        return expected_seconds(network.getServernode(server), action)

    async def announce(self, renamed: dict[str, str]) -> None:
        self.announced.append(renamed)

    async def settle(self) -> None:
        """There is no store."""

    async def take_back(self, renamed: dict[str, str]) -> None:
        self.announced.remove(renamed)


class Services:
    """``reloads`` counts; ``busy`` is why a reload is refused, "" for never."""

    def __init__(self, etc: Path) -> None:
        self.communicationHandler = CommunicationHandler(self)
        self.events = EventBus()
        self.clock: Clock = SystemClock()
        self.device_loop = shared_loop()
        self.network: Any = ()
        self.engine: Any = Engine()
        self.site: Any = None
        self.users: Any = None
        self.etc = etc
        self.reloads = 0
        self.busy = ""

    def plugin_settings(self, name: str) -> Mapping[str, Any]:
        return plugin_template(name).defaults(f"plugins.{name}")

    def debug(self, message: str) -> None:
        raise AssertionError(message)

    def reload(self, dataDict: dict[str, Any], renamed: Mapping[str, str] | None = None) -> dict[str, Any]:
        self.reloads += 1
        if self.busy:
            raise ConfigError(self.busy)
        return dataDict

    def getAvailablePluginsListIndex(self, dict: dict[str, Any] = {}) -> dict[str, str]:  # noqa: B006 - documented
        raise AssertionError(dict)

    def waiting_for_restart(self) -> list[dict[str, str]]:
        return []

    def plugin_states(self) -> dict[str, str]:
        raise AssertionError("nobody asked for it")

    def shutdown(self, restart: bool = False) -> None:
        raise AssertionError(restart)


class Editing:
    """An example site of its own with the plugin on it."""

    def __init__(self, folder: Path) -> None:
        self.etc = folder / "etc"
        shutil.copytree(EXAMPLE, self.etc)
        self.services = Services(self.etc)
        self.plugin = EditingCommunicationCommands(self.services)

    def send(self, command: str, caller: Caller = ADMIN, **data: Any) -> Message:
        return self.services.communicationHandler.handleMessage(Message(command, data), caller)

    def ok(self, command: str, caller: Caller = ADMIN, **data: Any) -> dict[str, Any]:
        reply = self.send(command, caller, **data)
        assert reply.error is None, reply.error
        return reply.data

    def refused(self, command: str, caller: Caller = ADMIN, **data: Any) -> tuple[str, str]:
        """Return code and text of the refusal, and make sure that no file changed."""
        before = self.texts()
        reply = self.send(command, caller, **data)
        assert reply.error is not None, reply.data
        assert self.texts() == before
        return reply.error["code"], reply.error["message"]

    def texts(self) -> dict[str, str]:
        paths = sorted(path for path in self.etc.rglob("*") if path.is_file())
        return {path.relative_to(self.etc).as_posix(): path.read_bytes().decode("utf-8", "replace") for path in paths}

    def text(self, file: str) -> str:
        return (self.etc / file).read_text("utf-8")
