"""Channels as a file would make them, and messages for them."""

from __future__ import annotations

from typing import Any

from ockle.channels.ChannelTemplate import ChannelTemplate
from ockle.channels.make import channel_of
from ockle.common.alert_message import AlertMessage
from ockle.common.device_loop import shared_loop
from ockle.common.problems import Severity
from ockle.config.model import ObjectConfig
from ockle.config.templates import check_settings, driver_template

TITLE = 'web1 <& "größer"> failed to start'
MESSAGE = AlertMessage(
    "3f2a",
    "problem",
    Severity.CRITICAL,
    TITLE,
    ("also: 2 servers that need it: web[2-3]", "outlet pdu-a/3 & 4"),
    at=1_784_548_800.0,
    alert=7,
    subject="server/web1",
    servers=("web1", "web2", "web3"),
    site="Lab <1>",
    url="https://ockle.example.org/alerts/7",
    about="server",
)


def channel(kind: str, **options: Any) -> ChannelTemplate:
    """Return the channel of a file with these options. Raises ConfigError."""
    settings = check_settings(driver_template("channels", kind), "channel", {"type": kind, **options})
    return channel_of(ObjectConfig("ops", kind, settings, "channels/ops.ini"))


def sent(one: ChannelTemplate, message: AlertMessage = MESSAGE) -> str:
    """Send a message and return what the receiver said; on a loop that goes on, as connections end a moment later."""
    return shared_loop().call(one.send(message)) or ""
