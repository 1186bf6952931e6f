"""The durable store: what is committed is there, what shares a moment shares a commit, failures are told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from ockle.common.errors import StoreError
from ockle.store import tables
from ockle.store.store import Store


def opened(path: Path) -> Store:
    store = Store.for_file(path / "state.db")
    store.open()
    return store


def test_what_was_committed_is_there_for_the_next_one(tmp_path: Path) -> None:
    async def work() -> None:
        store = opened(tmp_path)
        store.put("servers", "nas", desired="on", start_attempts=2)
        await store.commit()
        store.put("servers", "nas", start_attempts=3)
        await store.close()

    asyncio.run(work())
    store = opened(tmp_path)
    [row] = store.load("servers")
    assert (row["name"], row["desired"], row["start_attempts"]) == ("nas", "on", 3)
    asyncio.run(store.close())


def test_intents_of_one_moment_share_a_commit(tmp_path: Path) -> None:
    async def intend(store: Store, number: int) -> None:
        store.put("intents", number, server=f"s{number}", verb="on")
        await store.commit()

    async def work() -> int:
        store = opened(tmp_path)
        await asyncio.gather(*(intend(store, number) for number in range(100)))
        assert len(store.load("intents")) == 100
        commits = store.commits
        await store.close()
        return commits

    assert asyncio.run(work()) <= 2


def test_it_is_durable_and_not_only_consistent(tmp_path: Path) -> None:
    store = opened(tmp_path)
    with sa.create_engine(store.url).connect() as connection:
        assert connection.execute(sa.text("PRAGMA journal_mode")).scalar() == "wal"
    assert store._engine is not None
    with store._engine.connect() as connection:
        assert connection.execute(sa.text("PRAGMA synchronous")).scalar() == 2  # FULL
    asyncio.run(store.close())


def test_a_failed_commit_is_told_to_all_who_wait_and_tried_again_with_the_next(tmp_path: Path) -> None:
    async def work() -> None:
        store = opened(tmp_path)
        with sa.create_engine(store.url).begin() as other:  # somebody takes the table away
            other.execute(sa.text("ALTER TABLE servers RENAME TO away"))
        store.put("servers", "a", desired="on")
        results = await asyncio.gather(store.commit(), store.commit(), return_exceptions=True)
        assert all(isinstance(result, StoreError) for result in results)
        assert "servers" in str(results[0])
        with sa.create_engine(store.url).begin() as other:
            other.execute(sa.text("ALTER TABLE away RENAME TO servers"))
        store.put("servers", "b", desired="off")
        await store.commit()
        assert {row["name"]: row["desired"] for row in store.load("servers")} == {"a": "on", "b": "off"}
        await store.close()

    asyncio.run(work())


def test_a_newer_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    store = opened(tmp_path)
    asyncio.run(store.close())
    with sa.create_engine(store.url).begin() as connection:
        connection.execute(tables.meta.update().values(value="99"))
    with pytest.raises(StoreError, match="newer Ockle"):
        opened(tmp_path)


@pytest.mark.parametrize("url", ["sqlite:////nonexistent/dir/state.db", "postgresql+nodriver://u:pw@127.0.0.1:1/db"])
def test_a_store_that_cannot_be_opened_says_so_without_the_password(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        Store(url).open()
    assert "pw" not in str(caught.value)


def test_pruning_keeps_the_newest(tmp_path: Path) -> None:
    async def work() -> None:
        store = opened(tmp_path)
        for number in range(1, 31):
            store.put("events", number, text=str(number))
        await store.commit()
        store.prune("events", 10)
        assert [row["id"] for row in store.load("events", order="id")] == list(range(21, 31))
        assert [row["id"] for row in store.load("events", order="-id", limit=2)] == [30, 29]
        await store.close()

    asyncio.run(work())


def test_a_commit_that_was_cancelled_lets_the_next_one_through(tmp_path: Path) -> None:
    async def work() -> None:
        store = opened(tmp_path)
        store.put("servers", "a", desired="on")
        first = asyncio.ensure_future(store.commit())
        await asyncio.sleep(0)
        assert store._flushing is not None
        store._flushing.cancel()  # before its first step
        store.put("servers", "b", desired="off")
        await asyncio.wait_for(store.commit(), 10)
        await asyncio.wait_for(first, 10)
        assert {row["name"] for row in store.load("servers")} == {"a", "b"}
        await store.close()

    asyncio.run(work())
