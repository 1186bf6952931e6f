"""A conversation with one SNMP agent: reads many objects in as few datagrams as it can take, writes some."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from .errors import DeviceAnswerError, DeviceError, DeviceRefused, DeviceUnreachable
from .snmp import TOO_BIG, Answer, Missing, Pair, SnmpSettings, SnmpValue, Wire, absent, status_error
from .snmp_batch import Apart, BatchSize
from .snmp_gate import gate

log = logging.getLogger(__name__)

Reading = SnmpValue | DeviceError
"""A value, or why there is none."""

SPLITS_MOST: Final = 40
"""Exchanges that one ``get`` may spend on finding out which objects make a GET fail: enough for three of 48. An agent
that fails all of them is left alone until the next poll."""


class SnmpSession:
    """One agent. Only for use on the device loop.

    ``wire``      default: what ``wire_for`` finds, imported at the first exchange
    ``renewals``  how often the agent turned out to be another one, or to have lost its memory
    """

    def __init__(self, settings: SnmpSettings, wire: Wire | None = None) -> None:
        self.settings = settings
        self._wire = wire
        self.renewals = 0
        self._heard = False  # the last read was answered
        self._size = BatchSize()
        self._apart = Apart()

    async def get(self, oids: Sequence[str], *, poll: bool = False) -> list[Reading]:
        """Read every one of ``oids``, many in one datagram; an object that cannot be read is its error, in its place.

        ``poll``  objects that keep failing may be left out now and then: their last error stands for them
        Raises DeviceError when the agent as a whole does not answer or refuses.
        """
        found: dict[str, Reading] = {}
        together: list[str] = []
        alone: list[str] = []
        if poll:
            self._size.begin()
        for oid in dict.fromkeys(oids):
            if oid not in self._apart:
                together.append(oid)
            elif poll and (error := self._apart.skip(oid)) is not None:
                found[oid] = error
            else:
                alone.append(oid)
        budget = _Budget()
        while together:
            size = self._size.now
            await self._ask(together[:size], found, budget)
            together = together[size:]
        for oid in alone:
            await self._ask([oid], found, budget)
        return [found[oid] for oid in oids]

    async def get_one(self, oid: str) -> SnmpValue:
        """Read one object; raises DeviceError."""
        (value,) = await self.get([oid])
        if isinstance(value, DeviceError):
            raise value
        return value

    async def set(self, pairs: Sequence[tuple[str, int | str]]) -> None:
        """Write ``pairs`` in one PDU; int → INTEGER, str → OCTET STRING.

        Raises DeviceError; also when the agent says noError and returns "no such object" as the value (snmpsim does).
        """
        answer = await self._exchange(pairs, write=True)
        if answer.status:
            raise status_error(self.settings, answer.status, pairs[max(0, min(answer.index, len(pairs)) - 1)][0])
        answered = dict(answer.bindings)
        for oid, _ in pairs:
            value = answered.get(oid)
            if value is None:
                raise self._off_the_point(oid, answer)
            if isinstance(value, Missing):
                raise absent(self.settings, oid, value)

    async def close(self) -> None:
        if self._wire is not None:
            await self._wire.close()
            self._wire = None

    async def _ask(self, oids: list[str], found: dict[str, Reading], budget: _Budget) -> None:
        """Read ``oids`` with one GET, or with as many smaller ones as it takes."""
        parts = [oids]
        troubled: list[list[str]] = []  # what failed as a whole, or came back with less
        while parts:
            part = parts.pop(0)
            size = self._size.now
            if len(part) > size:  # less than was thought of when it was cut
                parts[:0] = [part[place : place + size] for place in range(0, len(part), size)]
                continue
            answer = await self._exchange_reads(part)
            if answer is None:
                parts.insert(0, part)
            elif not answer.status:
                left = self._take(part, answer, found)
                if left:
                    troubled.append(part)
                    parts[:0] = [left] if len(left) < len(part) else _halves(left)
            elif answer.status == TOO_BIG and len(part) > 1:
                self._size.too_big(len(part))
                parts.insert(0, part)
            elif 1 <= answer.index <= len(part) or len(part) == 1:
                culprit = part[answer.index - 1] if 1 <= answer.index <= len(part) else part[0]
                self._blame(culprit, status_error(self.settings, answer.status, culprit), found)
                rest = [oid for oid in part if oid != culprit]
                parts[:0] = [rest] if rest else []
            else:  # it names no object: halve until the one is found
                error = status_error(self.settings, answer.status, part[0])
                if isinstance(error, DeviceRefused):
                    raise error
                if budget.spend():
                    troubled.append(part)
                    parts[:0] = _halves(part)
                else:
                    found.update(dict.fromkeys(part, error))
                    troubled.clear()
            troubled = [part for part in troubled if not self._learned(part, found)]

    def _learned(self, part: list[str], found: Mapping[str, Reading]) -> bool:
        """Tell whether all of a GET that had failed is known by now; then the size is to blame if no object is."""
        if not all(oid in found for oid in part):
            return False
        if not any(oid in self._apart for oid in part):
            self._size.too_big(len(part))
        return True

    async def _exchange_reads(self, oids: list[str]) -> Answer | None:
        """Send one GET; None: the agent is silent to so many, and answers fewer."""
        try:
            return await self._exchange([(oid, None) for oid in oids], write=False)
        except DeviceUnreachable:
            if not self._size.worth_less(len(oids)):
                raise
        await self._exchange([(oids[0], None)], write=False)
        self._size.silent(len(oids))
        log.debug("%s: no answer to %d objects at once", self.settings.where, len(oids))
        return None

    def _take(self, oids: list[str], answer: Answer, found: dict[str, Reading]) -> list[str]:
        """Take what was answered, by its name and not by its place; return what is to be asked again."""
        answered = dict(answer.bindings)
        left = []
        for oid in oids:
            value = answered.get(oid)
            if value is None:
                left.append(oid)
                continue
            self._apart.answered(oid)
            found[oid] = absent(self.settings, oid, value) if isinstance(value, Missing) else value
        if not left:
            self._size.fits(len(oids))
        elif len(oids) == 1:
            self._blame(oids[0], self._off_the_point(oids[0], answer), found)
            return []
        return left

    def _blame(self, oid: str, error: DeviceError, found: dict[str, Reading]) -> None:
        found[oid] = error
        self._apart.failed(oid, error)

    async def _exchange(self, pairs: Sequence[Pair], *, write: bool) -> Answer:
        if self._wire is None:
            from .snmp_wires import wire_for  # the library behind it costs 20 MB: only where SNMP is really spoken

            self._wire = wire_for(self.settings)
        if write:  # rare, and awaited by somebody
            answer = await self._wire.exchange(pairs, write=True)
        else:
            async with gate().place(suspect=not self._heard):
                self._heard = False
                answer = await self._wire.exchange(pairs, write=False)
                self._heard = True
        self.renewals += answer.renewed
        return answer

    def _off_the_point(self, oid: str, answer: Answer) -> DeviceAnswerError:
        said = ", ".join(name for name, _ in answer.bindings[:3]) or "nothing"
        return DeviceAnswerError(f"{self.settings.where}: asked for {oid}, answered with {said}")


class _Budget:
    def __init__(self) -> None:
        self._left = SPLITS_MOST

    def spend(self) -> bool:
        """Tell whether two more exchanges may be spent, and count them."""
        self._left -= 2
        return self._left >= 0


def _halves(oids: list[str]) -> list[list[str]]:
    middle = (len(oids) + 1) // 2
    return [oids[:middle], oids[middle:]]
