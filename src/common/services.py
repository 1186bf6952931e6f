"""What the daemon offers to plugins, so that they need not import it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from .clock import Clock
from .CommunicationHandler import CommunicationHandler
from .device_loop import DeviceLoop
from .events import EventBus


class DaemonServices(Protocol):
    """The Main Daemon as plugins see it.

    ``network``  the ServerNetwork; ``engine`` the executor, to be used on the device loop only:
                 ``mainDaemon.device_loop.call(coroutine)``
    ``site``     the configuration as typed data; ``etc`` its folder
    ``users``    who may log in, and the audit log
    """

    communicationHandler: CommunicationHandler
    events: EventBus
    clock: Clock
    device_loop: DeviceLoop
    engine: Any
    site: Any
    users: Any
    etc: Path

    @property
    def network(self) -> Any: ...

    def plugin_settings(self, name: str) -> Mapping[str, Any]:
        """Return the typed options of the plugin ``name``, defaults filled in. Raises ConfigError."""

    def debug(self, message: str) -> None:
        """Write a line to the daemon's log, level DEBUG."""

    def reload(self, dataDict: dict[str, Any], renamed: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Apply the configuration as it is on disk now; ``renamed``: new name of a server -> the one that it had."""

    def waiting_for_restart(self) -> list[dict[str, str]]:
        """Return file, section and key of the options whose new values only a restart applies."""

    def shutdown(self, restart: bool = False) -> None:
        """Ask the daemon to stop, and to start anew if ``restart``."""

    def getAvailablePluginsListIndex(self, dict: dict[str, Any] = {}) -> dict[str, str]:  # noqa: B006 - documented
        """Return the available plugins: name -> description."""

    def plugin_states(self) -> dict[str, str]:
        """Return the loaded plugins: name -> "" or why it does not work."""
