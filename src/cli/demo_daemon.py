"""The daemon of ``ockle demo``: a child process, and a connection to it that outlives its restarts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ..webserver.ockle_client.connection import ClientError, Connection, ConnectionFailed
from .codes import FAILED, CliError
from .output import clock, safe, tell

HOST = "127.0.0.1"
READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0
LOG_LINES = 15
KINDS = ("run", "step", "state")


class DemoDaemon:
    """A daemon on the configuration ``folder/etc`` that listens on ``port``; its log is ``folder/daemon.log``.

    As a context it is started, and at the end asked to stop. It may be restarted meanwhile (``restartOckle``):
    ``look`` and ``next_event`` then wait for it, at most READY_TIMEOUT_S.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self._etc = folder / "etc"
        self._log = folder / "daemon.log"
        self._connection = Connection(HOST, port, via="cli", user="demo")
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> DemoDaemon:
        # the child finds the package where this process found it: checkout, install or one-file build
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        for name in ("NOTIFY_SOCKET", "STATE_DIRECTORY", "OCKLE_HOST", "OCKLE_TOKEN"):
            environment.pop(name, None)
        with self._log.open("wb") as output:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "ockle", "daemon", "--etc", str(self._etc)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,  # Ctrl-C is for this process, which then stops the daemon in order
            )
        return self

    def __exit__(self, *_exception: object) -> None:
        self._connection.close()
        child = self._child
        if child is None or child.poll() is not None:
            return
        child.terminate()
        try:
            child.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            tell("the daemon does not stop; it is killed")
            child.kill()
            child.wait()

    def wait_until_ready(self) -> None:
        """Connect and subscribe. Raises CliError when the daemon ends, takes too long, or another has its port."""
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not self._is_ready():
            if time.monotonic() > deadline:
                raise CliError(f"the daemon is not ready after {clock(READY_TIMEOUT_S)}\n{self._tail()}", FAILED)
            self._check_child(0.1)

    def _is_ready(self) -> bool:
        try:
            etc = self._connection.call("about")["etc"]
            self._connection.call("status")
            if Path(etc).resolve() != self._etc.resolve():  # nothing must ever be ordered from somebody else's daemon
                raise CliError(f"another daemon listens on {self._connection.address}: it runs {safe(etc)}", FAILED)
            self._connection.subscribe(KINDS)
        except ConnectionFailed:
            self._connection.close()
            return False
        except ClientError as error:  # it listens, but core is still registering its commands
            if error.code not in ("unknown_command", "stopping"):
                raise
            return False
        return True

    def _check_child(self, wait: float) -> None:
        """Raise CliError when the daemon ends within ``wait`` seconds."""
        assert self._child is not None, "used outside of its context"  # noqa: S101 - a mistake of the programmer
        try:
            code = self._child.wait(wait)
        except subprocess.TimeoutExpired:
            return
        raise CliError(f"the daemon ended with exit code {code}\n{self._tail()}", FAILED)

    def order(self, command: str, data: dict[str, Any]) -> dict[str, Any]:
        """Send a command that must not be sent twice."""
        return self._connection.call(command, data)

    def look(self, command: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send a command that only looks; again, when the daemon was restarted meanwhile."""
        while True:
            try:
                return self._connection.call(command, data)
            except ConnectionFailed:
                self._take_up_again()
            except ClientError as error:
                if error.code != "stopping":
                    raise
                self._take_up_again()

    def next_event(self, timeout: float) -> dict[str, Any] | None:
        """Return the next event within ``timeout`` seconds, or None. What happens during a restart is missed."""
        try:
            return self._connection.next_event(timeout)
        except ConnectionFailed:
            self._take_up_again()
            return None

    def _take_up_again(self) -> None:
        tell("the daemon has gone; waiting for it to come back ...")
        self._connection.close()
        self.wait_until_ready()
        tell("the daemon is back")

    def _tail(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
        return "\n".join(map(safe, lines))
