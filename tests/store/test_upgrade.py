"""A store of the first version, written by the first version in the middle of a run, comes up and goes on."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ockle.common.errors import StoreError
from ockle.engine.engine import Engine
from ockle.engine.event_log import EventLog
from ockle.engine.runs import RunState
from ockle.networkTree.facts import Desired
from ockle.store import schema, tables
from ockle.store.store import Store
from rig import Rig
from store_site import connected

V1 = Path(__file__).with_name("store_v1.sql")
"""Dump of a store at schema 1: c is forced off, d is held, and run 2 (b, which needs a) is half done."""


@pytest.fixture
def old(url: str, tmp_path: Path) -> str:
    """The URL of a database at schema 1."""
    file = tmp_path / ("state.db" if url.startswith("sqlite") else "v1.db")
    with sqlite3.connect(file) as database:
        database.executescript(V1.read_text())
    database.close()
    if not url.startswith("sqlite"):
        _copy(f"sqlite:///{file}", url)
    return url


def _copy(source: str, target: str) -> None:
    metadata = sa.MetaData()
    read, write = sa.create_engine(source), sa.create_engine(target)
    metadata.reflect(read)
    with read.connect() as rows, write.begin() as connection:
        metadata.create_all(connection)
        for table in metadata.sorted_tables:
            if found := [dict(row) for row in rows.execute(sa.select(table)).mappings()]:
                connection.execute(table.insert(), found)
    read.dispose()
    write.dispose()


def test_an_open_run_goes_on_and_what_was_ordered_is_known(old: str) -> None:
    rig = Rig({"a": [], "b": ["a"], "c": [], "d": []}, store=old)
    for name in ("a", "d"):  # as the first version left them
        rig[name].relays = {f"{name}.psu1": True}
        rig[name].os = "up"

    async def scenario(engine: Engine) -> list[str]:
        c, d = (engine.network.getServernode(name).facts for name in "cd")
        assert (c.forced, c.forced_note) == (Desired.OFF, "being repaired")
        assert (d.held, d.desired) == ("disk is being copied", Desired.ON)
        assert engine.remembered_auto is True
        run = engine.runs.get(2)
        assert engine.runs.get(1).state is RunState.DONE
        await asyncio.wait_for(run.finished.wait(), 600)
        assert run.state is RunState.DONE
        assert engine.durations._known == {"on d": [10.392], "off c": [0.0]} | {
            key: value for key, value in engine.durations._known.items() if key[-1] in "ab"
        }
        EventLog(engine.store, rig.events, None, 100)  # type: ignore[arg-type]
        return [event.text for event in rig.events.since(0)]

    texts = rig.play(scenario)
    assert rig.states() == {"a": "OK", "b": "OK", "c": "Forced off", "d": "OK"}
    assert rig.broken() == []
    assert [sight.what for sight in rig.sights if sight.what.startswith("SET")] == ["SET b.psu1 on"]
    assert "c: force off" in texts


def test_all_or_nothing(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(connection: sa.Connection) -> None:
        schema._to_2(connection)
        raise StoreError("the power went")

    store = Store(old)
    with monkeypatch.context() as patch:
        patch.setitem(schema.STATE.migrations, 2, dies)
        with pytest.raises(StoreError, match="the power went"):
            store.open()
    with connected(old) as connection:
        assert schema.STATE.found(connection) == 1
        names = {column["name"] for column in sa.inspect(connection).get_columns("servers")}
    assert "forced_by" not in names
    again = Store(old)
    again.open()
    assert {row["name"] for row in again.load("servers")} == {"a", "b", "c", "d"}
    assert again.load("outlets") == []
    asyncio.run(again.close())


def test_the_file_is_kept_as_it_was_and_its_events_move(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "state.db") as database:
        database.executescript(V1.read_text())
    database.close()
    store = Store.for_file(tmp_path / "state.db")
    store.open()
    assert len(store.log.load("events")) == 10
    asyncio.run(store.close())
    assert _dump(tmp_path / "state.schema-1.db") == V1.read_text()
    assert {"events", "durations"} & _tables(tmp_path / "state.db") == set()
    assert _tables(tmp_path / "log.db") == {"events", "durations", "meta"}


def test_the_new_tables_are_those_of_a_new_store(old: str, tmp_path: Path) -> None:
    """What a migration adds has to be what a new database has; but for the order of the columns."""
    store = Store(old)
    store.open()
    asyncio.run(store.close())
    with connected(old) as connection:
        inspector = sa.inspect(connection)
        for name, table in tables.STATE.tables.items():
            found = {column["name"]: str(column["type"]) for column in inspector.get_columns(name)}
            dialect = connection.dialect
            wanted = {column.name: column.type.compile(dialect) for column in table.columns}
            assert _plain(found) == _plain(wanted), name


def _plain(types: dict[str, Any]) -> dict[str, str]:
    return {name: str(text).replace("DOUBLE PRECISION", "FLOAT") for name, text in types.items()}


def _dump(file: Path) -> str:
    with sqlite3.connect(file) as database:
        text = "\n".join(database.iterdump()) + "\n"
    database.close()
    return text


def _tables(file: Path) -> set[str]:
    with sqlite3.connect(file) as database:
        names = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    database.close()
    return names
