"""One life of the daemon: a process of its own that may be killed, forked from a server that has imported everything.

Forking saves the seconds of the imports; all else is what ``ockle daemon`` does.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path

from ockle import MainDaemon
from ockle.common import failpoints

PATIENCE_S = 60.0
"""For a start, and for an end that was asked for."""


def live(etc: str, log: str, told: Connection, armed: str) -> None:
    """The daemon's process: ``told`` gets "ready", brings what to arm, and gets "armed" back."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ[failpoints.VARIABLE] = armed

    def listen() -> None:
        while True:
            try:
                text = told.recv()
            except EOFError:
                return
            failpoints.arm(text)
            told.send("armed")

    def ready(_daemon: MainDaemon.MainDaemon) -> None:
        threading.Thread(target=listen, daemon=True).start()
        told.send("ready")

    sys.exit(MainDaemon.run_daemon(Path(etc), ready))


class Life:
    """A daemon from its start to its end. ``armed``: failpoints from the start on."""

    def __init__(self, context: ForkServerContext, etc: Path, log: Path, armed: str = "") -> None:
        self._told, theirs = context.Pipe()
        self.process = context.Process(target=live, args=(str(etc), str(log), theirs, armed))
        self.process.start()
        theirs.close()

    @property
    def alive(self) -> bool:
        return self.process.is_alive()

    def ready(self, timeout: float = PATIENCE_S) -> bool:
        """Wait until it serves; False when it died before."""
        return self._answer(timeout) == "ready"

    def arm(self, text: str) -> None:
        """Arm failpoints in the running daemon."""
        self._told.send(text)
        self._answer(PATIENCE_S)

    def _answer(self, timeout: float) -> str:
        try:
            return str(self._told.recv()) if self._told.poll(timeout) else ""
        except (EOFError, ConnectionResetError):
            return ""

    def kill(self) -> None:
        if self.process.pid is not None and self.alive:
            os.kill(self.process.pid, signal.SIGKILL)

    def ended(self, timeout: float = PATIENCE_S) -> int | None:
        """Wait for its end; its exit code, or None when it goes on living."""
        self.process.join(timeout)
        return self.process.exitcode

    def stop(self) -> int | None:
        """Ask it to stop; its exit code, or None when it had to be killed."""
        self.process.terminate()
        code = self.ended(15.0)
        if code is None:
            self.kill()
            self.ended()
        return code
