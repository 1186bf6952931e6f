"""Commands about UPSes: what they say, and what is done about it."""

from __future__ import annotations

from ..common.services import DaemonServices
from ..engine.ups_keeper import UpsKeeper
from ..engine.ups_report import as_dicts
from .group import CommandGroup, Data


class UpsCommands(CommandGroup):
    """Everybody may look. What a UPS took down is an emergency, and cleared as one."""

    def __init__(self, daemon: DaemonServices, keeper: UpsKeeper) -> None:
        super().__init__(daemon)
        self._keeper = keeper
        self.add("getUps", self.get)

    def get(self, data: Data) -> Data:
        """Return ``upses``: what each says (supply, charge, runtime_s), what it feeds, and what it took down.

        ``shutdown_s`` is what the shutdown of all its servers takes by its plan, ``fired`` which limits were reached
        and why, ``waits_for`` what is missing until they come back; ``trouble`` why what should be done cannot be.
        """
        return {
            "upses": self.look(lambda: as_dicts(self._keeper, self.engine.core.clock)),
            "trouble": self._keeper.trouble,
        }
