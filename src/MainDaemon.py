"""The Main Daemon: reads the configuration, runs the engine and the plugins, until it is told to stop."""

from __future__ import annotations

if __name__ == "__main__" and not __package__:  # started as a file: load the package around it first
    import importlib.util
    import sys
    from pathlib import Path

    sys.path.pop(0)  # this folder: nothing in it may pass for a top-level module
    spec = importlib.util.spec_from_file_location("ockle", Path(__file__).with_name("__init__.py"))
    assert spec and spec.loader  # noqa: S101 - the file stands beside this one
    package = sys.modules["ockle"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(package)
    sys.exit(importlib.import_module("ockle.MainDaemon").main())

import argparse
import logging
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from . import __version__
from .common import heap, notify
from .common.clock import Clock, SystemClock
from .common.CommunicationHandler import CommunicationHandler
from .common.device_loop import DeviceLoop
from .common.errors import ConfigError, OckleError, StoreBroken
from .common.events import EventBus
from .common.failpoints import arm_from_environment
from .common.logs import logging_to, register_secret
from .config.paths import find_etc
from .config.references import Secret
from .config.restart import waiting
from .config.site import Site, load_site
from .config.templates import PLAIN_SECTION, TYPED, described_types, plugin_template
from .drivers.discovery import load_class, register_external_templates
from .engine.engine import Engine
from .engine.event_log import EventLog
from .engine.keeper import Keeper
from .engine.runner import EngineRunner
from .engine.settings import Settings
from .networkTree.ServerNetwork import ServerNetwork
from .networkTree.ServerNetworkFactory import ServerNetworkFactory, check
from .plugins.ModuleTemplate import ModuleTemplate
from .store.folder import StateFolder
from .store.store import Store
from .users.users import Users

log = logging.getLogger(__name__)

PLUGIN_STOP_S, ENGINE_STOP_S, LOOP_STOP_S = 2.0, 6.5, 0.5
"""How long all plugins, then the engine, then the device loop (twice) may take to stop: less than 10 s together."""

START_TIMEOUT_S, PLUGIN_READY_S = 120.0, 10.0

BROKEN_STORE = 74
"""Exit code when the disk fails under the store, or another daemon took it over (EX_IOERR of sysexits.h)."""


class MainDaemon:
    """Runs the Ockle core: builds the network, loads the plugins, applies changes of the configuration.

    ``etc``  the folder of the configuration
    Raises ConfigError or DependencyException when the configuration does not load; nothing is started then.
    """

    def __init__(self, etc: Path | None = None, *, clock: Clock | None = None) -> None:
        self.etc = find_etc(etc)
        self.clock: Clock = clock or SystemClock()
        register_external_templates()
        self.site = self._read()
        self.factory = ServerNetworkFactory(self, clock=self.clock)
        network = self.factory.buildNetwork(self.site)
        self.events = EventBus(keep=self.site.main["event_limit"], clock=self.clock)
        self.communicationHandler = CommunicationHandler(self)
        self.plugins: dict[str, ModuleTemplate] = {}
        self._failed_plugins: dict[str, str] = {}
        self._started: dict[str, Mapping[str, Any]] = {
            "main": self.site.main
        }  # section -> settings that what reads them at its start has
        state = StateFolder(self.etc, self.site.main["state_dir"])
        self.device_loop = DeviceLoop()
        self.engine = Engine(
            network,
            Store(self.site.main["database"] or state.database_url, self.site.main["log_database"]),
            events=self.events,
            clock=self.clock,
            settings=Settings.from_main(self.site.main),
        )
        self.users = Users(self.engine.store, self.device_loop, self.clock)
        self.users.configure(self.site.users)
        self.communicationHandler.access = self.users
        self._keeper = Keeper(self.engine, state, self.site.main, end_at_once)
        self._attach(network)
        self._stop_wanted = self._reload_wanted = False
        self._woken, self._wake = os.pipe()  # a signal handler may write to a pipe, but not set an Event
        self._reloading = threading.Lock()
        self.restart_wanted = False

    def _read(self) -> Site:
        site = load_site(self.etc)
        if site.faults:
            raise ConfigError(*(str(fault) for fault in site.faults))
        for secret in _secrets(site):
            register_secret(secret.reveal())
        return site

    def _attach(self, network: ServerNetwork) -> None:
        network.attach(EngineRunner(self.engine, self.device_loop))
        for node in network:
            for part in node.parts():
                part.bind(self.device_loop)

    @property
    def network(self) -> ServerNetwork:
        return self.engine.network

    # -- life

    def start(self) -> None:
        """Take the state folder, open the store, begin to watch the devices, start the plugins.

        Raises OckleError when another daemon has the folder or the store cannot be opened.
        """
        self._keeper.open()
        self.users.open()
        self._event_log = EventLog(self.engine.store, self.events, self.device_loop, self.site.main["event_limit"])
        for name in self.site.plugins:
            self._load_plugin(name)
        for plugin in self.plugins.values():
            plugin.prepare()
        self.device_loop.call(self._keeper.note_start())
        self.device_loop.call(self.engine.start(), START_TIMEOUT_S)
        for plugin in self.plugins.values():
            plugin.start()
        deadline = time.monotonic() + PLUGIN_READY_S
        for plugin in self.plugins.values():
            plugin.wait_ready(max(0.0, deadline - time.monotonic()))
        heap.settle()
        self.events.publish("daemon", f"Ockle {__version__} started: {len(self.network)} servers", phase="start")

    def wait(self) -> None:
        """Serve until ``shutdown`` is called; keeps systemd's watchdog fed as long as the device loop answers."""
        interval = notify.watchdog_interval_s() or 10.0
        while not self._stop_wanted:
            if select.select([self._woken], [], [], interval)[0]:
                os.read(self._woken, 64)
            if self._reload_wanted and not self._stop_wanted:
                self._reload_wanted = False
                self._reload_by_signal()
            try:
                self.device_loop.call(_nothing(), interval)
            except OckleError as error:  # a person, or systemd, which is not told that all is well, has to see to it
                log.error("the device loop does not answer: %s", error)
            else:
                notify.watchdog()

    def shutdown(self, restart: bool = False) -> None:
        """Ask the daemon to stop; outlets stay as they are, runs stay open. May be called from any thread."""
        self.restart_wanted = self.restart_wanted or restart
        self._stop_wanted = True
        os.write(self._wake, b"s")

    def close(self) -> None:
        """Stop plugins and engine in an order in which nobody misses the other; within 10 s, whatever hangs."""
        for plugin in self.plugins.values():
            plugin.stop()
        deadline = time.monotonic() + PLUGIN_STOP_S
        for plugin in self.plugins.values():
            if not plugin.join(max(0.0, deadline - time.monotonic())):
                log.warning("plugin %s does not stop; going on without it", plugin.name)
        self.events.publish("daemon", "Ockle stops", phase="stop")
        self._stop_step(lambda: self.device_loop.call(self._keeper.note_stop(), LOOP_STOP_S))
        self._stop_step(lambda: self.device_loop.call(self.engine.stop(), ENGINE_STOP_S))
        self._stop_step(self._event_log.close)
        self._stop_step(lambda: self.device_loop.stop(LOOP_STOP_S))
        self._keeper.close()

    @staticmethod
    def _stop_step(step: Callable[[], None]) -> None:
        try:
            step()
        except (OckleError, TimeoutError) as error:
            log.error("not stopped in time: %s", error)

    # -- plugins

    def getAvailablePluginsListIndex(self, dict: Mapping[str, Any] = {}) -> dict[str, str]:
        """Return the plugins that can be enabled: name -> description."""
        return described_types("plugins")

    def getPluginList(self) -> list[ModuleTemplate]:
        """Return the plugins that are loaded."""
        return list(self.plugins.values())

    def plugin_states(self) -> dict[str, str]:
        """Return the enabled plugins: name -> "" while it works, else what is wrong with it."""
        return {**self._failed_plugins, **{name: plugin.failure for name, plugin in self.plugins.items()}}

    def plugin_settings(self, name: str) -> Mapping[str, Any]:
        """Return the typed options of a plugin, defaults filled in."""
        found = self.site.plugin_settings.get(name)
        return found if found is not None else plugin_template(name).defaults(f"plugins.{name}")

    def waiting_for_restart(self) -> list[dict[str, str]]:
        """Return file, section and key of the options whose new values only a restart applies."""
        return waiting(self._started, self.site)

    def _load_plugin(self, name: str) -> None:
        try:
            self._started[f"plugins.{name}"] = self.plugin_settings(name)
            self.plugins[name] = load_class("plugins", name)(self)
        except Exception as error:  # foreign code: a plugin that cannot be loaded harms nobody else
            text = f"{type(error).__name__}: {error}"
            self._failed_plugins[name] = text
            log.error("plugin %s cannot be loaded: %s", name, text, exc_info=not isinstance(error, OckleError))
            self.events.publish("plugin", f"plugin {name} cannot be loaded: {text}", plugin=name)

    # -- configuration

    def reload(
        self, dataDict: Mapping[str, Any] | None = None, renamed: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Apply the configuration as it is on disk now; runs go on, no outlet is touched.

        ``renamed``  new name of a server -> the one that it had: what is known of it goes over
        Raises ConfigError or DependencyException, and leaves everything as it was, when it would not load.
        """
        with self._reloading:
            site = self._read()
            network = self.factory.buildNetwork(site)
            self._attach(network)
            self.device_loop.call(self.engine.adopt(network, Settings.from_main(site.main), renamed), 60.0)
            self.site = site
            self.users.configure(site.users)
            self._change_plugins(site.plugins)
        heap.settle()
        log.info("configuration loaded: %d servers", len(network))
        self.events.publish("config", f"configuration loaded: {len(network)} servers")
        return {"status": "ok", "servers": len(network)}

    def _change_plugins(self, wanted: list[str]) -> None:
        for name in [name for name in self.plugins if name not in wanted]:
            plugin = self.plugins.pop(name)
            del self._started[f"plugins.{name}"]
            plugin.stop()
            plugin.join(PLUGIN_STOP_S)
        for plugin in self.plugins.values():
            plugin.reconfigured()
        for name in wanted:
            if name not in self.plugins:
                self._failed_plugins.pop(name, None)
                self._load_plugin(name)
                if name in self.plugins:
                    self.plugins[name].start()

    def request_reload(self) -> None:
        """Have the configuration reloaded by the daemon's own thread soon; for signal handlers."""
        self._reload_wanted = True
        os.write(self._wake, b"r")

    def _reload_by_signal(self) -> None:
        notify.reloading()
        try:
            self.reload()
        except OckleError as error:
            for line in str(error).splitlines():
                log.error("not reloaded: %s", line)
        notify.ready(f"{len(self.network)} servers")

    def debug(self, message: str) -> None:
        """Write ``message`` to the log, level DEBUG."""
        log.debug("%s", message)


def end_at_once(error: StoreBroken) -> None:
    """End the process as a kill would: what memory holds is no longer to be trusted. Open work stays open."""
    log.critical("%s; the daemon ends, and has to observe everything anew", error)
    notify.status(str(error))
    for handler in logging.getLogger().handlers:
        handler.flush()
    os._exit(BROKEN_STORE)


async def _nothing() -> None:
    """Prove that the device loop runs."""


def _secrets(site: Site) -> Iterator[Secret]:
    parts = (part.params for server in site.servers.values() for part in server.parts())
    generators = (one.settings for kind in TYPED for one in site.generators(kind).values())
    plain = (one.settings for folder in PLAIN_SECTION for one in site.plain(folder).values())
    for settings in (site.main, *site.plugin_settings.values(), *generators, *plain, *parts):
        yield from (value for value in settings.values() if isinstance(value, Secret))


def run_daemon(etc: Path, ready: Callable[[MainDaemon], None] | None = None) -> int:
    """Run a daemon in the foreground until SIGTERM or SIGINT; SIGHUP reloads. Returns an exit code.

    ``ready``  called once it serves
    """
    faults, warnings = check(etc)
    for warning in warnings:
        print(f"ockle: warning: {warning}", file=sys.stderr)
    if faults:
        for fault in faults:
            print(f"ockle: {fault}", file=sys.stderr)
        return 2
    main_settings = load_site(etc).main
    log_dir = main_settings["log_dir"]
    with logging_to(main_settings["log_level"], Path(log_dir) if log_dir else None):
        try:
            arm_from_environment()
            daemon = MainDaemon(etc)
            _handle_signals(daemon)
            daemon.start()
        except OckleError as error:
            log.error("%s", error)
            return 2
        log.info("Ockle %s is ready: %d servers from %s", __version__, len(daemon.network), etc)
        notify.ready(f"{len(daemon.network)} servers")
        if ready is not None:
            ready(daemon)
        daemon.wait()
        notify.stopping()
        daemon.close()
        log.info("stopped")
    if daemon.restart_wanted:
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - the same command once more
    return 0


def _handle_signals(daemon: MainDaemon) -> None:
    def stop(_number: int, _frame: object) -> None:
        daemon.shutdown()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGHUP, lambda _number, _frame: daemon.request_reload())


def main(argv: list[str] | None = None) -> int:
    """Start as ``python src/MainDaemon.py``."""
    parser = argparse.ArgumentParser(prog="MainDaemon.py", description="The Ockle daemon, in the foreground.")
    parser.add_argument("--etc", type=Path, help="folder of the configuration")
    return run_daemon(find_etc(parser.parse_args(argv).etc))
