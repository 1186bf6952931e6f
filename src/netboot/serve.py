"""The boot server as a process: signals, systemd, and the configuration read anew."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path

from ..common import notify
from ..common.errors import OckleError
from .boot_server import BootServer
from .from_site import read_config

log = logging.getLogger(__name__)


def serve(etc: Path, *, by: str, ready: Callable[[str], None]) -> None:
    """Serve the configuration in ``etc`` until SIGTERM or SIGINT; at SIGHUP it is read again, if it is sound.

    ``by``  "process": it ends with the process that started it
    Raises OckleError when it cannot be served.
    """
    process = _Process(etc, by, ready)
    signal.signal(signal.SIGTERM, lambda _number, _frame: process.stop())
    signal.signal(signal.SIGINT, lambda _number, _frame: process.stop())
    signal.signal(signal.SIGHUP, lambda _number, _frame: process.read_again())
    process.run()


class _Process:
    def __init__(self, etc: Path, by: str, ready: Callable[[str], None]) -> None:
        self._etc, self._by, self._ready = etc, by, ready
        self._parent = os.getppid()
        self._config = read_config(etc)
        self._server = self._make()
        self._again = True

    def _make(self) -> BootServer:
        return BootServer(self._config, by=self._by, tick=self._tick)

    def run(self) -> None:
        while self._again:
            self._again = False
            self._server.run(self._is_up)
            if self._again:
                self._server = self._make()
        notify.stopping()

    def stop(self) -> None:
        self._again = False
        self._server.stop()

    def read_again(self) -> None:
        """Serve by what the files say now: at once for profiles, with new sockets for other options."""
        try:
            config = read_config(self._etc)
        except OckleError as error:
            log.error("not read anew: %s", error)
            return
        changed, self._config = dict(config.settings) != dict(self._config.settings), config
        if changed:
            self._again = True
            self._server.stop()
        else:
            self._server.reconfigure(config.profiles)

    def _is_up(self) -> None:
        text = "; ".join(f"{name} {', '.join(at)}" for name, at in self._server.addresses.items())
        notify.ready(text)
        self._ready(f"the boot server is at work: {text or 'without any service'}")

    def _tick(self) -> None:
        notify.watchdog()
        if self._by == "process" and os.getppid() != self._parent:
            log.warning("the daemon is gone; the boot server ends, too")
            self.stop()
