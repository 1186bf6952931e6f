"""What people see of the transfers: rows for the pages, lines of a board's console, and the log."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from ...common.clock import Clock
from ..boards import Boards
from ..reporter import Reporter
from ..stages import Stage
from .events import Begun, Ended, Event, Moved, Refused, Trouble
from .packet import Code
from .transfer import Ending

KEPT_S, MOST_KEPT = 30.0, 200
"""How long, and how many, transfers are shown after their end."""
LINES_AT_ONCE = 20
"""Lines of one board that wait to be written; what it does beyond that is counted."""
WRITING_S = 0.01
"""How long lines are written at a time: each is a change of a file, and a rack that starts makes thousands."""
_BEFORE = (Stage.NEW, Stage.ASKING, Stage.ADDRESSED, Stage.FAILED)
_FIRST = re.compile(r"(?:bootcode\.bin|start4?\.elf|config\.txt|.*\.(?:efi|kpxe|pxe|0))", re.IGNORECASE)
"""What a firmware begins with. Anything else that a booted system loads does not mean that it boots again."""


@dataclass(slots=True)
class Row:
    """A transfer as it is shown.

    ``begun`` in seconds since 1970, ``rate`` in bytes a second, ``size`` -1: unknown; ``state``: loading, done, or why
    it ended otherwise
    """

    mac: str
    ip: str
    file: str
    size: int
    sent: int
    begun: float
    state: str
    rate: float
    retries: int


_SHOWN = tuple(field.name for field in fields(Row))


class Progress:
    """Takes the events of the transfers. ``flush`` is to be called several times a second.

    ``is_ours``  tells whether a MAC address is that of a board
    """

    def __init__(self, boards: Boards, report: Reporter, clock: Clock, is_ours: Callable[[str], bool]) -> None:
        self._boards = boards
        self._report = report
        self._clock = clock
        self._is_ours = is_ours
        self._running: dict[int, tuple[Row, float, str]] = {}
        self._ended: deque[tuple[Row, float]] = deque(maxlen=MOST_KEPT)
        self._lines: dict[str, list[str]] = {}
        self._left_out: dict[str, int] = {}

    def rows(self) -> list[dict[str, Any]]:
        """Return the transfers, those under way first."""
        now = self._clock.now()
        while self._ended and now - self._ended[0][1] > KEPT_S:
            self._ended.popleft()
        for row, begun, _ in self._running.values():
            row.rate = row.sent / max(now - begun, 0.001)
        rows = [entry[0] for entry in self._running.values()] + [row for row, _ in reversed(self._ended)]
        return [{name: getattr(row, name) for name in _SHOWN} for row in rows]

    def take(self, event: Event) -> None:
        match event:
            case Begun():
                self._begun(event)
            case Moved(number, sent, retries):
                if number in self._running:
                    row = self._running[number][0]
                    row.sent, row.retries = sent, retries
            case Ended():
                self._end(event)
            case Refused():
                self._refused(event)
            case Trouble(key, text):
                self._report.warn(key, text)

    def flush(self, most_s: float = WRITING_S) -> None:
        """Write lines of the boards' consoles, board by board, until all are written or ``most_s`` have passed."""
        end = time.monotonic() + most_s
        while self._lines:
            mac = next(iter(self._lines))
            for text in self._lines.pop(mac):
                self._boards.log(mac, text)
            if more := self._left_out.pop(mac, 0):
                self._boards.log(mac, f"… and {more} more")
            if time.monotonic() >= end:
                return

    def _begun(self, event: Begun) -> None:
        mac = event.mac
        row = Row(mac, event.ip, event.file, event.size, 0, self._clock.wall(), "loading", 0.0, 0)
        self._running[event.number] = row, self._clock.now(), event.asked
        if not (mac and self._is_ours(mac)):
            return
        board = self._boards.get(mac)
        stage = board.stage if board else Stage.NEW
        if stage in _BEFORE or (stage is not Stage.LOADING and _FIRST.fullmatch(event.asked.rpartition("/")[2])):
            self._boards.note(mac, Stage.LOADING, ip=event.ip)
        else:
            self._boards.touch(mac, ip=event.ip)

    def _end(self, event: Ended) -> None:
        if event.number not in self._running:
            return
        row, _, asked = self._running.pop(event.number)
        ending = Ending[event.ending]
        row.sent, row.retries, row.state = event.sent, event.retries, str(ending)
        row.rate = event.sent / max(event.seconds, 0.001)
        if ending is Ending.PROBED:  # a Raspberry Pi asks for the size first, and then anew
            return
        self._ended.append((row, self._clock.now()))
        self._say(row.mac, _line(row, asked, ending, event))
        if ending in (Ending.BROKEN, Ending.SILENT):
            why = event.why or f"{row.ip} does not answer"
            text = f"TFTP: {row.file} to {row.ip} ended after {event.sent} bytes: {why}"
            self._report.warn(f"tftp-{ending.name} {row.ip if ending is Ending.SILENT else row.file}", text)

    def _refused(self, event: Refused) -> None:
        self._say(event.mac, f"{event.asked}: {event.why}")
        if event.code != Code.NOT_FOUND:  # half of what a boot asks for is not there
            self._report.warn(f"tftp-refused {event.ip}", f"TFTP: {event.ip} asked for {event.asked!r}: {event.why}")

    def _say(self, mac: str, text: str) -> None:
        if not (mac and self._is_ours(mac)):
            return
        lines = self._lines.setdefault(mac, [])
        if len(lines) < LINES_AT_ONCE:
            lines.append(text)
        else:
            self._left_out[mac] = self._left_out.get(mac, 0) + 1


def _line(row: Row, asked: str, ending: Ending, event: Ended) -> str:
    source = f" (is {row.file})" if row.file != asked.strip("/") else ""
    repeated = f", {event.retries} repeated" if event.retries else ""
    if ending is Ending.DONE:
        return f"{asked}{source}: {_bytes(event.sent)} in {event.seconds:.1f} s{repeated}"
    why = f", {event.why}" if event.why else ""
    return f"{asked}{source}: {ending} after {_bytes(event.sent)}{why}{repeated}"


def _bytes(count: int) -> str:
    if count < 1024:
        return f"{count} bytes"
    return f"{count / 1024:.1f} KiB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MiB"
