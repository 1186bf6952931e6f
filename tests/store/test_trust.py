"""What cannot be trusted is set aside, replaced by the next best, and nothing is sent until a person has looked."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ockle.common.errors import CommandError, StoreBroken, StoreError, StoreFull
from ockle.engine.engine import Engine
from ockle.engine.runs import RunState
from ockle.networkTree.facts import Desired
from ockle.store.critical import Content, Critical
from ockle.store.recovery import SAFE_MODE, make_sound
from ockle.store.snapshots import Snapshots
from ockle.store.store import Store
from rig import Rig

TEXTS = st.text(max_size=60)
FORCES = st.dictionaries(TEXTS, st.fixed_dictionaries({"forced": st.just("off"), "held": TEXTS}), max_size=200)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store with an open run, a force, a hold and an order, closed; the force is newer than its snapshot."""
    path = tmp_path / "state.db"

    async def write(**values: Any) -> None:
        store = Store.for_file(path)
        store.open()
        store.put("servers", values.pop("name"), **values)
        store.put("meta", "auto", value="on")
        store.put("runs", 7, state="running", created=1.0, body={})
        await store.close()

    asyncio.run(write(name="db", desired="on", held="", forced=None))
    asyncio.run(write(name="nas", desired="on", held="being copied", forced=None))
    Snapshots(path).take()
    asyncio.run(write(name="db", desired="off", forced="off", forced_note="\ud800 repaired"))
    return path


def known(file: Path) -> dict[str, dict[str, Any]]:
    store = Store.for_file(file)
    store.open()
    servers, meta = store.load("servers"), {row["name"]: row["value"] for row in store.load("meta")}
    runs = store.load("runs")
    asyncio.run(store.close())
    return {row["name"]: row for row in servers} | {"meta": meta, "runs": {row["id"]: row for row in runs}}


def check_restored(file: Path, said: str) -> None:
    found = known(file)
    assert (found["db"]["desired"], found["db"]["forced"], found["nas"]["held"]) == ("off", "off", "being copied")
    assert found["meta"]["auto"] == "off"
    assert found["meta"][SAFE_MODE] == said
    assert found["runs"] == {}
    assert make_sound(file) == ""


def test_a_sound_store_is_left_alone(file: Path) -> None:
    before = file.read_bytes()
    assert make_sound(file) == ""
    assert file.read_bytes() == before
    assert known(file)["meta"]["auto"] == "on"


def test_where_there_never_was_one_none_is_missed(tmp_path: Path) -> None:
    assert make_sound(tmp_path / "state.db") == ""


@pytest.mark.parametrize("harm", ["header", "page", "text", "truncated", "emptied", "removed"])
def test_damage_is_told_and_the_newest_orders_are_kept(file: Path, harm: str) -> None:
    if harm == "header":
        with file.open("r+b") as raw:
            raw.write(b"nonsense")
    elif harm == "page":
        with file.open("r+b") as raw:
            raw.seek(4096)
            raw.write(os.urandom(8192))
    elif harm == "text":  # SQLite quotes it in its complaint, which then cannot be decoded
        file.write_bytes(file.read_bytes().replace(b"CREATE TABLE", b"CREATE\xff\xbaTABL"))
    elif harm == "truncated":
        os.truncate(file, 6000)
    elif harm == "emptied":
        os.truncate(file, 0)
    else:
        file.unlink()
    said = make_sound(file)
    assert "restored from the snapshot state-000001.db" in said
    assert len(list(file.parent.glob("state.damaged-*.db"))) == (harm != "removed")
    check_restored(file, said)


def test_without_a_snapshot_the_second_copy_has_the_orders(file: Path) -> None:
    for snapshot in Snapshots(file).list():
        snapshot.write_bytes(b"damaged, too")
    file.write_bytes(b"nonsense" * 1000)
    said = make_sound(file)
    assert "no sound snapshot" in said
    check_restored(file, said)


def test_a_store_that_was_trusted_anew_stays_trusted(file: Path) -> None:
    async def resume() -> None:
        store = Store.for_file(file)
        store.open()
        store.put("meta", SAFE_MODE, value="")
        await store.close()

    file.write_bytes(b"nonsense" * 1000)
    assert make_sound(file)
    asyncio.run(resume())
    assert make_sound(file) == ""


def test_commits_that_are_gone_are_noticed(file: Path) -> None:
    """A write-ahead log that is lost or damaged leaves a sound database behind that only lacks the newest commits."""
    [snapshot] = Snapshots(file).list()
    file.write_bytes(snapshot.read_bytes())
    said = make_sound(file)
    assert "lost its newest changes" in said
    check_restored(file, said)


def test_a_value_that_changed_by_itself_is_noticed(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE servers SET name = 'dc' WHERE name = 'db'")  # one bit of the page, and sound
    said = make_sound(file)
    assert "differs from the second copy: db, dc" in said
    check_restored(file, said)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE servers SET desired = 'oo' WHERE name = 'nas'",
        "UPDATE servers SET start_attempts = 'x'",
        "UPDATE runs SET body = '{'",
        "UPDATE intents SET at = 'x'",
        "DROP TABLE intents",
        "UPDATE meta SET value = 'two' WHERE name = 'schema'",
    ],
)
def test_a_row_that_makes_no_sense_is_damage(file: Path, change: str) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("INSERT INTO intents (id, at) VALUES (1, 1.0)")
        database.execute(change)
    check_restored(file, make_sound(file))


