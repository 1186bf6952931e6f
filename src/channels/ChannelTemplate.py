"""ChannelTemplate: what every channel is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..common.alert_message import AlertMessage
from ..common.errors import DeviceAnswerError, DeviceRefused, DeviceUnreachable
from ..common.logs import register_secret
from ..common.services import DaemonServices


class TryLater(DeviceUnreachable):
    """The receiver wants to be left alone for ``after`` seconds."""

    def __init__(self, text: str, after: float) -> None:
        super().__init__(text)
        self.after = after


class MessageRefused(DeviceAnswerError):
    """The receiver does not take this message; another one it may."""


class ChannelTemplate:
    """A way to send alerts. Extend ``send``; a constructor never talks to anything.

    All coroutines run on an event loop of the alerts' own, so a channel that is slow delays no device. They are
    cancelled when they take much longer than ``timeout``.
    """

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self.name = name
        self.settings = settings

    @property
    def timeout(self) -> float:
        """Seconds that sending a message may take."""
        return float(self.settings["timeout"])

    def secret(self, option: str) -> str:
        """Return the text of a secret option, stripped; from now on log lines show ``***`` instead.

        Raises DeviceRefused when its ``${file:…}`` or ``${env:…}`` cannot be resolved any more.
        """
        try:
            text: str = self.settings[option].reveal().strip()
        except ValueError as error:
            raise DeviceRefused(f"{option}: {error}") from error
        register_secret(text)
        return text

    async def open(self, services: DaemonServices) -> None:
        """Called once before the first message, for channels that keep a connection; must not wait for it.

        Raises as ``send`` does; it is then called again later.
        """

    async def send(self, message: AlertMessage) -> str | None:
        """Send a message; it has been delivered when this returns, perhaps with what the receiver said to it.

        Raises, with what the message of the error says first being where it was sent to:
        DeviceUnreachable, DeviceAnswerError  it is tried again, at growing distances; TryLater: not before that
        DeviceRefused                         somebody has to change something first; it is tried again rarely
        MessageRefused                        tried a few times, then the next message has its turn
        """
        raise NotImplementedError

    async def close(self) -> None:
        """Called once at the end."""
