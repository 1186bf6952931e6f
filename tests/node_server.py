"""A machine that tells its figures: a web server on loopback that answers whatever the test wants."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override


class NodeServer(ThreadingHTTPServer):
    """``figures``: what it answers; None: it answers 500."""

    daemon_threads = True

    def __init__(self, **figures: Any) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.figures: dict[str, Any] | None = figures

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/events"


class _Answer(BaseHTTPRequestHandler):
    server: NodeServer

    def do_GET(self) -> None:
        figures = self.server.figures
        body = json.dumps(figures).encode()
        self.send_response(500 if figures is None else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Tests say what is wrong themselves."""


@contextmanager
def node_server(**figures: Any) -> Iterator[NodeServer]:
    with NodeServer(**figures) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
