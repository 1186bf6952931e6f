"""ModuleTemplate: what every plugin is, one class with one thread."""

from __future__ import annotations

import logging
import threading
from typing import Any

from ..common.errors import OckleError
from ..common.services import DaemonServices


class ModuleTemplate:
    """A plugin. Extend ``__init__`` to register commands, ``run`` to do something in a thread of its own.

    A plugin that raises in ``__init__`` or ``run`` is reported and logged; the others and the daemon go on.

    ``mainDaemon``      the daemon's services: network, engine, communicationHandler, events …
    ``stop_requested``  set when the daemon wants ``run`` to return
    ``failure``         why the plugin is not working, "" while it is
    """

    def __init__(self, MainDaemon: DaemonServices) -> None:
        self.mainDaemon = MainDaemon
        self.name = type(self).__name__
        self.stop_requested = threading.Event()
        self.failure = ""
        self._log = logging.getLogger(type(self).__module__)
        self._thread: threading.Thread | None = None

    def debug(self, message: str) -> None:
        """Write ``message`` to the log, level DEBUG."""
        self._log.debug("%s: %s", self.name, message)

    def getConfigVar(self, value: str) -> Any:
        """Return the option ``value`` of ``[plugins.NAME]`` in config.ini, typed; the template's default if not set.

        Raises KeyError when the plugin's template has no such option.
        """
        return self.mainDaemon.plugin_settings(self.name)[value]

    def getConfigInt(self, value: str) -> int:
        """Return the option ``value`` as an integer."""
        return int(self.getConfigVar(value))

    def prepare(self) -> None:
        """Called when the daemon starts, before anything is switched; an OckleError keeps it from starting."""

    def run(self) -> None:
        """Work until ``stop_requested`` is set; plugins that only register commands leave this alone."""

    def wait_ready(self, timeout: float) -> None:
        """Called once all plugins have been started: return when others can use it, or has failed; wait no longer."""

    def reconfigured(self) -> None:
        """Called after a reload of the configuration, in the thread that reloads."""

    def stop(self) -> None:
        """Ask ``run`` to return; plugins that wait elsewhere extend this."""
        self.stop_requested.set()

    # -- what the daemon uses

    def start(self) -> None:
        """Start the plugin's thread."""
        self._thread = threading.Thread(target=self._guarded_run, name=f"plugin {self.name}", daemon=True)
        self._thread.start()

    def join(self, timeout: float) -> bool:
        """Wait for the thread; True when it has ended."""
        if self._thread is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _guarded_run(self) -> None:
        try:
            self.run()
        except OckleError as error:
            self._died(str(error))
        except Exception as error:  # noqa: BLE001 - the outermost loop of the plugin's thread
            self._died(f"{type(error).__name__}: {error}", bug=True)

    def _died(self, failure: str, *, bug: bool = False) -> None:
        self.failure = failure
        self._log.error("plugin %s ended: %s", self.name, failure, exc_info=bug)
        self.mainDaemon.events.publish("plugin", f"plugin {self.name} ended: {failure}", plugin=self.name)
