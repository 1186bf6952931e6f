"""The boot server as a process on a wire of its own, and stock clients on cables beside it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netboot_net import Lan
from peers import peer

READY_S = 30.0
UDHCPC = '#!/bin/sh\n[ "$1" = bound ] && ip address add "$ip/24" dev "$interface" && echo "bound $ip"\nexit 0\n'


@dataclass
class Served:
    """``process`` is the boot server itself; what it says goes to a file."""

    wire: Lan
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def etc(self) -> Path:
        return self.folder / "etc"

    @property
    def said(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")

    @property
    def boot(self) -> Path:
        return self.etc / "netboot" / "boot"

    @property
    def images(self) -> Path:
        return self.etc / "netboot" / "images"

    def until(self, what: str, holds: Callable[[], Any], timeout: float = READY_S) -> Any:
        deadline = time.monotonic() + timeout
        while not (found := holds()):
            assert self.process.poll() is None, f"the boot server ended:\n{self.said}"
            assert time.monotonic() < deadline, f"not {what}:\n{self.said[-3000:]}"
            time.sleep(0.05)
        return found

    def ask_address(self, host: str, seconds: int = 4) -> str:
        """Have busybox ask for an address from a host's card; return it, "" = it got none."""
        script = self.folder / "udhcpc.sh"
        script.write_text(UDHCPC)
        script.chmod(0o755)
        self.wire.run("ip", "address", "flush", "dev", "eth0", host=host)
        words = ("udhcpc", "-f", "-n", "-q", "-t", seconds, "-T", 1, "-A", 0, "-i", "eth0", "-s", script)
        done = self.wire.run(peer("busybox"), *words, host=host, timeout=seconds + 20)
        return next((line.split()[1] for line in done.stdout.splitlines() if line.startswith("bound ")), "")


@contextmanager
def served(wire: Lan, folder: Path, hosts: str, *before: str, **options: str) -> Iterator[Served]:
    """Run it with all services and these ``options``. ``before``: what a shell does in its mount namespace first."""
    etc = folder / "etc"
    for name in ("boot", "images"):
        (etc / "netboot" / name).mkdir(parents=True)
    (folder / "state").mkdir()
    (etc / "hosts.csv").write_text(hosts)
    settings = {"interface": wire.BRIDGE, "address": wire.ADDRESS, "dhcp_check": "0", **options}
    lines = [f"{name} = {value}" for name, value in settings.items()]
    head = ["[main]", f"state_dir = {folder / 'state'}", "[plugins]", "plugins = NetBoot,", "[plugins.NetBoot]"]
    (etc / "config.ini").write_text("\n".join([*head, *lines, ""]))
    script = " && ".join([*before, f"exec {sys.executable} -m ockle --etc {etc} netboot serve"])
    with (folder / "log").open("wb") as log:
        process = wire.popen("sh", "-c", script, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        server = Served(wire, folder, process)
        try:
            server.until("at work", lambda: "boot server: " in server.said)
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    assert "Traceback" not in server.said, server.said
    assert process.returncode == 0, server.said
