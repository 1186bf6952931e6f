"""The durable store: what is committed is there, what shares a moment shares a commit, failures are told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from ockle.common.errors import StoreError
from ockle.engine.engine import Engine
from ockle.engine.runs import RunState
from ockle.networkTree.facts import Desired
from ockle.store import tables
from ockle.store.store import Store
from rig import Rig
from store_site import connected


def opened(url: str) -> Store:
    store = Store(url)
    store.open()
    return store


def test_what_was_committed_is_there_for_the_next_one(url: str) -> None:
    async def work() -> None:
        store = opened(url)
        store.put("servers", "nas", desired="on", start_attempts=2, shutdown_sent=True)
        store.put("runs", 1, state="running", created=1.5, body={"targets": ["nas"], "note": "ümläut"})
        await store.commit()
        store.put("servers", "nas", start_attempts=3)
        await store.close()

    asyncio.run(work())
    store = opened(url)
    [row] = store.load("servers")
    assert (row["name"], row["desired"], row["start_attempts"], row["shutdown_sent"]) == ("nas", "on", 3, True)
    assert store.load("runs")[0]["body"] == {"targets": ["nas"], "note": "ümläut"}
    asyncio.run(store.close())


def test_intents_of_one_moment_share_a_commit(url: str) -> None:
    async def intend(store: Store, number: int) -> None:
        store.put("intents", number, server=f"s{number}", verb="on")
        await store.commit()

    async def work() -> int:
        store = opened(url)
        await asyncio.gather(*(intend(store, number) for number in range(100)))
        assert len(store.load("intents")) == 100
        commits = store.commits
        await store.close()
        return commits

    assert asyncio.run(work()) <= 2


def test_the_state_is_durable_the_log_only_consistent_and_both_hold_few_pages(tmp_path: Path) -> None:
    store = Store.for_file(tmp_path / "state.db")
    store.open()
    for database, level in ((store, 2), (store.log, 1)):  # FULL, NORMAL
        assert database._engine is not None
        with database._engine.connect() as connection:
            assert connection.execute(sa.text("PRAGMA journal_mode")).scalar() == "wal"
            assert connection.execute(sa.text("PRAGMA synchronous")).scalar() == level
            assert connection.execute(sa.text("PRAGMA cache_size")).scalar() == -512  # kB in memory, not more
    asyncio.run(store.close())


def test_a_failed_commit_is_told_to_all_who_wait_and_tried_again_with_the_next(url: str) -> None:
    async def work() -> None:
        store = opened(url)
        with connected(url) as other:  # somebody takes the table away
            other.execute(sa.text("ALTER TABLE servers RENAME TO away"))
        store.put("servers", "a", desired="on")
        results = await asyncio.gather(store.commit(), store.commit(), return_exceptions=True)
        assert all(isinstance(result, StoreError) for result in results)
        assert "servers" in str(results[0])
        with connected(url) as other:
            other.execute(sa.text("ALTER TABLE away RENAME TO servers"))
        store.put("servers", "b", desired="off")
        await store.commit()
        assert {row["name"]: row["desired"] for row in store.load("servers")} == {"a": "on", "b": "off"}
        await store.close()

    asyncio.run(work())


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////nonexistent/dir/state.db",
        "postgresql+nodriver://u:pw@127.0.0.1:1/db",
        "postgresql+psycopg://ockle:pw@127.0.0.1:1/none",
        "mysql://u:pw@127.0.0.1:1/db",
        "u:pw@host/db",
    ],
)
def test_a_store_that_cannot_be_opened_says_so_without_the_password(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        Store(url).open()
    assert "pw" not in str(caught.value)


def test_pruning_keeps_the_newest(url: str) -> None:
    async def work() -> None:
        store = opened(url)
        for number in range(1, 31):
            store.put("intents", number, verb="on")
            store.log.put("events", number, text=str(number))
        await store.commit()
        await store.log.flush()
        for database, table in ((store, "intents"), (store.log, "events")):
            database.prune(table, 10)
            assert [row["id"] for row in database.load(table, order="id")] == list(range(21, 31))
            assert [row["id"] for row in database.load(table, order="-id", limit=2)] == [30, 29]
        await store.close()

    asyncio.run(work())


def test_a_commit_that_was_cancelled_lets_the_next_one_through(url: str) -> None:
    async def work() -> None:
        store = opened(url)
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


def test_a_network_is_switched_and_remembered(url: str) -> None:
    rig = Rig({"a": [], "b": ["a"]}, store=url)

    async def first(engine: Engine) -> None:
        run = await engine.order("on", ["b"], who="test")
        await run.finished.wait()
        assert run.state is RunState.DONE
        await engine.force("b", Desired.OFF, "kept")
        await asyncio.sleep(30)

    rig.play(first)
    assert rig.broken() == []
    again = Rig({"a": [], "b": ["a"]}, store=url)

    async def second(engine: Engine) -> None:
        assert engine.network.getServernode("b").facts.forced is Desired.OFF
        assert engine.network.getServernode("a").facts.desired is Desired.ON
        assert engine.runs.get(1).state is RunState.DONE
        assert engine.durations._known["on b"]

    again.play(second)


def test_a_newer_store_is_refused_and_left_alone(url: str) -> None:
    asyncio.run(opened(url).close())
    with connected(url) as connection:
        connection.execute(tables.meta.update().where(tables.meta.c.name == "schema").values(value="99"))
    with pytest.raises(StoreError, match=r"cannot open the store .* newer Ockle \(schema 99"):
        opened(url)
    with connected(url) as connection:
        assert ("schema", "99") in {(row["name"], row["value"]) for row in tables.select(connection, "meta")}
