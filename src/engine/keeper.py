"""Opens the store as far as it can be trusted, and looks after it while the daemon runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..common.errors import StoreBroken
from ..store.connect import sqlite_file
from ..store.folder import StateFolder
from ..store.recovery import make_sound
from ..store.snapshots import Snapshots
from .crash_loop import UP_LONG_ENOUGH_S, CrashLoop
from .engine import Engine


class Keeper:
    """Locks, the check at the start, daily snapshots, and the count of starts that did not last.

    ``main``       options of ``[main]``
    ``on_broken``  what to do when the store breaks under the daemon; it is not to return
    """

    def __init__(
        self, engine: Engine, folder: StateFolder, main: Mapping[str, Any], on_broken: Callable[[StoreBroken], None]
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._file = sqlite_file(engine.store.url)
        self._crash_loop = CrashLoop(engine.store, main["safe_mode_after"])
        self._snapshots = Snapshots(self._file, main["snapshots"]) if self._file is not None else None
        engine.store.on_broken = on_broken

    def open(self) -> None:
        """Become the only user of the store and open it. Raises OckleError."""
        self._folder.take(self._file)
        if self._file is not None:
            make_sound(self._file)
        self._engine.store.open()
        if self._snapshots is not None:
            self._snapshots.start()

    async def note_start(self) -> None:
        """Count this start, before anything is switched. Raises StoreError."""
        await self._crash_loop.note_start()
        self._engine.core.later(UP_LONG_ENOUGH_S, self._crash_loop.forget)

    async def note_stop(self) -> None:
        """Note that this end was asked for; written when the engine closes the store."""
        self._crash_loop.forget()

    def close(self) -> None:
        """Let others use the store; it is closed."""
        if self._snapshots is not None:
            self._snapshots.stop()
        self._folder.release()
