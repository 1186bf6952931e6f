"""Writes what nobody waits for, and tells once when the store fails and once when it works again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ..common.errors import StoreError, StoreFull
from .core import Core

log = logging.getLogger(__name__)

FLUSH_S, LOG_FLUSH_S = 1.0, 5.0


class StoreWatch:
    """``fault``: why the store cannot be written, "" while it can."""

    def __init__(self, core: Core) -> None:
        self.fault = ""
        self._core = core
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._flush_forever())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _flush_forever(self) -> None:
        """Outcomes and learned durations are written soon after they are noted."""
        log_due = self._core.clock.now()
        while True:
            await self._core.clock.sleep(FLUSH_S)
            try:
                await self._commit()
            except StoreError as error:
                self.failed(error)
            else:
                self._works()
            if self._core.clock.now() >= log_due:
                log_due = self._core.clock.now() + LOG_FLUSH_S
                await self._core.journal.store.log.flush()

    async def _commit(self) -> None:
        try:
            await self._core.journal.commit()
            await self._core.journal.store.beat()
        except StoreFull:
            if not await self._core.journal.store.give_way():
                raise
            await self._core.journal.commit()

    async def durably(self, undo: Callable[[], None]) -> None:
        """Make durable what was noted. Raises StoreError, after ``undo`` has made all as it was."""
        try:
            await self._core.journal.commit()
        except StoreError as error:
            self.failed(error)
            undo()
            raise

    def failed(self, error: StoreError) -> None:
        """Note that the store could not be written."""
        if not self.fault:
            log.error("%s; nothing new is switched until it can be written", error)
            self._core.events.publish("daemon", str(error))
        self.fault = str(error)
        self._core.revision += 1

    def _works(self) -> None:
        if self.fault:
            log.info("the store can be written again")
            self._core.events.publish("daemon", "the store can be written again")
            self.fault = ""
            self._core.revision += 1
            for node in self._core.network:
                self._core.mark(node)
