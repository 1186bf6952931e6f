"""What all netboot pages show, in one look at the daemon."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..live.looks import Call
from ..ockle_client.connection import ClientError


@dataclass(frozen=True, slots=True)
class Look:
    """``status``, None: the daemon has no such plugin. ``old``: this is what it said last, it does not answer."""

    status: dict[str, Any] | None
    boards: list[dict[str, Any]] = field(default_factory=list)
    unknown: list[dict[str, Any]] = field(default_factory=list)
    leases: list[dict[str, Any]] = field(default_factory=list)
    old: bool = False

    @property
    def transfers(self) -> list[dict[str, Any]]:
        return list(self.status["transfers"]) if self.status else []


def ask(call: Call) -> Look:
    """Ask the daemon for all of it. Raises what ``call`` raises, but for a daemon without the plugin."""
    try:
        status = call("netbootStatus")
    except ClientError as error:
        if error.code != "unknown_command":
            raise
        return Look(None)
    boards = call("netbootBoards")["boards"]
    return Look(status, boards, call("netbootUnknown")["unknown"], call("netbootLeases")["leases"])
