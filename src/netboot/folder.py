"""Where the boot server keeps what it knows, and how others see whether one is at work."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
import time
from pathlib import Path
from typing import IO, Any

from ..common.errors import OckleError

LOOK_S = 0.2


class BootFolder:
    """The folder ``netboot`` in the state folder.

    ``boards.db``    the boards, leases and the journal, see ``boards``
    ``live.json``    what changes by the second, see ``write_live``
    ``server.lock``  locked by the one process that serves
    """

    def __init__(self, state: Path) -> None:
        self.path = state / "netboot"
        self._lock: IO[str] | None = None
        self._written = ""

    @property
    def boards(self) -> Path:
        return self.path / "boards.db"

    def take(self) -> None:
        """Become the one that serves. Raises OckleError, naming the process that does already."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o750)
            file = (self.path / "server.lock").open("a+")
        except OSError as error:
            raise OckleError(f"cannot use the folder {self.path}: {error.strerror}") from error
        if not _locked(file):
            file.seek(0)
            holder = file.read().strip()
            file.close()
            raise OckleError(f"a boot server is at work already in {self.path} (process {holder or 'unknown'})")
        (self.path / "live.json").unlink(missing_ok=True)  # of the one before
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._lock = file

    def release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def served(self) -> bool:
        """Whether some process serves."""
        try:
            with (self.path / "server.lock").open() as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return self._lock is not None

    def write_live(self, live: dict[str, Any]) -> None:
        """Put ``live`` where everybody can read it, if it is not there already. Not synced: it is of this moment only.

        Raises OSError
        """
        text = json.dumps(live)
        if text == self._written:
            return
        handle, temporary = tempfile.mkstemp(prefix=".live", dir=self.path)
        try:
            with os.fdopen(handle, "w") as file:
                file.write(text)
                os.fchmod(file.fileno(), 0o640)
            Path(temporary).replace(self.path / "live.json")
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        self._written = text

    def read_live(self) -> dict[str, Any]:
        """Return what the server wrote last; ``serving`` tells whether it serves, ``problem`` why not."""
        try:
            live = json.loads((self.path / "live.json").read_text("utf-8"))
        except (OSError, ValueError):
            live = None
        found: dict[str, Any] = {"problem": "", "wire": {}, "services": {}, **(live if isinstance(live, dict) else {})}
        serving = live is not None and not found["problem"] and self.served
        return {**found, "services": found["services"] if serving else {}, "serving": serving}


def _locked(file: IO[str]) -> bool:
    """Lock the file; tell whether that was possible. Who only looks (``served``) holds it for a moment, too."""
    deadline = time.monotonic() + LOOK_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        else:
            return True
