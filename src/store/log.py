"""The log database: events and what was learned. It may be lost, and gives way when the disk is full."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from typing_extensions import override

from ..common.errors import StoreBroken, StoreError
from .connect import sqlite_file
from .database import Database
from .files import remove_sqlite, set_aside
from .schema import LOG

log = logging.getLogger(__name__)

PAUSE_S = 60.0
"""How long nothing is written after it could not be."""


class Log(Database):
    """Nobody waits for it and nothing depends on it: what cannot be written is left out, and that is said once.

    ``fault``      why it is not written, "" while it is
    ``on_return``  called, on the device loop, when it is written again and has lost what it held
    """

    schema = LOG
    sync = "NORMAL"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.fault = ""
        self.on_return: list[Callable[[], None]] = []
        self._paused_until = 0.0
        self._lost = False

    @property
    def file(self) -> Path | None:
        """The file, if it is one."""
        return sqlite_file(self.url)

    @override
    def open(self) -> None:
        """Never fails: a log that is damaged is set aside, one that cannot be opened is done without for a while."""
        try:
            super().open()
        except StoreBroken as error:
            log.error("%s; it is set aside, and a new one is begun", error)
            self._begin_anew()
        except StoreError as error:
            self._pause(error)

    def _begin_anew(self) -> None:
        try:
            if self.file is not None:
                self._in_writer(self._set_aside, 60.0)
            super().open()
        except (StoreError, OSError) as error:
            self._pause(error)

    def _set_aside(self) -> None:
        self._dispose()
        if self.file is not None:
            set_aside(self.file)

    @override
    def put(self, table: str, key: Any, **values: Any) -> None:
        if not self.fault:
            super().put(table, key, **values)
        else:
            self._lost = True

    async def flush(self) -> None:
        """Write what was put; raises nothing."""
        if self.fault:
            if time.monotonic() >= self._paused_until:
                await self._try_again()
            return
        try:
            await self.commit()
        except StoreError as error:
            self._pause(error)

    async def _try_again(self) -> None:
        self._paused_until = time.monotonic() + PAUSE_S
        if self._engine is None:
            try:
                await asyncio.get_running_loop().run_in_executor(self._writer, self._open)
            except StoreError as error:
                self._pause(error)
                return
        self.fault = ""
        if self._lost:
            self._lost = False
            for call in self.on_return:
                call()
        await self.flush()
        if not self.fault:
            log.info("events are kept again")

    def _pause(self, error: StoreError | OSError) -> None:
        if not self.fault:
            log.warning("%s; events and learned durations are kept in memory only, until it works again", error)
        self.fault = str(error)
        self._lost = True
        self._pending.clear()
        self._paused_until = time.monotonic() + PAUSE_S

    async def give_way(self) -> bool:
        """Give the room of its file back to the disk; tells whether there was any to give."""
        file = self.file
        if file is None or not file.exists():
            return False
        await asyncio.get_running_loop().run_in_executor(self._writer, self._remove)
        self._pause(StoreError(f"the disk is full: {file} was removed to make room for the state"))
        return True

    def _remove(self) -> None:
        self._dispose()
        if self.file is not None:
            remove_sqlite(self.file)

    @override
    async def close(self) -> None:
        try:
            await super().close()
        except StoreError as error:
            log.warning("%s", error)
