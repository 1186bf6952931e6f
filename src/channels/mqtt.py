"""MQTT: alerts, states and, if wanted, switches for a broker, with Home Assistant's discovery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from ..common.alert_message import AlertMessage
from ..common.errors import ConfigError, DeviceUnreachable
from ..common.services import DaemonServices
from .ChannelTemplate import ChannelTemplate
from .mqtt_broker import Broker, default_client_id
from .mqtt_discovery import Home
from .mqtt_presence import Presence
from .mqtt_topics import Topics

TLS_PORT, PLAIN_PORT = 8883, 1883


class MQTT(ChannelTemplate):
    """A message has been delivered when the broker has given its receipt (QoS 1)."""

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        super().__init__(name, settings)
        if settings["encryption"] == "plaintext" and settings["ca"]:
            raise ConfigError(f"channel {name}: ca means nothing with encryption = plaintext: remove one of them")
        if settings["password"] and not settings["user"]:
            raise ConfigError(f"channel {name}: password: a user is missing")
        self._presence: Presence | None = None

    @override
    async def open(self, services: DaemonServices) -> None:
        home = Home(
            Topics(self.settings["topic"], self.settings["discovery_prefix"]),
            qos=self.settings["qos"],
            commands=self.settings["commands"],
        )
        self._presence = Presence(
            self.name,
            services,
            self._broker(),
            home,
            discovery=self.settings["discovery"],
            mute=not self.settings["enabled"],
        )
        self._presence.start()

    def _broker(self) -> Broker:
        settings = self.settings
        tls = settings["encryption"] == "tls"
        return Broker(
            settings["host"],
            settings["port"] or (TLS_PORT if tls else PLAIN_PORT),
            tls=tls,
            ca=settings["ca"],
            user=settings["user"],
            password=self.secret("password"),
            client_id=settings["client_id"] or default_client_id(self.name),
            keepalive=settings["keepalive"],
        )

    @override
    async def send(self, message: AlertMessage) -> str:
        if self._presence is None:
            raise DeviceUnreachable(f"{self.name}: the channel is not open")
        return await self._presence.send(message, self.timeout)

    @override
    async def close(self) -> None:
        if self._presence is not None:
            await self._presence.stop()
            self._presence = None
