"""The web GUI of ``ockle demo``: a child process beside the daemon's."""

from __future__ import annotations

import importlib.util
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

from .demo_daemon import HOST
from .output import tell

READY_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
USUAL_PORT = 8080


class DemoGui:
    """Serves the GUI for the daemon on ``port``; ``url`` is "" when it cannot, which is told and harms nothing.

    As a context it is started, and at the end asked to stop.
    """

    def __init__(self, folder: Path, port: int, gui_port: int) -> None:
        self.url = ""
        self._log = folder / "web.log"
        self._words = ["--etc", str(folder / "etc"), "--host", f"{HOST}:{port}", "--port", str(gui_port)]
        self._child: subprocess.Popen[str] | None = None

    def __enter__(self) -> DemoGui:
        missing = next((name for name in ("pyramid", "waitress") if importlib.util.find_spec(name) is None), "")
        if missing:
            tell(f"without the GUI, which needs {missing}: pip install 'ockle[web]'")
            return self
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        for name in ("NOTIFY_SOCKET", "OCKLE_HOST", "OCKLE_TOKEN"):
            environment.pop(name, None)
        with self._log.open("wb") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "ockle", "web", *self._words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment,
                start_new_session=True,  # Ctrl-C is for the parent, which then stops it
            )
        self.url = self._address()
        if not self.url:
            tell(f"the GUI did not start:\n{self._log.read_text(encoding='utf-8', errors='replace')[-2000:]}")
        return self

    def __exit__(self, *_exception: object) -> None:
        child = self._child
        if child is None:
            return
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if child.stdout is not None:
            child.stdout.close()

    def _address(self) -> str:
        """Return the URL that the child prints first, "" when it prints none in time."""
        child = self._child
        assert child is not None  # noqa: S101 - started just now
        assert child.stdout is not None  # noqa: S101 - a pipe
        said: queue.Queue[str] = queue.Queue()
        threading.Thread(target=lambda: said.put(child.stdout.readline()), daemon=True).start()  # type: ignore[union-attr]
        try:
            line = said.get(timeout=READY_TIMEOUT_S)
        except queue.Empty:
            return ""
        return line.rpartition(" ")[2].strip() if "://" in line else ""
