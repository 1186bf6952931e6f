"""AutoControl: powers the whole network up by itself, and keeps it as it was ordered."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from ..common.CommunicationHandler import current_caller
from ..common.errors import CommandError, OckleError
from ..common.services import DaemonServices
from .ModuleTemplate import ModuleTemplate

DEVICES_TIMEOUT_S = 60.0
"""How long the first look at all devices may take before the start goes on without those that do not answer."""


class AutoControl(ModuleTemplate):
    """The master switch: while it is on, the engine keeps every server as it was last ordered.

    When the daemon starts, ``at_start`` says what that is: what it was before (restore), everything on (on), or
    nothing yet (observe). Every ``wait_time`` it has all servers decided anew.
    """

    def __init__(self, MainDaemon: DaemonServices) -> None:  # noqa: N803 - documented name
        super().__init__(MainDaemon)
        self._begun = False
        commands = MainDaemon.communicationHandler
        commands.AddCommandToList("getAutoControlStatus", self.get_status, role="viewer")
        commands.AddCommandToList(
            "setAutoControlStatus", self.set_status, role="operator", params={"status": "on or off"}
        )

    def get_status(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return ``status``: whether the master switch is "on" or "off"."""
        return {"status": "on" if self.mainDaemon.engine.auto else "off"}

    def set_status(self, data: dict[str, Any]) -> dict[str, Any]:
        """Turn the master switch on, which ends a safe mode, or off: then only what is ordered is switched."""
        wanted = data["status"]
        if wanted not in ("on", "off"):
            raise CommandError(f"status is {wanted!r}: use 'on' or 'off'")
        self.mainDaemon.device_loop.call(self._set(wanted == "on", current_caller().name))
        return {"status": wanted}

    async def _set(self, on: bool, who: str) -> None:
        if on:
            await self.mainDaemon.engine.resume(who)
        await self.mainDaemon.engine.set_auto(on)

    def run(self) -> None:
        loop = self.mainDaemon.device_loop
        loop.call(self._limit_attempts())
        try:
            loop.call(self._first_look(), DEVICES_TIMEOUT_S)
        except OckleError:
            self.debug("some devices have not answered yet; going on with the others")
        if self.stop_requested.is_set():
            return
        self._try(self._begin)
        while not self.stop_requested.wait(self.getConfigVar("wait_time")):
            self._try(self._look_again if self._begun else self._begin)

    def _try(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do ``work`` on the device loop; a full disk, say, ends neither the site's start nor this thread."""
        try:
            self.mainDaemon.device_loop.call(work())
        except OckleError as error:
            self._log.warning("AutoControl: %s; tried again in %s s", error, self.getConfigVar("wait_time"))

    def reconfigured(self) -> None:
        self.mainDaemon.device_loop.call(self._limit_attempts())

    async def _first_look(self) -> None:
        await self.mainDaemon.engine.observer.observed.wait()

    async def _limit_attempts(self) -> None:
        self.mainDaemon.engine.settings.max_start_attempts = self.getConfigInt("max_start_attempts")

    async def _begin(self) -> None:
        engine = self.mainDaemon.engine
        if engine.core.safe_mode:  # a person has to look first
            return
        remembered = engine.remembered_auto
        enabled = self.getConfigVar("enabled") if remembered is None else remembered
        at_start = self.getConfigVar("at_start")
        if at_start == "observe":
            engine.forget_desired()
        await engine.set_auto(enabled)
        if enabled and at_start == "on":
            if engine.runs.running():
                raise CommandError("a run from before the restart goes on first", "refused")
            if len(self.mainDaemon.network):
                await engine.order("on", [node.name for node in self.mainDaemon.network], who=self.name, via="plugin")
        self._begun = True

    async def _look_again(self) -> None:
        engine = self.mainDaemon.engine
        if engine.auto:
            engine.converge()
