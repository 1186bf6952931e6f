"""Logger: keeps what is measured at all servers, in a database of its own."""

from __future__ import annotations

import time

from typing_extensions import override

from ..commands.samples import SampleCommands
from ..common.errors import OckleError
from ..common.services import DaemonServices
from ..engine.sampling import Sampler
from ..store.folder import StateFolder
from ..store.samples.recorder import Recorder
from ..store.samples.sample_store import SampleStore
from ..store.samples.upkeep import Keep
from .ModuleTemplate import ModuleTemplate

LOOK_TIMEOUT_S = 60.0


class Logger(ModuleTemplate):
    """Logs the data of outlets, controls and tests every ``interval``, and writes it every ``write_every``.

    All that touches the database happens in the plugin's thread, or in that of a command that reads; the device loop
    only hands out numbers. So a disk that is full, slow or gone costs samples and nothing else.
    """

    def __init__(self, MainDaemon: DaemonServices) -> None:  # noqa: N803 - documented name
        super().__init__(MainDaemon)
        self._recorder = Recorder(SampleStore(self._url(), self._keep()), self._tell)
        self._sampler = Sampler(self.getConfigVar("interval"))
        SampleCommands(MainDaemon, self._recorder.store)

    def _url(self) -> str:
        configured = str(self.getConfigVar("database"))
        if configured:
            return configured
        folder = StateFolder(self.mainDaemon.etc, self.mainDaemon.site.main["state_dir"])
        return f"sqlite:///{folder.path / 'samples.db'}"

    def _keep(self) -> Keep:
        days = {name: self.getConfigInt(name) for name in ("raw_days", "minute_days", "quarter_days", "hour_days")}
        return Keep(**days, most_bytes=self.getConfigInt("max_size") * 1_000_000)

    def _tell(self, text: str) -> None:
        self.mainDaemon.events.publish("plugin", text, plugin=self.name)

    @override
    def run(self) -> None:
        daemon, recorder, clock = self.mainDaemon, self._recorder, self.mainDaemon.clock
        daemon.engine.store.spare.append(recorder.gave_way)
        recorder.flush(clock.wall())  # open it now: commands may ask before there is anything to write
        written = time.monotonic()
        while not self.stop_requested.wait(self.getConfigVar("interval")):
            self._look()
            if time.monotonic() - written >= self.getConfigVar("write_every"):
                written = time.monotonic()
                recorder.flush(clock.wall())
        recorder.flush(clock.wall())
        daemon.engine.store.spare.remove(recorder.gave_way)
        recorder.store.close()

    def _look(self) -> None:
        daemon, sampler = self.mainDaemon, self._sampler
        sampler.interval = self.getConfigVar("interval")
        try:
            values, pace = daemon.device_loop.call(
                sampler.look(daemon.network, daemon.engine.settings, daemon.clock.now(), daemon.engine.meters),
                LOOK_TIMEOUT_S,
            )
        except OckleError as error:  # the loop is busy or ends; the next look comes
            self.debug(f"no samples this time: {error}")
            return
        self._recorder.add(daemon.clock.wall(), values, pace)

    @override
    def reconfigured(self) -> None:
        self._recorder.store.keep = self._keep()
        if self._url() != self._recorder.store.url:
            self._log.warning("Logger: another database is used after a restart of the daemon")
