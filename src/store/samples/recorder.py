"""Takes samples in and writes them once in a while; a database that does not take them harms nobody."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping

from ...common.errors import StoreBroken, StoreError
from .levels import HOUR_S
from .sample_store import Round, SampleStore, Series

log = logging.getLogger(__name__)

MOST_ROUNDS = 120
"""So many rounds wait in memory for a database that cannot be written; the oldest go first."""


class Recorder:
    """For one thread.

    ``fault``  why nothing is written, "" while it is
    ``tell``   called with a sentence when writing fails, and when it works again
    """

    def __init__(self, store: SampleStore, tell: Callable[[str], None]) -> None:
        self.store = store
        self.fault = ""
        self._tell = tell
        self._waiting: deque[Round] = deque(maxlen=MOST_ROUNDS)
        self._every: dict[Series, float] = {}
        self._tidied = -1
        self._lost = False

    @property
    def waiting(self) -> int:
        """How many rounds are not written yet."""
        return len(self._waiting)

    def add(self, time: float, values: Mapping[Series, float], every: Mapping[Series, float]) -> None:
        """Take in what was measured at ``time``; see ``SampleStore.write``."""
        if values:
            self._lost = self._lost or len(self._waiting) == MOST_ROUNDS
            self._waiting.append((time, values))
            self._every.update(every)

    def flush(self, now: float) -> None:
        """Write what waits; once an hour also make it small. Raises nothing that a database can cause."""
        try:
            if not self.store.is_open:
                self.store.open()
            if self._waiting:
                self.store.write(list(self._waiting), self._every)
                self._waiting.clear()
            if self._tidied != now // HOUR_S:
                self.store.tidy(now)
                self._tidied = int(now // HOUR_S)
        except StoreBroken as error:
            self.store.close()  # opened again, it is found damaged and set aside
            self._failed(error)
        except StoreError as error:
            self._failed(error)
        else:
            self._works()

    def gave_way(self) -> bool:
        """Remove the database's file, as the disk is full; tells whether there was one. From any thread."""
        return self.store.remove()

    def _failed(self, error: StoreError) -> None:
        if not self.fault:
            log.warning("%s; samples wait in memory until they can be written", error)
            self._tell(f"samples are not kept: {error}")
        else:
            log.debug("%s", error)
        self.fault = str(error)

    def _works(self) -> None:
        if self.fault:
            text = "samples are kept again" + ("; the oldest of those that waited are lost" if self._lost else "")
            log.info("%s", text)
            self._tell(text)
        self.fault, self._lost = "", False
