"""Alerts in Discord, by a channel's webhook.

Source: Discord's developer documents, "Execute Webhook", "Embed limits" (title 256, description 4096) and "Allowed
mentions": nothing in a message may call anybody.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from typing_extensions import override

from ..common.alert_message import AlertMessage
from ..common.http import Request
from .ChannelTemplate import ChannelTemplate
from .http_post import check_url, deliver, target_of
from .words import colour, cut, mark

TITLE_MOST, DESCRIPTION_MOST, FOOTER_MOST = 256, 4096, 2048
_MARKDOWN = re.compile(r"([\\*_~`|>\[\]()#:<@-])")


class Discord(ChannelTemplate):
    """One embed per message."""

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        super().__init__(name, settings)
        check_url(settings["url"])

    @override
    async def send(self, message: AlertMessage) -> str:
        target = target_of(self.secret("url"), verify=self.settings["verify"], ca=self.settings["ca"])
        body = json.dumps(payload(message, self.settings["username"])).encode()
        return await deliver(target, Request("POST", {"Content-Type": "application/json"}, body), self.timeout)


def payload(message: AlertMessage, username: str = "") -> dict[str, Any]:
    """Return what Discord is sent."""
    embed: dict[str, Any] = {
        "title": f"{mark(message)} {cut(escaped(message.title), TITLE_MOST - 2)}",
        "color": colour(message),
        "timestamp": datetime.fromtimestamp(message.at, UTC).isoformat(timespec="seconds"),
    }
    if message.lines:
        embed["description"] = _description(message)
    if message.url.startswith(("http://", "https://")):
        embed["url"] = message.url
    if message.site:
        embed["footer"] = {"text": cut(message.site, FOOTER_MOST)}
    found: dict[str, Any] = {"embeds": [embed], "allowed_mentions": {"parse": []}}
    return {"username": cut(username, 80), **found} if username else found


def escaped(text: str) -> str:
    """Return a text that Discord shows as it is."""
    return _MARKDOWN.sub(r"\\\1", text)


def _description(message: AlertMessage) -> str:
    lines, left = list[str](), DESCRIPTION_MOST - 2
    for line in (f"• {escaped(cut(line, 300))}" for line in message.lines):
        left -= len(line) + 1
        if left < 0:
            return "\n".join([*lines, "…"])
        lines.append(line)
    return "\n".join(lines)
