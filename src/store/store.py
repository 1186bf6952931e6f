"""The durable store: what must be known again after a crash, committed before the switch that it is about."""

from __future__ import annotations

import logging
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from typing_extensions import override

from .connect import log_url, sqlite_file
from .database import Database
from .faults import first_line
from .files import copy_sqlite
from .log import Log
from .schema import STATE, move_log

log = logging.getLogger(__name__)


class Store(Database):
    """The state, with the log beside it.

    ``log``  events and durations: written without fsync, and the first to go
    """

    schema = STATE

    def __init__(self, url: str, log_database: str = "") -> None:
        super().__init__(url)
        self.log = Log(log_database or log_url(url))

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