def test_a_newer_store_is_not_damaged(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE meta SET value = '99' WHERE name = 'schema'")
    assert make_sound(file) == ""
    with pytest.raises(StoreError, match="newer Ockle"):
        Store.for_file(file).open()


# -- the second copy


@given(FORCES, FORCES, st.integers(0, 2**40))
def test_the_second_copy_comes_back_and_the_other_slot_survives(
    tmp_path_factory: pytest.TempPathFactory, first: dict[str, Any], second: dict[str, Any], number: int
) -> None:
    folder = tmp_path_factory.mktemp("critical")
    critical = Critical(folder / "state.db")
    one, two = (Content({name: dict(row) for name, row in rows.items()}, {"auto": "on"}) for rows in (first, second))
    critical.write(number, one)
    critical.write(number + 1, two)
    assert critical.read() == (number + 1, two)
    newest = folder / ("state.critical-a" if number % 2 else "state.critical-b")
    data = bytearray(newest.read_bytes())
    data[len(data.rstrip(b"\0")) - 1] ^= 4
    newest.write_bytes(data)
    assert critical.read() == (number, one)
    assert critical.damaged() == [newest]


def test_snapshots_are_numbered_and_few(file: Path) -> None:
    snapshots = Snapshots(file, keep=3)
    assert not snapshots.due()
    for _more in range(4):
        snapshots.take()
    assert [one.name for one in snapshots.list()] == ["state-000005.db", "state-000004.db", "state-000003.db"]
    os.utime(snapshots.list()[0], (0, 0))
    assert snapshots.due()
    os.utime(snapshots.list()[0], (2**33, 2**33))  # a clock that was set back later
    assert snapshots.due()


# -- a full disk, a broken disk


async def until(holds: Callable[[], bool]) -> None:
    """Let time pass until something holds; the disk takes time that a virtual clock does not see."""
    for _second in range(10_000):
        if holds():
            return
        await asyncio.sleep(1)
    raise AssertionError("it never came")


def fill(store: Store) -> None:
    """Let the database of ``store`` grow no further."""
    assert store._engine is not None
    with store._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")


def test_on_a_full_disk_the_log_gives_way_and_comes_back_whole(tmp_path: Path) -> None:
    rig = Rig({"a": []}, store=f"sqlite:///{tmp_path / 'state.db'}")

    async def scenario(engine: Engine) -> None:
        store = engine.store
        store.log.put("events", 1, text="before")
        await store.log.flush()
        fill(store)
        with pytest.raises(StoreFull):
            await engine.hold("a", True, "x" * 100_000)
        node = engine.network.getServernode("a")
        node.facts.error = "y" * 100_000
        engine.core.journal.save(node)
        await until(lambda: not (tmp_path / "log.db").exists())  # the watch tries, and has the log removed
        assert engine._store_watch.fault
        with pytest.raises(StoreError):
            await engine.order("on", ["a"], who="test")
        assert store._engine is not None
        with store._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count=1000000")
        await until(lambda: not engine._store_watch.fault)
        store.log._paused_until = 0.0
        engine.durations.learn("a", "on", 3.0)
        await until(lambda: not store.log.fault and bool(store.log.load("durations")))
        assert {row["name"] for row in store.log.load("durations")} == {"on a"}

    rig.play(scenario)
    assert rig.sights == []


def test_a_damaged_log_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "log.db").write_bytes(b"nonsense" * 1000)
    store = Store.for_file(tmp_path / "state.db")
    store.open()
    assert store.log.load("events") == []
    asyncio.run(store.close())
    assert len(list(tmp_path.glob("log.damaged-*.db"))) == 1


def test_damage_found_while_it_runs_ends_the_daemon(file: Path) -> None:
    ends: list[StoreBroken] = []

    async def work() -> None:
        store = Store.for_file(file)
        store.on_broken = ends.append
        store.open()
        with closing(sqlite3.connect(file)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with file.open("r+b") as raw:
            raw.seek(100)  # behind the header
            raw.write(b"\xff" * (file.stat().st_size - 100))
        store.put("servers", "db", desired="on")
        with pytest.raises(StoreBroken):
            await store.commit()
        store._pending.clear()
        await store.close()

    asyncio.run(work())
    assert ends
    assert "SQLITE_CORRUPT" in str(ends[0])


# -- safe mode


def test_in_safe_mode_nothing_is_sent_until_a_person_has_looked(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    needs: dict[str, list[str]] = {"a": [], "b": ["a"]}
    first = Rig(needs, store=url)

    async def begin(engine: Engine) -> None:
        await engine.order("on", ["b"], who="test")
        await engine.set_auto(True)
        engine.store.put("meta", SAFE_MODE, value="the disk is old")
        await engine.store.commit()

    first.play(begin)
    second = Rig(needs, store=url)

    async def look(engine: Engine) -> None:
        node = engine.network.getServernode("a")
        await engine.set_auto(True)
        await asyncio.sleep(300)
        assert [run.id for run in engine.runs.running()] == [1]
        assert "the disk is old" in node.why
        assert "the disk is old" in engine.why("a")["reasons"][0]["text"]
        for order in (
            engine.order("on", ["a"], who="test"),
            engine.force("a", Desired.ON),
            engine.by_hand.switch_outlet(node, node.outlets[0], True),
            engine.by_hand.switch_control(node, node.controls[0], False),
        ):
            with pytest.raises(CommandError, match="ockle resume"):
                await order
        assert second.sights == []
        await engine.resume("a person")
        await asyncio.wait_for(engine.runs.get(1).finished.wait(), 600)
        assert engine.runs.get(1).state is RunState.DONE

    second.play(look)
    assert second.states() == {"a": "OK", "b": "OK"}
    third = Rig(needs, store=url)

    async def again(engine: Engine) -> None:
        assert engine.core.safe_mode == ""

    third.play(again)
