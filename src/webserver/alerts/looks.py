"""What the alerts page shows, in one look at the daemon."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from ..live.looks import Call
from ..ockle_client.connection import ClientError

RECENT_S = 7 * 86400.0
MOST_OPEN, MOST_CLOSED = 1000, 100


@dataclass(frozen=True, slots=True)
class Look:
    """``counts``: severity -> open alerts, None: the daemon has no such plugin.

    ``alerts``  all that are not over; ``closed``: those of the last days
    ``old``     this is what it said last, it does not answer
    """

    counts: dict[str, int] | None
    alerts: list[dict[str, Any]] = field(default_factory=list)
    closed: list[dict[str, Any]] = field(default_factory=list)
    silences: list[dict[str, Any]] = field(default_factory=list)
    channels: list[dict[str, Any]] = field(default_factory=list)
    old: bool = False


def ask(call: Call) -> Look:
    """Ask the daemon for all of it. Raises what ``call`` raises, but for a daemon without the plugin."""
    try:
        now = call("getAlerts", {"state": "open", "limit": MOST_OPEN})
    except ClientError as error:
        if error.code != "unknown_command":
            raise
        return Look(None)
    closed = call("getAlerts", {"state": "closed", "since": time.time() - RECENT_S, "limit": MOST_CLOSED})
    channels = call("getChannels")["channels"]
    return Look(now["counts"], now["alerts"], closed["alerts"], now["silences"], channels)
