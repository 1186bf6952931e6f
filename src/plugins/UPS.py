"""UPS: shuts servers down in order while a UPS still feeds them, and brings back what was on."""

from __future__ import annotations

from collections.abc import Iterable

from typing_extensions import override

from ..commands.ups import UpsCommands
from ..common.errors import OckleError
from ..common.nut import Reading, read_ups
from ..common.problems import Problem
from ..common.services import DaemonServices
from ..config.ups import Ups, ups_of
from ..engine.alerts.ups_problems import fed_by, ups_problems
from ..engine.sampling import Measured
from ..engine.ups_keeper import UpsKeeper
from ..engine.ups_report import measured
from ..store.samples.sample_store import Series
from .ModuleTemplate import ModuleTemplate

FIRST_LOOK_S = 60.0
"""How long the first look at all devices may take before UPSes are heeded without those that do not answer."""
ROUND_S = 150.0
"""Longer than all UPSes together may take to be asked, twice a minute at most."""


class UPS(ModuleTemplate):
    """Asks the UPSes every ``interval``, on the device loop; what that calls for is done there, too."""

    def __init__(self, MainDaemon: DaemonServices) -> None:  # noqa: N803 - documented name
        super().__init__(MainDaemon)
        self._keeper = UpsKeeper(MainDaemon.engine, self._read, self._heeds_auto)
        UpsCommands(MainDaemon, self._keeper)

    async def _read(self, ups: Ups) -> Reading:
        timeout = float(self.getConfigVar("timeout"))
        return await read_ups(ups.host, ups.port, ups.ups, ups.user, ups.password.reveal(), timeout)

    def _heeds_auto(self) -> bool:
        return bool(self.getConfigVar("heed_master_switch")) and "AutoControl" in self.mainDaemon.plugin_states()

    @override
    def run(self) -> None:
        loop = self.mainDaemon.device_loop
        self._keeper.load()
        self._take()
        self.mainDaemon.engine.meters.append(self._measured)
        self.mainDaemon.engine.problem_sources.append(self._problems)
        self.mainDaemon.engine.feeders.append(self._feeds)
        try:
            loop.call(self.mainDaemon.engine.observer.observed.wait(), FIRST_LOOK_S)
        except OckleError:
            self.debug("some devices have not answered yet; going on with the others")
        while not self.stop_requested.is_set():
            try:
                loop.call(self._keeper.look(), ROUND_S)
            except OckleError as error:
                self._log.warning("UPS: %s; tried again", error)
            except Exception:  # noqa: BLE001 - the loop of this thread: one bad round must not leave the batteries alone
                self._log.exception("UPS: a round failed; tried again")
            audit, self._keeper.audit[:] = list(self._keeper.audit), []
            for action in audit:
                self.mainDaemon.communicationHandler.record(action)
            self.stop_requested.wait(self.getConfigVar("interval"))
        self.mainDaemon.engine.meters.remove(self._measured)
        self.mainDaemon.engine.problem_sources.remove(self._problems)
        self.mainDaemon.engine.feeders.remove(self._feeds)

    def _measured(self) -> dict[Series, Measured]:
        return measured(self._keeper)

    def _problems(self) -> Iterable[Problem]:
        return ups_problems(self._keeper, self.mainDaemon.clock.now())

    def _feeds(self) -> dict[str, tuple[str, ...]]:
        return fed_by(self._keeper)

    def _take(self) -> None:
        upses = [ups_of(one) for one in self.mainDaemon.site.ups.values()]
        self.mainDaemon.device_loop.call(self._taken(upses))

    async def _taken(self, upses: list[Ups]) -> None:
        self._keeper.take(upses)

    @override
    def reconfigured(self) -> None:
        self._take()
