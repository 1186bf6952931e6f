"""The GUI's own connection to the daemon: the newest snapshot of all states, which answers every poll of a browser."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .ockle_client.connection import ClientError, Connection, ConnectionFailed

log = logging.getLogger(__name__)

QUIET_S = 1.0
"""Without an event the daemon is asked so often; a revision that it still has costs next to nothing."""
BURST_S = 0.1
"""Events that come within this time lead to one look."""
RETRY_S = (0.5, 1.0, 2.0, 5.0)
FRESH_S = 5.0
"""States older than this are shown as old."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the daemon said last.

    ``status``      the reply to ``status``; {} before the first one
    ``line``        names an unbroken line of snapshots: of one connection, with the same servers
    ``count``       of the snapshots of the line that differ from each other
    ``changed_at``  server -> the count with which what is said of it changed last
    ``seen_at``     of the monotonic clock; None: never
    ``problem``     why there is no connection now, "" while there is one
    """

    status: Mapping[str, Any] = field(default_factory=dict)
    line: str = "0"
    count: int = 0
    changed_at: Mapping[str, int] = field(default_factory=dict)
    seen_at: float | None = None
    problem: str = "the daemon has not been asked yet"

    @property
    def tag(self) -> str:
        """Names this content: another tag, another content, also over a restart of the GUI or the daemon."""
        return f"{self.line}.{self.count}"

    def changed_since(self, tag: str) -> list[str] | None:
        """Return the servers of which something else is said than in the snapshot ``tag``.

        None when that cannot be told: take all of them, and nothing of what was known before.
        """
        line, _, count = tag.rpartition(".")
        if line != self.line or not (count.isascii() and count.isdigit()) or int(count[:18]) > self.count:
            return None
        return [name for name, changed in self.changed_at.items() if changed > int(count)]

    @property
    def age_s(self) -> float | None:
        """Seconds since the daemon said it; None when it never did."""
        return None if self.seen_at is None else time.monotonic() - self.seen_at

    @property
    def stale(self) -> bool:
        return self.seen_at is None or time.monotonic() - self.seen_at > FRESH_S

    @property
    def servers(self) -> Mapping[str, Mapping[str, Any]]:
        """Server -> what ``status`` says of it, in the order of dependencies."""
        found: Mapping[str, Mapping[str, Any]] = self.status.get("servers", {})
        return found

    @property
    def runs(self) -> list[dict[str, Any]]:
        """The runs that are under way."""
        return list(self.status.get("runs", []))


def following(before: Snapshot, reply: Mapping[str, Any], now: float, line: str) -> Snapshot:
    """Return the snapshot after ``before``, when the daemon gives this ``reply`` on the connection ``line``."""
    goes_on = bool(before.status) and before.line.partition("-")[0] == line
    if goes_on and (reply.get("same") or _content(reply) == _content(before.status)):
        return replace(before, seen_at=now, problem="")
    servers: Mapping[str, Any] = reply.get("servers", {})
    known = before.servers
    if not goes_on or servers.keys() != known.keys():
        # a browser that knows other servers, or may have missed something, gets everything anew
        return Snapshot(reply, f"{line}-{before.count + 1}", before.count + 1, dict.fromkeys(servers, 0), now, "")
    count = before.count + 1
    changed_at = {name: before.changed_at[name] if server == known[name] else count for name, server in servers.items()}
    return Snapshot(reply, before.line, count, changed_at, now, "")


def _content(reply: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in reply.items() if key != "time"}


class DaemonLink:
    """Follows the daemon in a thread of its own. ``snapshot`` is replaced as a whole, never changed."""

    def __init__(self, connection: Connection) -> None:
        self.snapshot = Snapshot()
        self._connection = connection
        self._line = ""
        self._failures = 0
        self._changed = threading.Condition()
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._run, name="daemon link", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._leave.set()
        self._connection.close()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def wait_changed(self, tag: str, timeout: float) -> Snapshot:
        """Wait until the snapshot is another than ``tag``, ``timeout`` seconds at most, and return it."""
        with self._changed:
            self._changed.wait_for(lambda: self.snapshot.tag != tag, timeout)
            return self.snapshot

    # -- the thread

    def _run(self) -> None:
        while not self._leave.is_set():
            try:
                self._follow()
            except (ConnectionFailed, ClientError) as error:
                if self._leave.is_set():
                    return
                self._lost(str(error))
                self._connection.close()
                self._leave.wait(RETRY_S[min(self._failures, len(RETRY_S) - 1)])
                self._failures += 1

    def _follow(self) -> None:
        """Keep the snapshot up to date until the connection fails, which it raises."""
        connection = self._connection
        connection.subscribe()
        self._line = f"{time.time_ns():x}"
        rev: int | None = None
        while not self._leave.is_set():
            reply = connection.call("status", {} if rev is None else {"since": rev})
            self._take(reply)
            rev = reply["rev"]
            event = connection.next_event(QUIET_S)
            deadline = time.monotonic() + BURST_S
            while event is not None:
                left = deadline - time.monotonic()
                event = connection.next_event(left) if left > 0 else None

    def _take(self, reply: dict[str, Any]) -> None:
        self._failures = 0
        self._put(following(self.snapshot, reply, time.monotonic(), self._line))

    def _lost(self, problem: str) -> None:
        before = self.snapshot
        if problem != before.problem:
            log.warning("%s", problem)
        self._put(replace(before, problem=problem))

    def _put(self, snapshot: Snapshot) -> None:
        with self._changed:
            self.snapshot = snapshot
            self._changed.notify_all()
