"""ChannelTemplate: what every channel is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..common.alert_message import AlertMessage
from ..common.services import DaemonServices


class ChannelTemplate:
    """A way to send alerts. Extend ``send``; a constructor never talks to anything.

    All coroutines run on an event loop of the alerts' own, so a channel that is slow delays no device. They are
    cancelled when they take too long.
    """

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self.name = name
        self.settings = settings

    async def open(self, services: DaemonServices) -> None:
        """Called once before the first message, for channels that keep a connection; must not wait for it."""

    async def send(self, message: AlertMessage) -> None:
        """Send a message; it has been delivered when this returns.

        Raises DeviceUnreachable or DeviceAnswerError when it may work later, DeviceRefused when somebody has to change
        something first.
        """
        raise NotImplementedError

    async def close(self) -> None:
        """Called once at the end."""
