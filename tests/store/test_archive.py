"""Backup and restore, and copies from one kind of database to another."""

from __future__ import annotations

import asyncio
import stat
import tarfile
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ockle.common.errors import StoreError
from ockle.store import archive
from ockle.store.integrity import damage
from ockle.store.recovery import SAFE_MODE, make_sound
from ockle.store.schema import LOG
from ockle.store.snapshots import Snapshots
from ockle.store.store import Store
from ockle.store.transfer import copy_database
from store_site import connected


def write(url: str, **servers: str) -> None:
    async def work() -> None:
        store = Store(url)
        store.open()
        for name, desired in servers.items():
            store.put("servers", name, desired=desired, held="kept ümläut \ud800", retry_in=0.1, shutdown_sent=True)
        store.put("meta", "auto", value="on")
        store.put("runs", 3, state="running", created=1.5, body={"note": None, "x": [1, 2.5, "ä"]})
        store.put("intents", 2**40, verb="on", at=1e9 / 3)
        store.log.put("events", 4, time=0.1, text="hm", data={})
        await store.close()

    asyncio.run(work())


def read(url: str) -> dict[str, list[dict[str, Any]]]:
    store = Store(url)
    store.open()
    found = {
        name: store.load(name, order="id" if name in ("runs", "intents") else "name")
        for name in ("servers", "runs", "intents", "meta")
    }
    asyncio.run(store.close())
    return found


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    (folder / "servers").mkdir(parents=True)
    (folder / "config.ini").write_text("[main]\n")
    (folder / "servers" / "nas.ini").write_text("[server]\n")
    return folder


