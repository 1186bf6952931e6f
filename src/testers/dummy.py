"""A test of nothing, to try a site and for tests."""

from __future__ import annotations

from typing_extensions import override

from .TemplateTester import TemplateTester


class Dummy(TemplateTester):
    """Takes ``delay`` by the device's clock and ends as ``succeed`` says; both may be changed at any time."""

    @override
    async def _test(self) -> bool:
        if self.params["delay"]:
            await self.device.clock.sleep(self.params["delay"])
        return bool(self.params["succeed"])
