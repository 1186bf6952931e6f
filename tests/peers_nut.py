"""Network UPS Tools: upsd with a UPS of its dummy driver, started on a free port."""

from __future__ import annotations

import os
import pwd
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from peers import free_port, missing, peer

LIB = Path("/lib/nut")
PATIENCE_S = 30.0
VARIABLES = {
    "ups.status": "OL",
    "ups.load": "40",
    "battery.charge": "100",
    "battery.runtime": "3600",
    "input.voltage": "230",
}


@dataclass
class Nut:
    """A UPS called ``ups``. ``set`` changes what it says; ``stop_driver`` makes that stale, ``stop`` ends upsd."""

    folder: Path
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def set(self, **values: str) -> None:
        """Have it say something else: ``ups_status="OB"`` sets ups.status. The driver takes it in once a second."""
        address = f"ups@127.0.0.1:{self.port}"
        wanted = {name.replace("_", "."): value for name, value in values.items()}
        for variable, value in wanted.items():
            self._until([peer("upsrw"), "-s", f"{variable}={value}", "-u", "admin", "-p", "secret", address], "OK")
        for variable, value in wanted.items():
            self._until([peer("upsc"), address, variable], value)

    def _until(self, command: list[str], shown: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=20, env=self.environment, check=False
            )
            if shown in done.stdout + done.stderr:
                return
            assert time.monotonic() < deadline, (command, done.stdout, done.stderr)
            time.sleep(0.05)

    def start(self, name: str, *options: str) -> None:
        user = pwd.getpwuid(os.getuid()).pw_name
        log = (self.folder / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            [str(LIB / name), "-F", "-u", user, *options], env=self.environment, stdout=log, stderr=log
        )
        log.close()

    def driver_listens(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not (self.folder / "dummy-ups-ups").exists():
            assert time.monotonic() < deadline, (self.folder / "dummy-ups.log").read_text()
            time.sleep(0.02)

    def end(self, name: str) -> None:
        process = self.processes.pop(name, None)
        if process is not None:
            process.terminate()
            process.wait(10)

    def ready(self) -> None:
        self._until([peer("upsc"), f"ups@127.0.0.1:{self.port}", "ups.status"], "O")


@contextmanager
def running(folder: Path) -> Iterator[Nut]:
    """Run upsd and the driver until the block ends."""
    if not (LIB / "upsd").exists() or not (LIB / "dummy-ups").exists():
        missing("nut-server is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    nut = Nut(folder, free_port("tcp"))
    nut.environment = {
        **os.environ, "NUT_CONFPATH": str(folder), "NUT_STATEPATH": str(folder), "NUT_ALTPIDPATH": str(folder),
    }  # fmt: skip
    (folder / "device.dev").write_text("".join(f"{name}: {value}\n" for name, value in VARIABLES.items()))
    (folder / "ups.conf").write_text(
        f"maxretry = 3\n[ups]\ndriver = dummy-ups\nport = {folder}/device.dev\nmode = dummy-once\npollinterval = 1\n"
    )
    (folder / "upsd.conf").write_text(f"LISTEN 127.0.0.1 {nut.port}\nMAXAGE 3\n")
    (folder / "upsd.users").write_text("[admin]\npassword = secret\nactions = SET\ninstcmds = ALL\n")
    for name in ("upsd.conf", "upsd.users", "ups.conf"):
        (folder / name).chmod(0o600)
    try:
        nut.start("dummy-ups", "-a", "ups")
        nut.driver_listens()  # upsd looks for it when it starts, and then only once in a while
        nut.start("upsd")
        nut.ready()
        yield nut
    finally:
        for name in list(nut.processes):
            nut.end(name)
