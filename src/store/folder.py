"""The folder of what the daemon must remember, and the locks that keep a second daemon out of it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from ..common.errors import OckleError
from ..config.paths import find_state

LOCK = "daemon.lock"


class StateFolder:
    """The folder that ``config.paths.find_state`` finds."""

    def __init__(self, etc: Path, configured: str = "") -> None:
        self.path = find_state(etc, configured)
        self._locks: list[IO[str]] = []

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.path / 'state.db'}"

    @property
    def lock_file(self) -> Path:
        return self.path / LOCK

    def take(self, database: Path | None = None) -> None:
        """Make the folder and lock it, and the SQLite file if that is elsewhere; the locks end with the process.

        Raises OckleError, naming the process that has the lock.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o750)
        except OSError as error:
            raise OckleError(f"cannot use the state folder {self.path}: {error.strerror}") from error
        self._locks.append(_lock(self.lock_file, self.path))
        if database is not None and database.resolve().parent != self.path.resolve():
            self._locks.append(_lock(_beside(database), database))

    def release(self) -> None:
        for lock in self._locks:
            lock.close()
        self._locks.clear()


@contextmanager
def only_user(*databases: Path) -> Iterator[None]:
    """Keep daemons away from SQLite files, wherever these are. Raises OckleError when one uses one of them."""
    with ExitStack() as stack:
        for folder in {database.resolve().parent for database in databases}:
            if (folder / LOCK).exists():
                stack.enter_context(_lock(folder / LOCK, folder))
        for database in {database.resolve() for database in databases}:
            stack.enter_context(_lock(_beside(database), database))
        yield


def _beside(database: Path) -> Path:
    return database.with_name(f"{database.name}.lock")


def _lock(file: Path, what: Path) -> IO[str]:
    try:
        lock = file.open("a+")
    except OSError as error:
        raise OckleError(f"cannot use {what}: {error.strerror} ({file})") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise OckleError(f"another daemon (process {holder(file)}) uses {what} already; stop it first") from error
    lock.seek(0)
    lock.truncate()
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def holder(file: Path) -> str:
    """Return the number of the process that wrote a lock file last."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")[:64].strip() or "unknown"
    except OSError:
        return "unknown"


def is_locked(file: Path) -> bool:
    """Tell whether a process holds the lock. Raises OSError."""
    if not file.exists():
        return False
    with file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
