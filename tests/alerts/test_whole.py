"""A dead switch on the whole: the virtual lab, a real daemon, a webhook; one message, and one when it is over."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from e2e import chain, site

PLUGINS = {
    "Alerts": {"look_interval": "100ms", "confirm": "2s", "settle": "1s", "base_url": "https://ockle.example.org"}
}
ENABLED = "CoreCommunicationCommands, SocketListener, Alerts"


@contextmanager
def receiving() -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Yield a port that takes what is posted there, and what it got."""
    got: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, got
        server.shutdown()


def test_a_dead_switch(tmp_path: Path) -> None:
    names = ("core", "nas", "db", "web")
    with receiving() as (port, got), site(chain(*names, speed=0.05), tmp_path, plugins=PLUGINS, start=False) as made:
        (made.etc / "channels").mkdir()
        (made.etc / "channels/hook.ini").write_text(f"[channel]\ntype = Webhook\nurl = http://127.0.0.1:{port}/\n")
        made.edit("config.ini", "plugins", plugins=ENABLED)
        made.start()
        made.switch("on", "all")
        for name in names:
            made.lab.turn(name, service_down=True)
        made.until("told", lambda: got)
        alert = made.call("getAlerts")["alerts"][0]
        assert alert["server"] == "core"
        assert "1 open alert (1 critical): ockle alert list" in made.cli("status").err
        assert "core does not serve any more" in made.cli("alert", "list").out
        assert "with it 3 problems:" in made.cli("alert", "show", str(alert["id"])).out
        assert "alert 1 is acknowledged" in made.cli("alert", "ack", "1", "-m", "cable ordered").out
        silence = made.cli("alert", "silence", "db", "--for", "2h", "--subject", "outlets/*", "-m", "moving").out
        assert silence.startswith("silence 1: nothing is told of db, outlets/* until ")
        assert silence.endswith("moving\n")
        assert "silence 1 has ended" in made.cli("alert", "unsilence", "1").out
        assert made.cli("alert", "show", "99").code == 2
        assert made.cli("alert", "silence", "web9", "--for", "2h").code == 2
        for name in names:
            made.lab.turn(name, service_down=False)
        made.until("told to be over", lambda: len(got) > 1)
        made.until("closed", lambda: not made.call("getAlerts")["alerts"])
    assert [(one["kind"], one["subject"], one["alert"]) for one in got] == [
        ("problem", "server/core", 1),
        ("recovery", "server/core", 1),
    ]
    assert got[0]["lines"] == ["with it: 3 servers: db, nas, web"]
    assert got[0]["url"] == "https://ockle.example.org/alerts/1"
