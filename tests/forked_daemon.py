"""Daemons forked from a process that has imported everything: the imports take longer than most of what a test does.

All else is what ``python -m ockle daemon`` does, its restart included.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path

from campaigns.life import forkserver

from ockle.cli.main import main


class ForkedDaemon:
    """The part of ``subprocess.Popen`` that tests need. ``output``: what it writes, to be read to its end."""

    def __init__(self, etc: Path, environment: Mapping[str, str]) -> None:
        context = forkserver()
        mine, theirs = context.Pipe(duplex=False)
        arguments = (str(etc), dict(environment), theirs, str(Path.cwd()))
        self._process = context.Process(target=_live, args=arguments, daemon=True)
        self._process.start()
        theirs.close()
        self.output = os.fdopen(os.dup(mine.fileno()), errors="replace")
        mine.close()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("ockle daemon", timeout or 0.0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _live(etc: str, environment: dict[str, str], output: Connection, folder: str) -> None:
    os.dup2(output.fileno(), 1)
    os.dup2(output.fileno(), 2)
    output.close()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["ockle", "daemon", "--etc", etc]
    sys.orig_argv[:] = [sys.executable, "-m", *sys.argv]
    try:
        sys.exit(main(start=gc.freeze))
    finally:
        atexit._run_exitfuncs()  # what multiprocessing leaves out: coverage is written there
