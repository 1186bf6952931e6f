"""The durable store: what must be known again after a crash, committed before the switch that it is about.

SQLAlchemy Core on SQLite by default, on any other database by URL. One writer thread; what is put within one moment,
or while a commit is under way, shares the next commit.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from ..common.errors import StoreError
from . import tables

log = logging.getLogger(__name__)

Row = dict[str, Any]


class Store:
    """Rows go in with ``put``, are durable after ``await commit()``, and come back with ``load``.

    ``commits``  how many transactions were committed
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.commits = 0
        self._pending: dict[tuple[str, Any], Row] = {}  # (table, primary key) -> newest values
        self._waiting: list[asyncio.Future[None]] = []
        self._flushing: asyncio.Task[None] | None = None
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._engine: sa.Engine | None = None

    @classmethod
    def for_file(cls, path: Path) -> Store:
        return cls(f"sqlite:///{path}")

    def open(self) -> None:
        """Connect and create what is missing. Raises StoreError."""
        self._writer.submit(self._open).result(30)

    def _open(self) -> None:
        try:
            self._engine = _make_engine(self.url)
            tables.metadata.create_all(self._engine)
            self._check_version(self._engine)
        except (SQLAlchemyError, OSError) as error:
            raise StoreError(f"cannot open the store {_without_password(self.url)}: {_first_line(error)}") from error

    def _check_version(self, engine: sa.Engine) -> None:
        with engine.begin() as connection:
            found = connection.execute(
                sa.select(tables.meta.c.value).where(tables.meta.c.name == "schema")
            ).scalar_one_or_none()
            if found is None:
                connection.execute(tables.meta.insert(), {"name": "schema", "value": str(tables.SCHEMA)})
            elif int(found) > tables.SCHEMA:
                raise StoreError(
                    f"the store {_without_password(self.url)} was written by a newer Ockle (schema {found}, this one "
                    f"knows {tables.SCHEMA}): install that version again, or restore a backup"
                )

    # -- writing, on the device loop

    def put(self, table: str, key: Any, **values: Any) -> None:
        """Note that the row ``key`` of ``table`` shall have ``values``; the next commit writes it."""
        row = self._pending.get((table, key))
        if row is None:
            self._pending[table, key] = values
        else:
            row.update(values)

    async def commit(self) -> None:
        """Return once everything put so far is durable; raises StoreError if it cannot be."""
        if not self._pending and not self._is_flushing():
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        if not self._is_flushing():
            self._flushing = asyncio.get_running_loop().create_task(self._flush())
        await done

    def _is_flushing(self) -> bool:
        return self._flushing is not None and not self._flushing.done()  # done: cancelled before its first step

    async def _flush(self) -> None:
        try:
            await asyncio.sleep(0)  # whoever runs in this moment joins the commit
            while self._waiting:
                rows, self._pending = self._pending, {}
                waiting, self._waiting = self._waiting, []
                try:
                    await asyncio.get_running_loop().run_in_executor(self._writer, self._write, rows)
                except StoreError as error:
                    self._put_back(rows)
                    _settle(waiting, error)
                except asyncio.CancelledError:
                    self._put_back(rows)
                    _settle(waiting, StoreError("the store was stopped while it wrote"))
                    raise
                except Exception as bug:  # the outermost loop of the writer: who waits has to know, whatever it is
                    log.exception("writing the store ended by a bug")
                    self._put_back(rows)
                    _settle(waiting, StoreError(f"cannot write the store: {type(bug).__name__}: {bug}"))
                else:
                    _settle(waiting, None)
        finally:
            self._flushing = None

    def _put_back(self, rows: dict[tuple[str, Any], Row]) -> None:
        for key, row in rows.items():
            self._pending[key] = {**row, **self._pending.get(key, {})}

    def _write(self, rows: Mapping[tuple[str, Any], Row]) -> None:
        by_shape: dict[tuple[str, tuple[str, ...]], list[Row]] = {}
        for (table, key), row in rows.items():
            values = {name: _writable(value) for name, value in row.items()}
            by_shape.setdefault((table, tuple(row)), []).append({tables.KEYS[table]: key, **values})
        try:
            with self._connected().begin() as connection:
                for (table, _), group in by_shape.items():
                    tables.upsert(connection, table, group)
        except (SQLAlchemyError, OSError) as error:
            raise StoreError(f"cannot write the store: {_first_line(error)}") from error
        self.commits += 1

    # -- reading

    def load(self, table: str, *, order: str | None = None, limit: int | None = None) -> list[Row]:
        """Return the rows of ``table``, from any thread; raises StoreError."""
        return self._read(lambda connection: tables.select(connection, table, order, limit))

    def _read(self, work: Callable[[sa.Connection], list[Row]]) -> list[Row]:
        def read() -> list[Row]:
            try:
                with self._connected().connect() as connection:
                    return work(connection)
            except SQLAlchemyError as error:
                raise StoreError(f"cannot read the store: {_first_line(error)}") from error

        return self._writer.submit(read).result(60)

    def prune(self, table: str, keep: int) -> None:
        """Delete all but the newest ``keep`` rows of ``table``, by its key, in the writer's thread."""

        def work() -> None:
            try:
                with self._connected().begin() as connection:
                    tables.prune(connection, table, keep)
            except SQLAlchemyError as error:
                log.warning("cannot prune the store's %s: %s", table, _first_line(error))

        self._writer.submit(work)

    def _connected(self) -> sa.Engine:
        if self._engine is None:
            raise StoreError("the store is not open")
        return self._engine

    async def close(self) -> None:
        """Write what is pending and disconnect."""
        try:
            await self.commit()
        finally:
            await asyncio.get_running_loop().run_in_executor(self._writer, self._dispose)
            self._writer.shutdown(wait=False)

    def _dispose(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None


def _writable(value: Any) -> Any:
    """Replace what no database takes in a text: lone surrogates, which JSON can bring, and NUL."""
    if isinstance(value, str) and not (value.isascii() and value.isprintable()):
        return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    return value


def _settle(waiting: list[asyncio.Future[None]], error: StoreError | None) -> None:
    for one in waiting:
        if one.done():
            continue
        if error is None:
            one.set_result(None)
        else:
            one.set_exception(error)


def _make_engine(url: str) -> sa.Engine:
    if sa.make_url(url).get_backend_name() != "sqlite":
        return sa.create_engine(url, pool_pre_ping=True, json_serializer=json.dumps)
    in_memory = sa.make_url(url).database in (None, "", ":memory:")
    if in_memory:
        engine = sa.create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        engine = sa.create_engine(url, connect_args={"timeout": 10})

    @sa.event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        if not in_memory:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")  # WAL with NORMAL may lose the newest commits with the power
            cursor.execute("PRAGMA journal_size_limit=16777216")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    return engine


def _without_password(url: str) -> str:
    return sa.make_url(url).render_as_string(hide_password=True)


def _first_line(error: BaseException) -> str:
    return (str(getattr(error, "orig", None) or error) or type(error).__name__).splitlines()[0]
