"""One life of the daemon: a process of its own that may be killed, forked from a server that has imported everything.

Forking saves the seconds of the imports; all else is what ``ockle daemon`` does. Beside it a thread takes words from
the campaign: what to arm, how far to step the wall clock, and whether to watch how late the device loop is.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path

from ockle import MainDaemon
from ockle.common import failpoints

PRELOADED = (
    "ockle.cli.main",
    "ockle.common.snmp_wires",
    "ockle.common.snmp_gufo",
    "ockle.common.snmp_pysnmp",
    "ockle.controllers.ssh_controller",
    "ockle.plugins.SocketListener",
    "ockle.plugins.EditingCommunicationCommands",
    "campaigns.site",
)
"""What daemons and campaigns import sooner or later."""
PATIENCE_S = 60.0
"""For a start, and for an end that was asked for."""
LAG_EVERY_S = 0.02


def forkserver() -> ForkServerContext:
    """Return what starts processes as forks of one that has imported all of it, once for all."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", __name__, *PRELOADED])
    return context


def live(etc: str, log: str, told: Connection, armed: str) -> None:
    """The daemon's process: ``told`` gets "ready", then brings (word, argument) and gets an answer to each."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ[failpoints.VARIABLE] = armed

    def ready(daemon: MainDaemon.MainDaemon) -> None:
        threading.Thread(target=_obey, args=(told, daemon), daemon=True).start()
        told.send("ready")

    sys.exit(MainDaemon.run_daemon(Path(etc), ready))


def _obey(told: Connection, daemon: MainDaemon.MainDaemon) -> None:
    """Do what the campaign says, until it is gone."""
    lags: list[float] = []
    while True:
        try:
            word, argument = told.recv()
        except EOFError:  # without a campaign nobody would ever stop this daemon
            daemon.shutdown()
            return
        answer: object = "done"
        match word:
            case "arm":
                failpoints.arm(argument)
            case "step":  # the wall clock of this process alone, as after a first synchronisation of time
                time.time = _stepped(time.time, argument)
            case "watch":
                threading.Thread(target=_watch_lag, args=(daemon, lags), daemon=True).start()
            case "lags":
                answer, lags[:] = list(lags), []
        told.send(answer)


def _stepped(clock: Callable[[], float], seconds: float) -> Callable[[], float]:
    return lambda: clock() + seconds


def _watch_lag(daemon: MainDaemon.MainDaemon, lags: list[float]) -> None:
    """Note again and again how long a call waits for the device loop, in seconds."""

    async def arrive() -> float:
        return time.monotonic()

    while True:
        began = time.monotonic()
        lags.append(daemon.device_loop.call(arrive(), PATIENCE_S) - began)
        time.sleep(LAG_EVERY_S)


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
        self._tell("arm", text)

    def step_clock(self, seconds: float) -> None:
        """Have the daemon's wall clock jump."""
        self._tell("step", seconds)

    def watch_lag(self) -> None:
        """Have it measured from now on how long calls wait for the device loop."""
        self._tell("watch", None)

    def lags(self) -> list[float]:
        """The waits since the last time this was asked, in seconds."""
        answer = self._tell("lags", None)
        return answer if isinstance(answer, list) else []

    def _tell(self, word: str, argument: object) -> object:
        try:
            self._told.send((word, argument))
        except BrokenPipeError:
            return None
        return self._answer(PATIENCE_S)

    def _answer(self, timeout: float) -> object:
        try:
            return self._told.recv() if self._told.poll(timeout) else None
        except (EOFError, ConnectionResetError):
            return None

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
