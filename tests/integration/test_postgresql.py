"""The store on a PostgreSQL that nobody here wrote: the same rows, the same promises as on SQLite."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ockle.common.errors import StoreError
from ockle.engine.engine import Engine
from ockle.engine.runs import RunState
from ockle.networkTree.facts import Desired
from ockle.store.store import Store
from peers_postgres import postgres
from rig import Rig

pytest.importorskip("psycopg", reason="psycopg is not installed (the extra postgresql)")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="ockle-pg-") as folder:
        Path(folder).chmod(0o755)
        with postgres(Path(folder)) as address:
            yield address


def test_rows_are_inserted_updated_read_and_pruned(url: str) -> None:
    async def work() -> None:
        store = Store(url)
        store.open()
        store.put("servers", "nas", desired="on", start_attempts=1, shutdown_sent=True)
        store.put("runs", 1, state="running", created=1.5, body={"targets": ["nas"], "note": "ümläut"})
        await store.commit()
        store.put("servers", "nas", start_attempts=2)
        for number in range(1, 6):
            store.put("intents", number, server="nas", verb="on")
        await store.commit()
        [row] = store.load("servers")
        assert (row["desired"], row["start_attempts"], row["shutdown_sent"]) == ("on", 2, True)
        assert store.load("runs")[0]["body"] == {"targets": ["nas"], "note": "ümläut"}
        store.prune("intents", 2)
        assert [row["id"] for row in store.load("intents", order="-id")] == [5, 4]
        for table in ("servers", "runs", "intents"):
            store.prune(table, 0)
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

    again.play(second)


def test_a_server_that_is_not_there_is_told_without_the_password(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        Store("postgresql+psycopg://ockle:hunter2@127.0.0.1:1/none").open()
    assert "127.0.0.1" in str(caught.value)
    assert "hunter2" not in str(caught.value)
