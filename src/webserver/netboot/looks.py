"""What all netboot pages show, asked of the daemon at most once a second however many browsers look."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ..ockle_client.connection import ClientError, ConnectionFailed

Call = Callable[[str], dict[str, Any]]
FRESH_S = 1.0


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


class Looks:
    """May be used from any thread: one asks, and the others take what there is meanwhile."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._look: Look | None = None
        self._until = 0.0

    def look(self, call: Call) -> Look:
        """Return what there is, at most a second old unless the daemon is slow or gone.

        Raises what ``call`` raises as long as nothing is known.
        """
        if time.monotonic() < self._until and self._look is not None:
            return self._look
        if not self._lock.acquire(blocking=self._look is None):
            return self._look or Look(None)
        try:
            if self._look is None or time.monotonic() >= self._until:
                self._look = self._renewed(call)
                self._until = time.monotonic() + FRESH_S
            return self._look
        finally:
            self._lock.release()

    def forget(self) -> None:
        """Ask anew the next time: something was changed just now."""
        self._until = 0.0

    def _renewed(self, call: Call) -> Look:
        try:
            fresh = ask(call)
        except ConnectionFailed:
            if self._look is None:
                raise
            return replace(self._look, old=True)
        return self._look if fresh == self._look else fresh  # what is the same stays the same, and is not drawn anew


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
