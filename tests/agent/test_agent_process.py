"""The agent as systemd starts it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from e2e import ockle
from ockle.common.http import Target, fetch_json
from peers import free_port
from plug_site import KEY, plug_lab


@contextmanager
def agent_with(path: Path, manager: socket.socket, notify: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the agent as systemd does: it is told where to report, and that it is watched."""
    manager.settimeout(30)
    manager.bind(str(notify))
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "NOTIFY_SOCKET": str(notify),
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
        yield agent
    finally:
        agent.kill()
        agent.communicate()


def test_without_a_plug_it_serves_its_figures(tmp_path: Path) -> None:
    port = free_port()
    path = tmp_path / "agent.ini"
    path.write_text(f"[metrics]\naddress = 127.0.0.1\nport = {port}\n")
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
        agent_with(path, manager, tmp_path / "notify") as agent,
    ):
        assert manager.recv(4096).startswith(b"READY=1\nSTATUS=tells what this machine measures")
        figures = asyncio.run(fetch_json(Target("127.0.0.1", port, "/event/"), 20))
        assert figures["num_pids"] > 0
        assert [manager.recv(4096) for _ in range(2)] == [b"WATCHDOG=1"] * 2
        agent.send_signal(signal.SIGTERM)
        output, _ = agent.communicate(timeout=20)
        assert agent.returncode == 0, output


def test_without_a_plug_and_a_port_it_ends(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        path = tmp_path / "agent.ini"
        path.write_text(f"[metrics]\naddress = 127.0.0.1\nport = {taken.getsockname()[1]}\n")
        result = ockle("agent", "run", "--config", str(path))
    assert result.code == 1
    assert "cannot listen on 127.0.0.1" in result.err


def test_it_is_ready_reports_and_ends_well(tmp_path: Path) -> None:
    """Also while there is no plug: a machine has to boot without it, and tells its figures."""
    port = free_port()
    with plug_lab() as lab, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        lab.turn("plug", silent=True)
        point = lab.endpoints["plug"]
        path, log = tmp_path / "agent.ini", tmp_path / "log"
        path.write_text(
            f"[plug]\nhost = {point.host}\nport = {point.ports['esphome']}\nkey = {KEY}\ntimeout = 1s\n"
            f"[agent]\nshutdown_command = true\n[metrics]\naddress = 127.0.0.1\nport = {port}\n[log]\nfolder = {log}\n"
        )
        with agent_with(path, manager, tmp_path / "notify") as agent:
            assert manager.recv(4096).startswith(b"READY=1\nSTATUS=looking for ")
            said: list[bytes] = []
            while said.count(b"WATCHDOG=1") < 3 or not any(b"no answer within 1 s" in text for text in said):
                said.append(manager.recv(4096))
            assert asyncio.run(fetch_json(Target("127.0.0.1", port, "/events"), 20))["num_pids"] > 0
            agent.send_signal(signal.SIGTERM)
            output, _ = agent.communicate(timeout=20)
        assert agent.returncode == 0, output
        (file,) = log.iterdir()
        assert "the agent ends" in file.read_text()
        assert KEY not in output + file.read_text()
