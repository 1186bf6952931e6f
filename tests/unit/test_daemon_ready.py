"""When the daemon says that it is ready, it can be reached."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from ockle.common.socket_server import SocketServer
from ockle.MainDaemon import MainDaemon


def test_once_started_the_daemon_lets_clients_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = SocketServer.start

    async def late(self: SocketServer) -> None:
        await asyncio.sleep(0.3)  # as on a busy machine
        await start(self)

    monkeypatch.setattr(SocketServer, "start", late)
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "config.ini").write_text(
        "[main]\nstate_dir = ../state\n[plugins]\nplugins = SocketListener,\n[plugins.SocketListener]\nport = 0\n"
    )
    daemon = MainDaemon(etc)
    daemon.start()
    try:
        address = daemon.plugins["SocketListener"].address  # type: ignore[attr-defined]
        with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), 5):
            pass
    finally:
        daemon.close()
