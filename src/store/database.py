"""One database, one writer thread: what is put within one moment, or during a commit, shares the next commit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from ..common.errors import StoreBroken, StoreError
from ..common.failpoints import failpoint
from . import tables
from .connect import Sync, make_engine, without_password
from .faults import RETRY, code_of, first_line, store_error
from .schema import Schema

log = logging.getLogger(__name__)

Row = dict[str, Any]
Rows = Mapping[tuple[str, Any], Row | None]
"""(table, primary key) -> new values; None: the row goes."""
Work = Callable[[sa.Connection], None]
T = TypeVar("T")

TRIES = 5
"""How often a transaction is tried that another one got in the way of."""
OPEN_TIMEOUT_S, READ_TIMEOUT_S = 120.0, 60.0


class Database:
    """Rows go in with ``put``, are durable after ``await commit()``, and come back with ``load``.

    ``commits``    how many transactions were committed
    ``on_broken``  called at once, in the writer's thread, when the disk fails or its content is found damaged
    """

    schema: Schema
    sync: Sync = "FULL"

    def __init__(self, url: str) -> None:
        self.url = url
        self.commits = 0
        self.on_broken: Callable[[StoreBroken], None] = lambda _error: None
        self._pending: dict[tuple[str, Any], Row | None] = {}
        self._waiting: list[asyncio.Future[None]] = []
        self._flushing: asyncio.Task[None] | None = None
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._engine: sa.Engine | None = None

    # -- opening, from any thread

    def open(self) -> None:
        """Connect, and make the tables what this version knows. Raises StoreError."""
        self._in_writer(self._open, OPEN_TIMEOUT_S)

    def _open(self) -> None:
        try:
            self._engine = make_engine(self.url, self.sync)
            with self._engine.connect() as connection:
                found = self.schema.found(connection)
            if found is not None and found < self.schema.version:
                self._before_upgrade(found)
            with self._engine.begin() as connection:
                self.schema.prepare(connection)
        except (SQLAlchemyError, OSError) as error:
            self._dispose()
            raise store_error(f"cannot open the store {without_password(self.url)}", error) from error
        except StoreError as error:
            self._dispose()
            raise StoreError(f"cannot open the store {without_password(self.url)}: {error}") from error

    def _before_upgrade(self, found: int) -> None:
        """Called before a database of the version ``found`` is changed."""

    def _in_writer(self, work: Callable[[], T], timeout: float) -> T:
        try:
            return self._writer.submit(work).result(timeout)
        except TimeoutError:
            raise StoreError(f"the store {without_password(self.url)} does not answer within {timeout:g} s") from None

    # -- writing, on the device loop

    def put(self, table: str, key: Any, **values: Any) -> None:
        """Note that the row ``key`` of ``table`` shall have ``values``; the next commit writes it."""
        row = self._pending.get((table, key))
        if row is None:
            self._pending[table, key] = values
        else:
            row.update(values)

    def pending(self, table: str) -> dict[Any, Row]:
        """Return what was put for rows of ``table`` and not written yet: key -> values."""
        return {key: dict(row) for (name, key), row in self._pending.items() if row and name == table}

    def remove(self, table: str, key: Any) -> None:
        """Note that ``table`` shall have no row ``key``; the next commit writes it."""
        self._pending[table, key] = None

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

    def _put_back(self, rows: Rows) -> None:
        for key, row in rows.items():
            if key not in self._pending:
                self._pending[key] = row
            elif (newer := self._pending[key]) is not None:
                self._pending[key] = {**(row or {}), **newer}

    def _write(self, rows: Rows) -> None:
        by_shape: dict[tuple[str, tuple[str, ...]], list[Row]] = {}
        gone: dict[str, list[Any]] = {}
        for (table, key), row in rows.items():
            if row is None:
                gone.setdefault(table, []).append(key)
                continue
            values = {name: tables.writable(value) for name, value in row.items()}
            by_shape.setdefault((table, tuple(row)), []).append({tables.KEYS[table]: key, **values})

        def work(connection: sa.Connection) -> None:
            for (table, _), group in by_shape.items():
                tables.upsert(connection, table, group)
            for table, keys in gone.items():
                tables.delete(connection, table, keys)

        self._transact(work)
        self.commits += 1

    def _transact(self, work: Work) -> None:
        for left in reversed(range(TRIES)):
            try:
                with self._connected().begin() as connection:
                    work(connection)
                    failpoint("store.committing")
                failpoint("store.committed")
                return
            except StoreBroken as error:
                self.on_broken(error)
                raise
            except (SQLAlchemyError, OSError) as error:
                if left and code_of(error) in RETRY:
                    continue
                raise self._failed("cannot write the store", error) from error

    def _failed(self, doing: str, error: SQLAlchemyError | OSError) -> StoreError:
        found = store_error(doing, error)
        if isinstance(found, StoreBroken):
            self.on_broken(found)
        return found

    # -- reading

    def load(
        self,
        table: str,
        *,
        order: str | None = None,
        limit: int | None = None,
        unset: str | None = None,
        equal: tuple[str, Any] | None = None,
    ) -> list[Row]:
        """Return the rows of ``table``, see ``tables.select``, from any thread; raises StoreError."""
        return self.read(lambda connection: tables.select(connection, table, order, limit, unset, equal))

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Return what ``work`` finds in one moment of the database, from any thread; raises StoreError."""

        def read() -> T:
            try:
                with self._connected().connect() as connection:
                    return work(connection)
            except SQLAlchemyError as error:
                raise self._failed("cannot read the store", error) from error

        return self._in_writer(read, READ_TIMEOUT_S)

    def prune(self, table: str, keep: int) -> None:
        """Delete all but the newest ``keep`` rows of ``table``, by its key, in the writer's thread."""
        self.tidy(lambda connection: tables.prune(connection, table, keep), table)

    def tidy(self, work: Work, what: str) -> None:
        """Have ``work`` make ``what`` smaller, in the writer's thread and a transaction; it may as well fail."""

        def tidy() -> None:
            try:
                with self._connected().begin() as connection:
                    work(connection)
            except (SQLAlchemyError, StoreError) as error:
                log.warning("cannot prune the store's %s: %s", what, first_line(error))

        self._writer.submit(tidy)

    @property
    def is_open(self) -> bool:
        return self._engine is not None

    def _connected(self) -> sa.Engine:
        if self._engine is None:
            raise StoreError("the store is not open")
        return self._engine

    async def close(self) -> None:
        """Write what is pending and disconnect. Raises StoreError when it could not be written."""
        try:
            await self.commit()
        finally:
            await asyncio.get_running_loop().run_in_executor(self._writer, self._dispose)
            self._writer.shutdown(wait=False)

    def _dispose(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None


def _settle(waiting: list[asyncio.Future[None]], error: StoreError | None) -> None:
    for one in waiting:
        if one.done():
            continue
        if error is None:
            one.set_result(None)
        else:
            one.set_exception(error)
