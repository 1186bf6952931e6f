"""The folder of what the daemon must remember, and the lock that keeps a second daemon out of it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from ..common.errors import OckleError


class StateFolder:
    """``configured`` if given, else systemd's STATE_DIRECTORY, else ``var`` beside the configuration folder."""

    def __init__(self, etc: Path, configured: str = "") -> None:
        given = configured or os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
        self.path = Path(given) if given else etc.resolve().parent / "var"
        self._lock: IO[str] | None = None

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.path / 'state.db'}"

    def take(self) -> None:
        """Make the folder and lock it; the lock ends with the process. Raises OckleError."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o750)
            lock = (self.path / "daemon.lock").open("a+")
        except OSError as error:
            raise OckleError(f"cannot use the state folder {self.path}: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            holder = lock.read(64).strip() or "unknown"
            lock.close()
            raise OckleError(f"another daemon (process {holder}) uses {self.path} already") from error
        lock.seek(0)
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None
