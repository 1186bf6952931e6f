"""A receiver of webhooks: keeps what is posted to it, and answers as it is told.

Shares no code with the channels: Python's own web server takes the requests.
"""

from __future__ import annotations

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

MOST = 256 * 1024
PATIENCE_S = 10.0


class Receiver:
    """As a context it listens, at ``url``. ``status``: what it answers; ``silent``: it does not,
    though it keeps what came.

    ``port``  0: any that is free
    """

    def __init__(self, port: int = 0) -> None:
        self.status = 200
        self.silent = False
        self.got: list[dict[str, Any]] = []
        self._news: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._server = _Server(self, port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="receiver")

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}/alerts"

    def add_channel(self, etc: Path, name: str = "demo") -> None:
        """Write the file of a channel that leads here."""
        folder = etc / "channels"
        folder.mkdir(exist_ok=True)
        lines = ("[channel]", "type = Webhook", "comment = the lab's receiver", f"url = {self.url}", "")
        (folder / f"{name}.ini").write_text("\n".join(lines), "utf-8")

    def next(self, timeout: float = 0.0) -> dict[str, Any] | None:
        """Return the next JSON object that was posted and has not been returned yet, None if there is none."""
        try:
            return self._news.get(timeout=timeout) if timeout else self._news.get_nowait()
        except queue.Empty:
            return None

    def take(self, body: bytes) -> int:
        """Keep what was posted, and return the status to answer with."""
        try:
            found = json.loads(body)
        except ValueError:
            return 400
        if not isinstance(found, dict):
            return 400
        if 200 <= self.status < 300:
            self.got.append(found)
            self._news.put(found)
        if self.silent:
            self._ended.wait(PATIENCE_S)
        return self.status

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    def __init__(self, receiver: Receiver, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.receiver = receiver


class _Handler(BaseHTTPRequestHandler):
    timeout = PATIENCE_S
    server: _Server

    def do_POST(self) -> None:
        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError:
            length = -1
        if not 0 <= length <= MOST:
            self.send_error(411 if length < 0 else 413)
            return
        status = self.server.receiver.take(self.rfile.read(length))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what came is in ``got``."""
