"""The connection to a plug, as outlets and controls of one INI file share it."""

from __future__ import annotations

from ..common.errors import DeviceRefused
from ..common.esphome import PlugSession, PlugSettings
from .driver import Driver


class PlugDriver(Driver):
    """Base of what talks to an ESPHome plug, beside its template."""

    @property
    def plug(self) -> PlugSession:
        """The session of the device, made from the options at the first call.

        Raises DeviceRefused when no key is given, unless the configuration says that there is none.
        """
        return self.device.shared("esphome", lambda: PlugSession(self._plug_settings()))

    def _plug_settings(self) -> PlugSettings:
        settings = self.settings
        key = self.secret("key").strip()
        plain = settings["encryption"] == "plaintext"
        if not key and not plain:
            raise DeviceRefused(
                f"{self.name}: no encryption key: set `key` to the one of the plug's firmware (api: encryption: key:), "
                "or encryption = plaintext if it has none"
            )
        return PlugSettings(settings["host"], settings["port"], "" if plain else key, settings["pin_mac"], self.timeout)
