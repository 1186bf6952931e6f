"""Commands about schedules: what they are, when they come, what became of the last time."""

from __future__ import annotations

from ..common.errors import CommandError
from ..common.services import DaemonServices
from ..engine.scheduler import Scheduler
from .group import CommandGroup, Data

MOST_UPCOMING = 1000


class ScheduleCommands(CommandGroup):
    """Everybody may look. To carry one out now, plan and run its action on its servers as any other."""

    def __init__(self, daemon: DaemonServices, scheduler: Scheduler) -> None:
        super().__init__(daemon)
        self._scheduler = scheduler
        self.add("getSchedules", self.get, params={"next?": f"how many times to come of each, up to {MOST_UPCOMING}"})

    def get(self, data: Data) -> Data:
        """Return ``schedules``: what each does and when, its ``next`` times and what became of the ``last``.

        ``names`` are the servers that its selectors mean now, ``exclude`` those that it would leave as they are;
        ``problem`` tells why it never comes, or whom there is not. Moments are seconds since 1970.
        """
        count = data.get("next", 1)
        if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MOST_UPCOMING:
            raise CommandError(f"next is {count!r}: use a number from 0 to {MOST_UPCOMING}")
        heeded = self._scheduler.heeds_auto()
        return {
            "schedules": self.look(lambda: self._scheduler.as_dicts(count)),
            "idle": "the master switch of AutoControl is off" if heeded and not self.engine.remembered_auto else "",
        }
