"""Reads whole columns of an SNMP agent's tables, whose rows nobody knows before (GETNEXT, GETBULK)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Final, Protocol

from .errors import DeviceAnswerError
from .snmp import TOO_BIG, Answer, Missing, SnmpSettings, SnmpValue, status_error
from .snmp_gate import gate

Oid = tuple[int, ...]
Column = dict[Oid, SnmpValue]
"""The index of a row -> the value of its cell."""

NO_SUCH_NAME: Final = 2  # what a version 1 agent says at the end of its MIB
ROWS_AT_A_TIME: Final = 20
"""Their answer fits into an Ethernet frame."""
MOST_ROWS: Final = 50_000
"""A forwarding table of more is not read: a switch with so many addresses is none that boards hang on."""


class WalkingWire(Protocol):
    """One request, one response. Raises DeviceError when there is none."""

    async def after(self, oids: Sequence[str], rows: int) -> Answer:
        """Return what comes behind each of ``oids``, up to ``rows`` rows of it."""

    async def close(self) -> None:
        """Give the sockets back."""


class SnmpWalker:
    """Walks one agent. Only for use on the device loop.

    ``turn``  gives the place in the device's queue that each exchange takes
    ``wire``  default: pysnmp's, imported at the first exchange
    """

    def __init__(
        self,
        settings: SnmpSettings,
        turn: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
        wire: WalkingWire | None = None,
    ) -> None:
        self.settings = settings
        self._turn = turn
        self._wire = wire
        self._rows = ROWS_AT_A_TIME

    async def column(self, root: str) -> Column:
        """Return all cells below ``root``; nothing when the agent has none. Raises DeviceError."""
        found: Column = {}
        start = _parsed(root)
        last = start
        while True:
            answer = await self._after(last)
            if answer.status == TOO_BIG and self._rows > 1:
                self._rows //= 2
                continue
            if answer.status == NO_SUCH_NAME:
                return found
            if answer.status:
                raise status_error(self.settings, answer.status, _dotted(last))
            cells = self._below(start, last, answer)
            found.update((oid[len(start) :], value) for oid, value in cells.items())
            if len(cells) < len(answer.bindings) or not cells:
                return found
            last = next(reversed(cells))
            if len(found) > MOST_ROWS:
                raise DeviceAnswerError(f"{self.settings.where}: more than {MOST_ROWS} rows below {root}")

    async def close(self) -> None:
        if self._wire is not None:
            await self._wire.close()
            self._wire = None

    async def _after(self, oid: Oid) -> Answer:
        if self._wire is None:
            from .snmp_pysnmp import PysnmpWire  # it costs 20 MB: only where somebody walks

            self._wire = PysnmpWire(self.settings)
        async with self._turn(), gate().place(suspect=False):
            return await self._wire.after([_dotted(oid)], self._rows)

    def _below(self, start: Oid, last: Oid, answer: Answer) -> dict[Oid, SnmpValue]:
        """Return the cells of ``answer`` up to the first that is no longer below ``start``."""
        cells: dict[Oid, SnmpValue] = {}
        for name, value in answer.bindings:
            oid = _parsed(name)
            if oid[: len(start)] != start or isinstance(value, Missing):
                break
            if oid <= last:  # else an agent that goes in circles would be walked for ever
                raise DeviceAnswerError(
                    f"{self.settings.where}: behind {_dotted(last)} comes {name}, which is before it"
                )
            cells[oid] = value
            last = oid
        return cells


def _parsed(oid: str) -> Oid:
    return tuple(map(int, oid.split(".")))


def _dotted(oid: Oid) -> str:
    return ".".join(map(str, oid))
