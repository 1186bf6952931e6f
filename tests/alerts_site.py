"""The GUI on a real daemon that has something to tell: a node beyond a limit, a channel, a PDU that can die."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node_server import NodeServer, node_server
from own_daemon import until
from web_site import Sections, WebSite, web_site

PLUGINS = [
    *("CoreCommunicationCommands", "EditingCommunicationCommands", "SocketListener", "Logger"),
    *("Monitoring", "Alerts"),
]
QUICK = {"look_interval": "100ms", "confirm": "300ms", "settle": "300ms", "grace": "300ms"}
FIGURES = {"cpu_percent": 12.5, "memory_percent": 41.0, "disk_percent": 91.0, "num_pids": 143.0, "temp": 61.5}
MONITOR = """\
[monitor]
servers = lone
more = pi7={url}
interval = 500ms
timeout = 400ms
missing_after = 1h
limits = critical: disk_percent > 85, cpu_percent > 90 for 5m until 80, temp > 80
"""
LIMIT = "node/pi7/disk_percent"
"""The subject of the alert about the node."""


@dataclass
class AlertsSite:
    """``pi7``: the node; ``hook``: what the channel of that name sends to; ``spare``: a channel that is disabled."""

    web: WebSite
    pi7: NodeServer
    hook: NodeServer

    def alert(self, subject: str, affected: int = 0) -> dict[str, Any]:
        """Return the open alert about something if it takes so many along, {} without one; the pages ask anew, too."""
        with self.web.client() as client:
            found: list[dict[str, Any]] = client.call("getAlerts")["alerts"]
        self.web.router.registry.alerts_page.forget()
        fitting = (one for one in found if one["subject"] == subject and one["affected_count"] >= affected)
        return next(fitting, {})

    def has(self, subject: str, affected: int = 0) -> dict[str, Any]:
        """Wait for an alert and return it."""
        return until(lambda: self.alert(subject, affected))

    def kill_pdu(self) -> int:
        """Have pdu-a answer no more; return the number of the alert, which takes along what it feeds."""
        self.web.lab.turn("pdu-a", silent=True)
        return int(self.has("outlets/pdu-a", 3)["id"])


@contextmanager
def alerts_site(folder: Path) -> Iterator[AlertsSite]:
    with node_server(**FIGURES) as pi7, node_server(said="thank you") as hook:

        def prepare(etc: Path) -> None:
            for name, text in {
                "monitors/pis": MONITOR.format(url=pi7.url),
                "channels/hook": f"[channel]\ntype = Webhook\ncomment = the night shift\nurl = {hook.url}\n",
                "channels/spare": f"[channel]\ntype = Webhook\nenabled = false\nurl = {hook.url}\n",
            }.items():
                (etc / name).parent.mkdir(exist_ok=True)
                (etc / f"{name}.ini").write_text(text)

        settings: Sections = {"plugins": {"plugins": PLUGINS}, "plugins.Alerts": QUICK}
        with web_site(folder, settings, prepare) as web:
            yield AlertsSite(web, pi7, hook)
