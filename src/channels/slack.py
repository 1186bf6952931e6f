"""Alerts in Slack, by an incoming webhook; Mattermost and Rocket.Chat take the same.

Source: Slack's documents "Sending messages using incoming webhooks", "Formatting text for app surfaces" and
"Block Kit": a section's text has 3000 characters at most, a header's 150, a message's fallback text 40 000.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from ..common.alert_message import AlertMessage
from ..common.http import Request
from ..common.problems import Severity
from .ChannelTemplate import ChannelTemplate
from .http_post import check_url, deliver, target_of
from .words import cut, mark

SECTION_MOST, TEXT_MOST = 3000, 8000


class Slack(ChannelTemplate):
    """With ``mentions``, who is named there is called by what is critical, and by nothing else."""

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        super().__init__(name, settings)
        check_url(settings["url"])

    @override
    async def send(self, message: AlertMessage) -> str:
        settings = self.settings
        target = target_of(self.secret("url"), verify=settings["verify"], ca=settings["ca"])
        body = json.dumps(payload(message, self.mentions(message), blocks=settings["blocks"])).encode()
        return await deliver(target, Request("POST", {"Content-Type": "application/json"}, body), self.timeout)

    def mentions(self, message: AlertMessage) -> list[str]:
        """Return who is called by a message."""
        calls = message.severity is Severity.CRITICAL and message.kind == "problem"
        return list(self.settings["mentions"]) if calls else []


def payload(
    message: AlertMessage, mentions: list[str] | tuple[str, ...] = (), *, blocks: bool = True
) -> dict[str, Any]:
    """Return what Slack is sent: text for notifications, blocks for the eye; without ``blocks`` all as text."""
    called = "".join(f"<{one.strip('<>')}> " for one in mentions)
    head = f"{called}{mark(message)} *{escaped(cut(message.title, 300))}*"
    details = "\n".join(f"• {escaped(cut(line, 300))}" for line in message.lines)
    link = f"<{escaped(message.url)}|{_LINK}>" if message.url else ""
    if not blocks:
        return {"text": _whole("\n".join(part for part in (head, details, link) if part), TEXT_MOST)}
    found = [_section(head)]
    if details:
        found.append(_section(_whole(details, SECTION_MOST)))
    foot = " · ".join(part for part in (escaped(message.site), link) if part)
    if foot:
        found.append({"type": "context", "elements": [{"type": "mrkdwn", "text": _whole(foot, SECTION_MOST)}]})
    return {"text": f"{called}{mark(message)} {escaped(cut(message.title, 300))}", "blocks": found}


_LINK = "open in Ockle"


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def escaped(text: str) -> str:
    """Return a text in which nothing is a link, a mention or another of Slack's commands."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _whole(text: str, most: int) -> str:
    """Return so many whole lines as there is room for: an escape that is cut in two would show."""
    if len(text) <= most:
        return text
    kept = text[: most - 1].rpartition("\n")[0]
    return f"{kept}\n…"
