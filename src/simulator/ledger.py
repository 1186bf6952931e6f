"""What every device of the lab saw and when: the judge of order, from the side of the devices."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

KINDS = {
    "set": "a command to an outlet arrived: an SNMP SET, say (what = outlet; detail: value, applied)",
    "relay": "contacts moved (what = outlet; detail: closed)",
    "plug": "a plug's own switches were used, or it cut by itself (what = which, or why)",
    "reboot": "a device started anew by itself (detail: restore = on | off | last)",
    "mains": "the mains of a PDU or switch failed or returned (what = on | off)",
    "power": "a machine got or lost its power (what = on | off)",
    "boot": "firmware started (detail: boot id)",
    "boot-failed": "the boot hung, or never began",
    "leased": "a board that boots from the network got its address (what = address)",
    "loaded": "it has its boot files (detail: bytes)",
    "installed": "it was formatted and has a new root file system (detail: bytes, crc)",
    "mounted": "the disk was mounted",
    "up": "all services listen",
    "login": "somebody logged in by SSH, or was refused (what = user)",
    "shutdown": "somebody asked the machine to shut down",
    "services-down": "the services stopped",
    "unmounted": "the disk was unmounted",
    "halted": "the operating system has ended; power may go",
    "violation": "POWER WAS CUT WHILE THE DISK WAS MOUNTED (what = state at the cut)",
    "knob": "a fault was switched on or off (what = knob)",
}
"""Every kind of entry and what it means."""


@dataclass(frozen=True, slots=True)
class Entry:
    """``t``: monotonic seconds since the ledger was opened; ``device``: name of the PDU, switch or machine."""

    t: float
    kind: str
    device: str
    what: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """One line of JSON."""
        facts = {"t": round(self.t, 6), "kind": self.kind, "device": self.device, "what": self.what}
        return json.dumps(facts | dict(self.detail), ensure_ascii=False)


class Ledger:
    """Append-only and safe from any thread; what was returned never changes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun = clock()
        self._entries: list[Entry] = []  # ordered by t
        self._grown = threading.Condition()

    def add(self, kind: str, device: str, what: str = "", **detail: Any) -> Entry:
        if kind not in KINDS:
            raise ValueError(f"unknown kind of entry {kind!r}")
        with self._grown:
            entry = Entry(self._clock() - self._begun, kind, device, what, detail)
            self._entries.append(entry)
            self._grown.notify_all()
        return entry

    def now(self) -> float:
        """The moment, as in ``Entry.t``."""
        return self._clock() - self._begun

    def __len__(self) -> int:
        return len(self._entries)

    def entries(self, kind: str | None = None, device: str | None = None, what: str | None = None) -> list[Entry]:
        """All entries that match, in order; None matches anything."""
        with self._grown:
            return [entry for entry in self._entries if _matches(entry, kind, device, what)]

    def first(self, kind: str, device: str) -> Entry | None:
        return next(iter(self.entries(kind, device)), None)

    def last(self, kind: str, device: str) -> Entry | None:
        return next(reversed(self.entries(kind, device)), None)

    def order(self, kind: str) -> list[str]:
        """Device names in the order in which each had its first entry of ``kind``."""
        return list(dict.fromkeys(entry.device for entry in self.entries(kind)))

    def cuts_while_mounted(self) -> list[Entry]:
        return self.entries("violation")

    def wait(
        self, kind: str, device: str, what: str | None = None, *, count: int = 1, after: int = 0, timeout: float = 10.0
    ) -> Entry:
        """The ``count``-th matching entry of those behind the first ``after`` (``len(ledger)``: from now on).

        Raises  TimeoutError with what the device did instead
        """
        deadline = time.monotonic() + timeout
        with self._grown:
            while True:
                found = [entry for entry in self._entries[after:] if _matches(entry, kind, device, what)]
                if len(found) >= count:
                    return found[count - 1]
                if not self._grown.wait(deadline - time.monotonic()):
                    history = "; ".join(e.line() for e in self._entries if e.device == device) or "nothing"
                    raise TimeoutError(f"no {kind} of {device} within {timeout:g} s; it did: {history}")

    def lines(self) -> str:
        """The ledger as JSON lines."""
        return "".join(entry.line() + "\n" for entry in self.entries())


def _matches(entry: Entry, kind: str | None, device: str | None, what: str | None) -> bool:
    return kind in (None, entry.kind) and device in (None, entry.device) and what in (None, entry.what)
