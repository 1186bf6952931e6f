"""The agent as systemd starts it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from plug_site import KEY, plug_lab


def test_it_is_ready_reports_and_ends_well(tmp_path: Path) -> None:
    """Also while there is no plug: a machine has to boot without it."""
    with plug_lab() as lab, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        lab.turn("plug", silent=True)
        point = lab.endpoints["plug"]
        path, log = tmp_path / "agent.ini", tmp_path / "log"
        path.write_text(
            f"[plug]\nhost = {point.host}\nport = {point.ports['esphome']}\nkey = {KEY}\ntimeout = 1s\n"
            f"[agent]\nshutdown_command = true\n[log]\nfolder = {log}\n"
        )
        manager.settimeout(30)
        manager.bind(str(tmp_path / "notify"))
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
            "WATCHDOG_USEC": "1000000",
        }
        environment.pop("WATCHDOG_PID", None)
        agent = subprocess.Popen(
            [sys.executable, "-m", "ockle", "agent", "run", "--config", str(path)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert manager.recv(4096).startswith(b"READY=1\nSTATUS=looking for ")
            said: list[bytes] = []
            while said.count(b"WATCHDOG=1") < 3 or not any(b"no answer within 1 s" in text for text in said):
                said.append(manager.recv(4096))
            agent.send_signal(signal.SIGTERM)
            output, _ = agent.communicate(timeout=20)
        finally:
            agent.kill()
            agent.communicate()
        assert agent.returncode == 0, output
        (file,) = log.iterdir()
        assert "the agent ends" in file.read_text()
        assert KEY not in output + file.read_text()
