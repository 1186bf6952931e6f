"""How a change of the files becomes what the daemon does: reload, names that servers keep their state under, events."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from ..common.CommunicationHandler import current_caller
from ..common.errors import CommandError, ConfigError, OckleError, StoreError
from ..common.services import DaemonServices
from ..config.editing import Editor
from .group import Data

log = logging.getLogger(__name__)


def who() -> str:
    """Return who sent the command, and by which way, for the history."""
    caller = current_caller()
    return caller.name if caller.via == "internal" else f"{caller.name} via {caller.via}"


class TakingOver:
    """``late``: why the daemon goes on with what it had before the newest change, "" = it does not."""

    def __init__(self, daemon: DaemonServices, editor: Callable[[], Editor]) -> None:
        self._daemon = daemon
        self._editor = editor
        self.late = ""

    def changed(self, outcome: Data) -> Data:
        """Have the daemon take a change over, and tell everybody. ``outcome``: what the editor returned."""
        if outcome["rev"] is None:
            return outcome | {"reload": "done"}
        self._tell(outcome)
        try:
            self._daemon.reload({})
        except OckleError as error:  # busy servers, a store that is down: the files are right, the moment is not
            self.late = str(error)
            return outcome | {"reload": f"later: {error}"}
        self.late = ""
        return outcome | {"reload": "done"}

    def renamed(self, names: Mapping[str, str], apply: Callable[[], Data]) -> Data:
        """Carry out ``apply``, which gives servers new names (new -> old), so that their state follows, or not at all.

        Raises CommandError "conflict" while anything is being switched: the state could not follow then
        """
        if not names:
            return self.changed(apply())
        keeper = self._daemon.engine.names
        try:
            self._daemon.device_loop.call(keeper.announce(names))
        except ConfigError as error:
            raise CommandError(str(error), "conflict") from error
        try:
            outcome = apply()
        except OckleError:
            self._daemon.device_loop.call(keeper.take_back(names))
            raise
        try:
            self._daemon.reload({}, names)
        except OckleError as error:
            self._editor().undo(who(), outcome["rev"] - 1)
            self._daemon.device_loop.call(keeper.take_back(names))
            text = f"the names stay as they were: {error}; revision {outcome['rev']} of the history has the change"
            raise CommandError(text, "conflict") from error
        self.late = ""
        self._tell(outcome)
        try:
            self._daemon.device_loop.call(keeper.settle())
        except StoreError as error:  # all is done; a force or a hold may also stay known under the old name
            log.warning("the old names could not be forgotten: %s", error)
        return outcome | {"reload": "done"}

    def _tell(self, outcome: dict[str, Any]) -> None:
        files = ", ".join(outcome["files"])
        text = f"{who()} changed {files}: revision {outcome['rev']}"
        self._daemon.events.publish("config", text, rev=outcome["rev"], files=outcome["files"])
