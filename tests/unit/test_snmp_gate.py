"""Reads over all devices: so many at a time, and the dead keep nobody waiting for long. Time is virtual."""

from __future__ import annotations

import asyncio

import pytest

from ockle.common.snmp_gate import AT_A_TIME, HOLD_S, SUSPECT_HOLD_S, Gate, gate
from ockle.simulator.virtual_time import run


def longest(reads: int, seconds: float, *, suspect: bool) -> tuple[float, int]:
    """Return when the last of so many reads began, and how many were under way at most."""

    async def scenario() -> tuple[float, int]:
        it, now, most, began = Gate(), 0, 0, 0.0

        async def read() -> None:
            nonlocal now, most, began
            async with it.place(suspect=suspect):
                began = asyncio.get_running_loop().time()
                now += 1
                most = max(most, now)
                await asyncio.sleep(seconds)
                now -= 1

        await asyncio.gather(*(read() for _ in range(reads)))
        return began, most

    return run(scenario())


@pytest.mark.parametrize("suspect", [False, True])
def test_no_more_than_so_many_reads_are_under_way(suspect: bool) -> None:
    began, most = longest(10 * AT_A_TIME, 0.1, suspect=suspect)
    assert began == pytest.approx(0.9)
    assert most == AT_A_TIME


@pytest.mark.parametrize(("suspect", "hold_s"), [(False, HOLD_S), (True, SUSPECT_HOLD_S)])
def test_a_silent_device_keeps_its_place_for_a_while_only(suspect: bool, hold_s: float) -> None:
    began, _ = longest(3 * AT_A_TIME, 60.0, suspect=suspect)
    assert began == pytest.approx(2 * hold_s)


def test_a_cancelled_read_gives_its_place_back() -> None:
    async def scenario() -> None:
        it = Gate()

        async def read() -> None:
            async with it.place(suspect=False):
                await asyncio.sleep(3600)

        tasks = [asyncio.create_task(read()) for _ in range(AT_A_TIME)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _ in range(AT_A_TIME):
            await asyncio.wait_for(it.place(suspect=False).__aenter__(), 0.1)

    run(scenario())


def test_a_loop_has_one_gate_and_each_its_own() -> None:
    async def two() -> tuple[Gate, Gate]:
        return gate(), gate()

    first, again = run(two())
    assert first is again
    assert run(two())[0] is not first
