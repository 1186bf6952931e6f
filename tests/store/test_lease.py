"""One writer at a time on a database that several machines reach, and what a PostgreSQL does to its clients."""

from __future__ import annotations

import asyncio
import os

import pytest
import sqlalchemy as sa

from ockle.common.errors import StoreBroken, StoreError
from ockle.store.lease import Lease
from ockle.store.store import Store
from store_site import connected


def opened(url: str) -> Store:
    store = Store(url)
    store.open()
    return store


def test_the_second_one_is_refused_by_name_of_the_first(postgresql: str) -> None:
    first = opened(postgresql)
    with pytest.raises(StoreError, match=rf"another daemon \(process {os.getpid()} on \S+\) uses it"):
        opened(postgresql)
    asyncio.run(first.close())
    asyncio.run(opened(postgresql).close())  # an orderly end makes room at once


def test_who_ended_on_this_machine_is_not_waited_for(postgresql: str) -> None:
    store = opened(postgresql)
    asyncio.run(store.close())
    dead = Lease()
    with connected(postgresql) as connection:
        dead.take(connection)
        connection.execute(sa.text("UPDATE lease SET pid = 4194305"))  # above the highest that Linux gives
    asyncio.run(opened(postgresql).close())


def test_who_was_silent_too_long_commits_nothing_more(postgresql: str) -> None:
    ends: list[StoreBroken] = []

    async def work() -> None:
        frozen = opened(postgresql)
        frozen.on_broken = ends.append
        with connected(postgresql) as connection:
            connection.execute(sa.text("UPDATE lease SET beat = beat - 60"))
        other = opened(postgresql)
        frozen.put("intents", 1, server="nas", verb="off")
        with pytest.raises(StoreBroken, match="has taken over the store"):
            await frozen.commit()
        assert other.load("intents") == []
        frozen._pending.clear()
        await frozen.close()
        other.put("intents", 2, server="nas", verb="on")
        await other.commit()
        await other.close()

    asyncio.run(work())
    assert len(ends) == 1


def test_an_idle_one_stays_the_writer(postgresql: str) -> None:
    async def work() -> None:
        store = opened(postgresql)
        with connected(postgresql) as connection:
            connection.execute(sa.text("UPDATE lease SET beat = beat - 12"))
        store._beaten = float("-inf")
        await store.beat()
        with pytest.raises(StoreError, match="was there 0 s ago"):
            opened(postgresql)
        await store.close()

    asyncio.run(work())


def test_a_connection_that_is_lost_comes_back_and_nothing_is_missing(postgresql: str) -> None:
    async def work() -> None:
        store = opened(postgresql)
        for number in range(1, 6):
            store.put("intents", number, server="nas", verb="on")
            with connected(postgresql) as connection:
                connection.execute(
                    sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
                )
            await store.commit()
        assert [row["id"] for row in store.load("intents", order="id")] == [1, 2, 3, 4, 5]
        await store.close()

    asyncio.run(work())


@pytest.mark.parametrize(("code", "times", "written"), [("40001", 3, True), ("40P01", 1, True), ("40001", 99, False)])
def test_a_transaction_that_met_another_is_tried_again(postgresql: str, code: str, times: int, written: bool) -> None:
    store = opened(postgresql)
    left = times

    def work(connection: sa.Connection) -> None:
        nonlocal left
        connection.execute(sa.text("INSERT INTO intents (id) VALUES (1)"))
        if left:
            left -= 1
            connection.execute(sa.text(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$"))

    if written:
        store._transact(work)
    else:
        with pytest.raises(StoreError):
            store._transact(work)
    assert len(store.load("intents")) == written
    asyncio.run(store.close())
