"""Commands about the channels that alerts are sent through: how they are, and a test of one."""

from __future__ import annotations

from ..common.errors import CommandError, OckleError
from ..common.logs import redact
from ..common.services import DaemonServices
from ..engine.alerts.outbox import Outbox
from .group import CommandGroup, Data
from .selection import text_of

LONGEST_S = 200.0
"""Longer than any channel's timeout with its margin."""


class ChannelCommands(CommandGroup):
    """Everybody may look; who may switch servers may send a test."""

    def __init__(self, daemon: DaemonServices, outbox: Outbox) -> None:
        super().__init__(daemon)
        self._outbox = outbox
        self.add("getChannels", self.get)
        self.add("testChannel", self.test, "operator", {"channel": "name"})

    def get(self, data: Data) -> Data:
        """Return ``channels``: how many messages wait for each, when the last one arrived, and what is wrong.

        ``problem`` is "" when the last try worked, ``refused`` whether somebody has to change something first; ``lost``
        counts what was given up since the last message that arrived. ``quiet_until``: until when what is not serious
        enough waits, None outside of quiet hours.
        """
        return {"channels": self._outbox.states()}

    def test(self, data: Data) -> Data:
        """Send a test message now. Returns ``channel``, ``ok``, ``text``: what the receiver said, or what was wrong."""
        name = text_of(data, "channel")
        try:
            said = self._outbox.test_from_outside(name, LONGEST_S)
        except CommandError:
            raise
        except OckleError as error:
            return {"channel": name, "ok": False, "text": redact(str(error))}
        return {"channel": name, "ok": True, "text": said}
