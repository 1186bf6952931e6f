"""Commands of an emergency: everything chosen goes down in order within a time, and stays down until it is cleared."""

from __future__ import annotations

from ..common.CommunicationHandler import current_caller
from ..common.errors import CommandError
from ..common.services import DaemonServices
from .group import CommandGroup, Data
from .selection import SELECTOR_HELP, servers_of, text_of

LONGEST_S = 7 * 86400.0


class EmergencyCommands(CommandGroup):
    """An operator may use them; everybody may look."""

    def __init__(self, daemon: DaemonServices) -> None:
        super().__init__(daemon)
        self.add(
            "declareEmergency",
            self.declare,
            "operator",
            {
                "servers": SELECTOR_HELP,
                "within_s": "seconds after which the last of them is cut",
                "note?": "why, for the records",
            },
        )
        self.add(
            "clearEmergency", self.clear, "operator", {"confirm?": "the text that is asked for if not all are down"}
        )
        self.add("getEmergency", self.get)

    def declare(self, data: Data) -> Data:
        """Have servers, and what needs them, down within a time, come what may; they stay down until it is cleared."""
        within = data["within_s"]
        if isinstance(within, bool) or not isinstance(within, int | float) or not 0 < within <= LONGEST_S:
            raise CommandError(f"within_s is {within!r}: use seconds, above 0 and up to {LONGEST_S:g}")
        names = servers_of(self.network, data)
        caller = current_caller()
        run = self.loop(
            self.engine.emergency(names, float(within), who=caller.name, via=caller.via, note=text_of(data, "note", ""))
        )
        return {"run": run.id, "emergency": self.look(self.engine.emergencies.as_dict)}

    def clear(self, data: Data) -> Data:
        """End the emergency; what is off stays off until it is ordered on."""
        self.loop(self.engine.clear_emergency(current_caller().name, text_of(data, "confirm", "")))
        return {"emergency": None}

    def get(self, data: Data) -> Data:
        """Return the declared emergency, null when there is none."""
        return {"emergency": self.look(self.engine.emergencies.as_dict)}