def test_what_was_backed_up_comes_back_and_what_was_there_is_kept(url: str, etc: Path, tmp_path: Path) -> None:
    write(url, nas="on", db="off")
    target = tmp_path / "backup.tar.gz"
    assert archive.write_backup(target, etc, url, "1.0") == ["the configuration", "the state"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    before = read(url)
    write(url, nas="off", late="on")
    (etc / "servers" / "nas.ini").write_text("[server]\ncomment = later\n")
    (etc / "servers" / "late.ini").write_text("")
    with archive.opened(target) as backup:
        assert backup.state is not None
        kept = archive.restore_state(backup, url, tmp_path)
        former = archive.restore_etc(backup, etc)
    assert kept is not None
    assert damage(kept) == ""
    assert {row["name"] for row in read(f"sqlite:///{kept}")["servers"]} == {"nas", "db", "late"}
    assert former is not None
    assert (former / "servers" / "late.ini").exists()
    assert sorted(path.name for path in (etc / "servers").iterdir()) == ["nas.ini"]
    assert (etc / "servers" / "nas.ini").read_text() == "[server]\n"
    if url.startswith("sqlite"):
        assert make_sound(tmp_path / "state.db") == ""
    after = read(url)
    assert after["servers"] == before["servers"]
    assert after["runs"] == []
    meta = {row["name"]: row["value"] for row in after["meta"]}
    assert meta["auto"] == "off"
    assert "restored from a backup" in meta[SAFE_MODE]


def test_a_backup_is_made_while_the_daemon_writes(url: str, etc: Path, tmp_path: Path) -> None:
    async def work() -> None:
        store = Store(url)
        store.open()
        store.put("servers", "nas", desired="on")
        await store.commit()
        await asyncio.to_thread(archive.write_backup, tmp_path / "backup.tar.gz", etc, url, "1.0")
        await store.close()

    asyncio.run(work())
    with archive.opened(tmp_path / "backup.tar.gz") as backup:
        assert backup.state is not None
        assert [row["name"] for row in read(f"sqlite:///{backup.state}")["servers"]] == ["nas"]


def test_it_never_overwrites_and_leaves_nothing_half(etc: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    write(url, nas="on")
    target = tmp_path / "backup.tar.gz"
    target.write_text("mine")
    with pytest.raises(StoreError, match="exists already"):
        archive.write_backup(target, etc, url, "1.0")
    assert target.read_text() == "mine"
    with pytest.raises(StoreError, match="cannot write"):
        archive.write_backup(tmp_path / "none" / "backup.tar.gz", etc, url, "1.0")


@pytest.mark.parametrize("harm", ["nonsense", "cut", "no manifest", "damaged state"])
def test_what_is_no_backup_is_refused(harm: str, etc: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    write(url, nas="on")
    target = tmp_path / "backup.tar.gz"
    if harm == "damaged state":
        Snapshots(tmp_path / "state.db").take()
        (tmp_path / "bad.db").write_bytes(b"nonsense" * 999)
        with tarfile.open(target, "w:gz") as made:
            archive._add_text(made, "manifest.json", '{"format": 1, "time": 1, "state": true}')
            made.add(tmp_path / "bad.db", "state.db")
    else:
        archive.write_backup(target, etc, url, "1.0")
        data = target.read_bytes()
        target.write_bytes({"nonsense": b"x" * 100, "cut": data[: len(data) // 2], "no manifest": b""}[harm])
    with pytest.raises(StoreError, match=r"is no backup of Ockle|is damaged"), archive.opened(target):
        pass


def test_an_archive_that_reaches_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "backup.tar.gz"
    with tarfile.open(target, "w:gz") as made:
        archive._add_text(made, "../../evil", "x")
        archive._add_text(made, "manifest.json", '{"format": 1, "time": 1, "state": false}')
    with pytest.raises(StoreError), archive.opened(target):
        pass


def test_a_store_moves_to_another_database_and_back(postgresql: str, tmp_path: Path) -> None:
    first, last = (f"sqlite:///{tmp_path / name}.db" for name in ("first", "last"))
    write(first, nas="on", db="off")
    rows = copy_database(first, postgresql)
    empty = dict.fromkeys(("outlets", "users", "tokens", "sessions", "audit"), 0)
    assert rows == {"servers": 2, "intents": 1, "runs": 1, "meta": 1, **empty}
    assert copy_database(f"sqlite:///{tmp_path / 'first-log.db'}", postgresql, LOG)["events"] == 1
    copy_database(postgresql, last)
    one, two = read(first), read(last)
    assert [one[name] for name in ("servers", "runs", "intents")] == [
        two[name] for name in ("servers", "runs", "intents")
    ]
    assert make_sound(tmp_path / "last.db") == ""


def test_a_copy_takes_only_an_empty_target_that_nobody_uses(postgresql: str, tmp_path: Path) -> None:
    source = f"sqlite:///{tmp_path / 'state.db'}"
    write(source, nas="on")
    user = Store(postgresql)
    user.open()
    with pytest.raises(StoreError, match=r"another daemon .* stop it first"):
        copy_database(source, postgresql)
    asyncio.run(user.close())
    copy_database(source, postgresql)
    with pytest.raises(StoreError, match="not empty"):
        copy_database(source, postgresql)
    with pytest.raises(StoreError, match="holds no store"):
        copy_database(f"sqlite:///{tmp_path / 'empty.db'}", postgresql)


def test_a_copy_that_did_not_arrive_changes_nothing(postgresql: str, tmp_path: Path) -> None:
    source = f"sqlite:///{tmp_path / 'state.db'}"
    write(source, nas="on", db="off")
    asyncio.run(_closed(postgresql))
    with connected(postgresql) as connection:  # the target changes what it is given
        connection.execute(
            sa.text(
                "CREATE FUNCTION spoil() RETURNS trigger AS $$ BEGIN NEW.at = 1; RETURN NEW; END $$ LANGUAGE plpgsql; "
                "CREATE TRIGGER spoil BEFORE INSERT ON intents FOR EACH ROW EXECUTE FUNCTION spoil()"
            )
        )
    with pytest.raises(StoreError, match="the table intents did not arrive as it was"):
        copy_database(source, postgresql)
    assert read(postgresql)["servers"] == []


async def _closed(url: str) -> None:
    store = Store(url)
    store.open()
    await store.close()
