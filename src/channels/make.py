"""From a file of etc/channels to the object that sends."""

from __future__ import annotations

from ..config.model import ObjectConfig
from ..drivers.discovery import load_class
from .ChannelTemplate import ChannelTemplate


def channel_of(config: ObjectConfig) -> ChannelTemplate:
    """Return the channel that a file means. Raises ConfigError."""
    made: ChannelTemplate = load_class("channels", config.type)(config.name, config.settings)
    return made
