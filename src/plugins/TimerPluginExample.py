"""The manual's example of a plugin: says something every now and then."""

from __future__ import annotations

from .ModuleTemplate import ModuleTemplate


class TimerPluginExample(ModuleTemplate):
    """Writes ``message`` to the debug log every ``interval`` seconds."""

    def run(self) -> None:
        while not self.stop_requested.wait(self.getConfigVar("interval")):
            self.debug(self.getConfigVar("message"))
