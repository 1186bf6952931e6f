"""Daemons as processes: started, watched in /proc, stopped."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

PATIENCE_S = 120.0


def find_program(name: str) -> str | None:
    """Return its full path, also from the folders of administrators."""
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Process:
    """A daemon and what it has cost so far."""

    def __init__(self, command: Sequence[str], log: IO[bytes]) -> None:
        self._log = log
        self.popen = subprocess.Popen(
            list(command), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip

    @property
    def said(self) -> str:
        return Path(self._log.name).read_text("utf-8", "replace")

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until its output has ``pattern``. Raises RuntimeError with the output when it ends before."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            found = re.search(pattern, self.said)
            if found:
                return found
            if self.popen.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError(f"{self.popen.args!r} did not say {pattern!r}:\n{self.said[-2000:]}")

    def cpu_s(self) -> float:
        """Return the seconds that its threads have run, to the nanosecond."""
        total = 0
        for task in Path(f"/proc/{self.popen.pid}/task").iterdir():
            try:
                total += int((task / "schedstat").read_text().split()[0])
            except FileNotFoundError:  # the thread has just ended
                continue
        return total / 1e9

    def settled(self) -> None:
        """Wait until it has next to nothing to do: no more than a twentieth of half a second."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            before = self.cpu_s()
            time.sleep(0.5)
            if self.cpu_s() - before < 0.025:
                return
        raise RuntimeError(f"{self.popen.args!r} does not come to rest")

    def peak_mb(self) -> float:
        """Return the most memory that it had at a time."""
        status = Path(f"/proc/{self.popen.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024

    def written(self) -> int:
        """Return the bytes that it had written to storage (``write_bytes`` of proc(5))."""
        return int(re.findall(r"^write_bytes: (\d+)", Path(f"/proc/{self.popen.pid}/io").read_text(), re.MULTILINE)[0])


@contextmanager
def running(command: Sequence[str]) -> Iterator[Process]:
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        process = Process(command, log.file)
        try:
            yield process
        finally:
            process.popen.terminate()
            try:
                process.popen.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.popen.kill()
                process.popen.wait()


@contextmanager
def ockle_daemon(etc: Path) -> Iterator[tuple[Process, int]]:
    """Yield a daemon that is ready, and the port of its socket."""
    with running([sys.executable, "-m", "ockle", "daemon", "--etc", str(etc)]) as daemon:
        port = int(daemon.wait_for(r"listening on 127\.0\.0\.1:(\d+)")[1])
        daemon.wait_for("is ready")
        yield daemon, port
