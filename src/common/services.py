"""What the daemon offers to plugins, so that they need not import it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from .clock import Clock
from .CommunicationHandler import CommunicationHandler
from .events import EventBus


class DaemonServices(Protocol):
    """The Main Daemon as plugins see it.

    ``network``  the ServerNetwork; ``engine`` the executor; ``etc`` the folder of the configuration
    """

    communicationHandler: CommunicationHandler
    events: EventBus
    clock: Clock
    network: Any
    engine: Any
    etc: Path

    def plugin_settings(self, name: str) -> Mapping[str, Any]:
        """Return the typed options of the plugin ``name``, defaults filled in. Raises ConfigError."""

    def debug(self, message: str) -> None:
        """Write a line to the daemon's log, level DEBUG."""

    def reload(self, dataDict: dict[str, Any]) -> dict[str, Any]:
        """Apply the configuration as it is on disk now."""

    def shutdown(self) -> None:
        """Ask the daemon to stop."""
