"""Users and the audit log on every database, and how a store comes to have them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from ockle.common.access import Caller
from ockle.common.errors import StoreError
from ockle.store import schema, tables
from ockle.store.checkup import Level, examine
from ockle.store.database import Rows
from ockle.store.folder import StateFolder
from ockle.store.recovery import distrust
from ockle.store.store import Store
from ockle.users import passwords
from store_site import connected
from users_site import GOOD, UsersSite, settle

NEW = ("users", "tokens", "sessions", "audit")


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "LOG2_N", 4)


def test_on_every_database_it_reads_back_as_it_was_hashed(url: str) -> None:
    site = UsersSite(url)
    try:
        for number in range(10):
            site.clock.time += 0.1 + number / 7
            site.ok("switch", Caller("jürgen 🦕", "operator", "cli", "[::1]:9"), server="<\"nas'>", rev=number)
        secret = site.login(site.ok("userAdd", user="guy", role="admin", password=GOOD)["name"])
        token = site.ok("tokenAdd", name="ci", user="guy", expires_s=5)["token"]
        site.restart()
        assert site.granted(secret) is not None
        assert site.granted(token) is not None
        site.ok("userRemove", user=site.ok("userAdd", user="ann", role="viewer", password=GOOD)["name"])
        site.restart()
        assert site.ok("audit", check=True)["problem"] == ""
        assert [user["name"] for user in site.ok("users")["users"]] == ["guy"]
        site.users.audit.keep = 3
        site.users.audit._prune()
        settle(site)
        assert len(site.entries()) == 3
        assert site.ok("audit", check=True)["problem"] == ""
    finally:
        site.close()


def test_a_store_of_schema_2_gets_the_tables(url: str) -> None:
    store = Store(url)
    store.open()
    asyncio.run(store.close())
    with connected(url) as connection:
        for name in NEW:
            tables.STATE.tables[name].drop(connection)
        connection.execute(tables.meta.update().where(tables.meta.c.name == "schema").values(value="2"))
    site = UsersSite(url)
    try:
        site.ok("userAdd", user="guy", role="admin", password=GOOD)
        with connected(url) as connection:
            assert schema.STATE.found(connection) == 3
            assert set(sa.inspect(connection).get_table_names()) >= set(NEW)
    finally:
        site.close()


def test_rows_go_and_come_back_also_over_a_failed_commit(url: str) -> None:
    async def work() -> None:
        write = store._write

        def full(rows: Rows) -> None:
            raise StoreError(f"no room for {len(rows)} rows")

        async def fails() -> None:
            with pytest.raises(StoreError, match="no room"):
                await store.commit()

        def names() -> dict[str, Any]:
            return {row["name"]: row["role"] for row in store.load("users")}

        store.put("users", "a", role="viewer")
        store.put("users", "b", role="viewer")
        await store.commit()
        store.remove("users", "a")
        store.put("users", "a", role="admin")
        store.remove("users", "b")
        await store.commit()
        assert names() == {"a": "admin"}
        store._write = full  # type: ignore[method-assign]
        store.remove("users", "a")
        store.put("users", "c", role="viewer")
        await fails()
        store.put("users", "a", role="operator")
        store.remove("users", "c")
        await fails()
        store._write = write  # type: ignore[method-assign]
        await store.commit()
        assert names() == {"a": "operator"}

    store = Store(url)
    store.open()
    try:
        asyncio.run(work())
    finally:
        asyncio.run(store.close())


def test_after_a_restored_backup_nobody_is_logged_in(tmp_path: Any) -> None:
    site = UsersSite(f"sqlite:///{tmp_path / 'state.db'}")
    try:
        site.ok("userAdd", user="guy", role="admin", password=GOOD)
        secret = site.login("guy")
        token = site.ok("tokenAdd", name="ci", user="guy")["token"]
        site._close_store()
        distrust(tmp_path / "state.db", "restored")
        site._begin()
        assert site.granted(secret) is None
        assert site.granted(token) is not None
    finally:
        site.close()


def test_doctor_says_whether_the_audit_log_is_whole(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    site = UsersSite(url)
    try:
        for name in "abc":
            site.ok("switch", Caller(), server=name)
        found = {finding.level: finding.what for finding in examine(StateFolder(tmp_path, str(tmp_path)), url, None)}
        assert Level.FAULT not in found
        with connected(url) as connection:
            connection.execute(tables.audit.delete().where(tables.audit.c.id == 2))
        found = {finding.level: finding.what for finding in examine(StateFolder(tmp_path, str(tmp_path)), url, None)}
        assert found[Level.FAULT].endswith("entries 2 to 2 are missing")
    finally:
        site.close()
