"""OpenSSH's sshd as a machine that can be told to shut down, run by whoever runs the tests, on a free port."""

from __future__ import annotations

import getpass
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from peers import free_port, missing, peer


@dataclass
class Sshd:
    """A server; ``start`` and ``stop`` may be called again and again, on the same port and with the same keys."""

    folder: Path
    port: int
    host: str = "127.0.0.1"
    prefix: tuple[str, ...] = ()
    """Program and arguments that go before sshd, such as ``ip netns exec NAME``."""
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def known_hosts(self) -> str:
        kind, key = (self.folder / "host_key.pub").read_text("utf-8").split()[:2]
        return f"[{self.host}]:{self.port} {kind} {key}\n"

    def settings(self, **changes: object) -> dict[str, Any]:
        """Return options of a controller that may log in."""
        known = self.folder / "known_hosts"
        known.write_text(self.known_hosts, "utf-8")
        options = {
            "port": self.port,
            "user": getpass.getuser(),
            "key_file": str(self.folder / "user_key"),
            "known_hosts": str(known),
            "shutdown_command": "halt-soon",
            "timeout": "5s",
        }
        return {**options, **changes}

    def start(self) -> None:
        """Start the server and wait until it greets."""
        self.launch()
        assert self.process is not None
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self._log()
            try:
                with socket.create_connection((self.host, self.port), 1) as probe:
                    if probe.recv(4) == b"SSH-":
                        return
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"sshd does not answer: {self._log()}")

    def launch(self) -> None:
        """Start the server and wait until it says that it listens: it may be in a network that we cannot reach."""
        config = self.folder / "sshd_config"
        program = peer("sshd")
        begin = len(self._log())
        with (self.folder / "sshd.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, program, "-D", "-e", "-f", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        (self.folder / "pid").write_text(str(self.process.pid), "ascii")
        deadline = time.monotonic() + 20
        while f"Server listening on {self.host}" not in self._log()[begin:]:
            assert self.process.poll() is None, self._log()
            assert time.monotonic() < deadline, self._log()
            time.sleep(0.02)

    def _log(self) -> str:
        path = self.folder / "sshd.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def stop(self) -> None:
        if self.process is None:
            return
        for pid in [*descendants(self.process.pid), self.process.pid]:
            if self.process.poll() is None or pid != self.process.pid:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
        self.process.wait(10)

    def wait_ended(self, timeout: float = 10) -> None:
        assert self.process is not None
        self.process.wait(timeout)


def descendants(pid: int) -> list[int]:
    """Return the processes below ``pid``, children first."""
    found = []
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    except FileNotFoundError:
        return []
    for child in map(int, children):
        found += [child, *descendants(child)]
    return found


def make(folder: Path, host: str = "127.0.0.1", port: int = 0, prefix: tuple[str, ...] = ()) -> Sshd:
    """Write keys and configuration; the server is not started."""
    peer("sshd")
    if not Path("/run/sshd").is_dir():
        try:
            Path("/run/sshd").mkdir(mode=0o755)
        except OSError:
            missing("sshd needs the folder /run/sshd")
    for name in ("host_key", "user_key"):
        subprocess.run([peer("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    port = port or free_port("tcp", host)
    script = Path(__file__).with_name("sshd_shell.py")
    (folder / "sshd_config").write_text(
        f"""ListenAddress {host}
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
SetEnv HOME={folder}
ForceCommand {sys.executable} -S {script} {folder}
""",
        "utf-8",
    )
    return Sshd(folder, port, host, prefix)


@contextmanager
def running(folder: Path) -> Iterator[Sshd]:
    server = make(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
