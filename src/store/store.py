"""The durable store: what must be known again after a crash, committed before the switch that it is about."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from typing_extensions import override

from ..common.errors import StoreError
from ..config.atomic import sync_folder
from . import tables
from .connect import log_url, parse, sqlite_file, without_password
from .critical import SEQUENCE, Content, Critical
from .database import Database, Rows, Work
from .faults import first_line
from .files import copy_sqlite
from .lease import BEAT_S, Lease
from .log import Log
from .schema import STATE, move_log

log = logging.getLogger(__name__)


class Store(Database):
    """The state, with the log beside it.

    ``log``    events and durations: written without fsync
    ``spare``  what gives room on the disk back, and tells whether there was any: asked before the log has to go
    """

    schema = STATE

    def __init__(self, url: str, log_database: str = "") -> None:
        super().__init__(url)
        self.log = Log(log_database or log_url(url))
        self.spare: list[Callable[[], bool]] = []
        file = sqlite_file(url)
        self._critical = Critical(file) if file is not None else None
        self._content = Content()
        self._number = 0
        self._lease = Lease() if parse(url).get_backend_name() == "postgresql" else None
        self._beaten = 0.0
        self._copied = True  # whether the second copy is as new as the database

    @classmethod
    def for_file(cls, path: Path) -> Store:
        return cls(f"sqlite:///{path}")

    @override
    def open(self) -> None:
        super().open()
        self.log.open()
        if self.log.url != self.url:
            self._in_writer(self._move_log, 60.0)

    @override
    def _open(self) -> None:
        super()._open()
        try:
            if self._lease is not None:
                with self._connected().begin() as connection:
                    self._lease.take(connection)
            file = sqlite_file(self.url)
            if self._critical is not None and file is not None:
                self._take_up(self._critical, file)
        except (SQLAlchemyError, OSError, StoreError) as error:
            self._dispose()
            raise StoreError(f"cannot open the store {without_password(self.url)}: {first_line(error)}") from error

    def _take_up(self, critical: Critical, file: Path) -> None:
        # SQLite leaves it to the file system when the journal of the first transaction is gone; should it come back
        # after a power cut, it would take back all that the write-ahead log got since
        sync_folder(file.parent)
        with self._connected().connect() as connection:
            meta = tables.select(connection, "meta")
            self._content = Content.of(tables.select(connection, "servers"), meta)
        self._number = int(next((row["value"] for row in meta if row["name"] == SEQUENCE), None) or 0)
        copy = critical.read()
        self._copied = copy is not None and copy[0] == self._number
        self._copy()

    @override
    def _write(self, rows: Rows) -> None:
        if self._critical is None:
            super()._write(rows)
            return
        content = self._content
        for (table, key), values in rows.items():
            if values is not None:  # what the second copy holds is emptied, never removed
                content = content.with_row(table, key, values)
        if content is self._content:
            super()._write(rows)
        else:
            super()._write({**rows, ("meta", SEQUENCE): {"value": str(self._number + 1)}})
            self._content, self._number, self._copied = content, self._number + 1, False
        self._copy()

    @override
    def _transact(self, work: Work) -> None:
        lease = self._lease
        if lease is None:
            super()._transact(work)
            return

        def fenced(connection: sa.Connection) -> None:
            lease.renew(connection)
            work(connection)

        super()._transact(fenced)
        self._beaten = time.monotonic()

    async def beat(self) -> None:
        """Renew the lease of a database that others can reach, unless a commit just did. Raises StoreError."""
        if self._lease is not None and time.monotonic() - self._beaten >= BEAT_S:
            await asyncio.get_running_loop().run_in_executor(self._writer, self._transact, lambda _connection: None)

    async def give_way(self) -> bool:
        """Make room on a full disk; tells whether there was any to make."""
        for give in self.spare:
            try:
                if await asyncio.get_running_loop().run_in_executor(self._writer, give):
                    return True
            except StoreError as error:
                log.warning("%s", error)
        return await self.log.give_way()

    @override
    def _dispose(self) -> None:
        if self._lease is not None and self._engine is not None:
            try:
                with self._engine.begin() as connection:
                    self._lease.release(connection)
            except SQLAlchemyError as error:
                log.warning("the lease of the store is left to run out: %s", first_line(error))
        super()._dispose()

    def _copy(self) -> None:
        """Bring the second copy up to date; without it the database still has everything."""
        if self._critical is None or self._copied:
            return
        try:
            self._critical.write(self._number, self._content)
            self._copied = True
        except OSError as error:
            log.warning("the second copy of forces, holds and orders cannot be written: %s", error)

    @override
    def _before_upgrade(self, found: int) -> None:
        file = sqlite_file(self.url)
        if file is not None:
            copy = file.with_name(f"{file.stem}.schema-{found}{file.suffix}")
            copy_sqlite(file, copy)
            log.info(
                "the store is brought from schema %d to %d; a copy of it as it was is %s", found, STATE.version, copy
            )

    def _move_log(self) -> None:
        if self._engine is None or self.log._engine is None:
            return
        try:
            move_log(self._engine, self.log._engine)
        except SQLAlchemyError as error:
            log.warning("events stay where they were for now: %s", first_line(error))

    @override
    async def close(self) -> None:
        try:
            await super().close()
        finally:
            await self.log.close()
