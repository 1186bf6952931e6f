"""Reads that wait at the same time go together, and each is answered whatever happens to the others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from ockle.common.device import Device
from ockle.common.errors import DeviceAnswerError, DeviceError, DeviceStateError, DeviceUnreachable
from ockle.common.snmp import Answer, Pair, SnmpSettings
from ockle.common.snmp_session import SnmpSession
from ockle.drivers.joined_reads import JoinedReads
from ockle.outlets.raritan import OUTLET_TABLE, Raritan


class Reader:
    """Reads as long as ``hold`` is not set; number n is ``n * 10``, 3 is an error."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.hold = asyncio.Event()
        self.bug = False

    async def __call__(self, numbers: Sequence[int]) -> list[int | DeviceError]:
        self.groups.append(list(numbers))
        await self.hold.wait()
        if self.bug:
            raise ZeroDivisionError
        return [DeviceStateError("three") if number == 3 else number * 10 for number in numbers]


async def _begun(*reads: asyncio.Task[int | DeviceError]) -> None:
    for _ in range(5 + len(reads)):
        await asyncio.sleep(0)


def test_who_comes_while_one_is_read_goes_with_the_next() -> None:
    async def body() -> None:
        reader = Reader()
        joined = JoinedReads[int, int](reader)
        first = asyncio.create_task(joined.read(1))
        await _begun(first)
        others = [asyncio.create_task(joined.read(number)) for number in (2, 3, 4, 4)]
        await _begun(*others)
        reader.hold.set()
        found = await asyncio.gather(first, *others)
        assert [str(one) for one in found] == ["10", "20", "three", "40", "40"]
        assert reader.groups == [[1], [2, 3, 4, 4]]
        assert await joined.read(5) == 50
        assert reader.groups[2:] == [[5]]

    asyncio.run(body())


def test_who_leaves_does_not_keep_the_others_waiting() -> None:
    async def body() -> None:
        reader = Reader()
        joined = JoinedReads[int, int](reader)
        reads = [asyncio.create_task(joined.read(number)) for number in (1, 2)]
        await _begun(*reads)
        reads[0].cancel()
        reader.hold.set()
        assert await reads[1] == 20
        assert reads[0].cancelled()

    asyncio.run(body())


@pytest.mark.parametrize("how", ["closed", "a bug"])
def test_an_end_before_the_answer_is_told_to_all(how: str) -> None:
    async def body() -> None:
        reader = Reader()
        joined = JoinedReads[int, int](reader)
        first = asyncio.create_task(joined.read(1))
        await _begun(first)
        second = asyncio.create_task(joined.read(2))
        await _begun(second)
        if how == "closed":
            await joined.close()
        else:
            reader.bug = True
            reader.hold.set()
        kind = DeviceUnreachable if how == "closed" else DeviceAnswerError
        assert [type(one) for one in await asyncio.gather(first, second)] == [kind] * 2
        reader.bug = False
        reader.hold.set()
        assert await joined.read(4) == 40

    asyncio.run(body())


class Pdu:
    """A wire to a Raritan whose relays follow at once; ``gets`` counts the GETs that look at relays."""

    def __init__(self) -> None:
        self.relays: dict[str, int] = {}
        self.gets = 0

    async def exchange(self, pairs: Sequence[Pair], *, write: bool) -> Answer:
        await asyncio.sleep(0)
        if write:
            self.relays.update({oid: int(value or 0) for oid, value in pairs})
        elif any(oid.startswith(OUTLET_TABLE) for oid, _ in pairs):
            self.gets += 1
        return Answer(0, 0, [(oid, self.relays.get(oid, 0)) for oid, _ in pairs])

    async def close(self) -> None:
        return


def test_outlets_that_are_switched_at_once_are_read_back_together() -> None:
    async def body() -> None:
        wire, device = Pdu(), Device("pdu", parallel=1)
        settings = {"type": "Raritan", "host": "127.0.0.1"}
        outlets = [Raritan(f"psu{number}", settings, {"outlet": number}) for number in range(1, 17)]
        device.shared("snmp", lambda: outlets[0].watched(SnmpSession(SnmpSettings("127.0.0.1"), wire)))
        for outlet in outlets:
            outlet.device = device
        await asyncio.gather(*(outlet.set_state(True) for outlet in outlets))
        assert [outlet.state for outlet in outlets] == [True] * 16
        assert wire.gets <= 3  # 16 when each is read back by itself
        await device.close()

    asyncio.run(body())
