"""Schedules: switches servers on and off at the times that etc/schedules tells."""

from __future__ import annotations

from collections.abc import Iterable

from typing_extensions import override

from ..commands.schedules import ScheduleCommands
from ..common.errors import OckleError
from ..common.problems import Problem
from ..common.services import DaemonServices
from ..config.schedules import Schedule, schedule_of
from ..engine.alerts.schedule_problems import schedule_problems
from ..engine.scheduler import Scheduler
from .ModuleTemplate import ModuleTemplate

FIRST_LOOK_S = 60.0
"""How long the first look at all devices may take before schedules are carried out without those that do not answer."""


class Schedules(ModuleTemplate):
    """Looks at the wall clock every ``look_interval``, rather than sleep until the next time: the clock may be set."""

    def __init__(self, MainDaemon: DaemonServices) -> None:  # noqa: N803 - documented name
        super().__init__(MainDaemon)
        self._scheduler = Scheduler(MainDaemon.engine, self._heeds_auto)
        self._problem = ""
        ScheduleCommands(MainDaemon, self._scheduler)

    def _heeds_auto(self) -> bool:
        return bool(self.getConfigVar("heed_master_switch")) and "AutoControl" in self.mainDaemon.plugin_states()

    @override
    def run(self) -> None:
        self._scheduler.load()
        self._take()
        self.mainDaemon.engine.problem_sources.append(self._problems)
        try:
            self.mainDaemon.device_loop.call(self._first_look(), FIRST_LOOK_S)
        except OckleError:
            self.debug("some devices have not answered yet; going on with the others")
        while True:
            self._look()
            if self.stop_requested.wait(self.getConfigVar("look_interval")):
                break
        self.mainDaemon.engine.problem_sources.remove(self._problems)

    def _problems(self) -> Iterable[Problem]:
        return schedule_problems(self._scheduler, self.mainDaemon.clock.wall())

    async def _first_look(self) -> None:
        await self.mainDaemon.engine.observer.observed.wait()

    def _look(self) -> None:
        """Do what is due; what fails, on a full disk, say, is told once and tried again."""
        problem = ""
        try:
            self.mainDaemon.device_loop.call(self._scheduler.look())
        except OckleError as error:
            problem = str(error)
            if problem != self._problem:
                self._log.warning("Schedules: %s; tried again", problem)
        self._problem = problem
        audit, self._scheduler.audit[:] = list(self._scheduler.audit), []
        for action in audit:
            self.mainDaemon.communicationHandler.record(action)

    def _take(self) -> None:
        schedules = [schedule_of(one) for one in self.mainDaemon.site.schedules.values()]
        self.mainDaemon.device_loop.call(self._taken(schedules))

    async def _taken(self, schedules: list[Schedule]) -> None:
        self._scheduler.take(schedules)

    @override
    def reconfigured(self) -> None:
        self._take()
