"""Log: alerts as lines of the daemon's log, for machines whose log is collected and looked through."""

from __future__ import annotations

import logging

from typing_extensions import override

from ..common.alert_message import AlertMessage
from ..common.problems import Severity
from .ChannelTemplate import ChannelTemplate

log = logging.getLogger(__name__)

LEVELS = {Severity.INFO: logging.INFO, Severity.WARNING: logging.WARNING, Severity.CRITICAL: logging.ERROR}


class Log(ChannelTemplate):
    """One line per message; a recovery is of the level INFO, whatever it was that is over."""

    @override
    async def send(self, message: AlertMessage) -> None:
        level = logging.INFO if message.kind == "recovery" else LEVELS[message.severity]
        log.log(level, "alert %s: %s", message.kind, "; ".join((message.title, *message.lines)))
