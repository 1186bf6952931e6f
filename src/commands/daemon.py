"""Commands about the daemon itself."""

from __future__ import annotations

import platform
import time

from .. import __version__
from ..common.CommunicationHandler import current_caller
from ..common.services import DaemonServices
from ..store.connect import without_password
from .group import CommandGroup, Data


class DaemonCommands(CommandGroup):
    """Reload, restart, and what this daemon is."""

    def __init__(self, daemon: DaemonServices) -> None:
        super().__init__(daemon)
        self._began = time.monotonic()
        self.add("about", self.about)
        self.add("resume", self.resume, "operator")
        self.add("reload", self.reload, "admin")
        self.add("restartOckle", self.restart, "admin")

    def about(self, data: Data) -> Data:
        """Return version, folder of the configuration, store, servers, plugins and what is wrong with them.

        ``uptime_s`` is how long the daemon runs, ``switching`` which servers are being switched.
        """
        return {
            "version": __version__,
            "python": platform.python_version(),
            "system": platform.platform(terse=True),
            "uptime_s": time.monotonic() - self._began,
            "etc": str(self._daemon.etc),
            "store": without_password(self.engine.store.url),
            "servers": len(self.network),
            "plugins": self._daemon.plugin_states(),
            "switching": self.look(self.engine.busy),
        }

    def resume(self, data: Data) -> Data:
        """Leave safe mode, as a person has looked: open runs go on. Returns why it was entered, or ""."""
        reason = self.look(lambda: str(self.engine.core.safe_mode))
        self._daemon.device_loop.call(self.engine.resume(current_caller().name))
        return {"reason": reason}

    def reload(self, data: Data) -> Data:
        """Apply the configuration as it is on disk; running runs go on and no outlet is touched."""
        return self._daemon.reload(data)

    def restart(self, data: Data) -> Data:
        """Restart the daemon; runs stay open and go on afterwards."""
        self._daemon.shutdown(restart=True)
        return {"status": "restarting"}
