"""A dummy outlet that measures something, to try plots and logs."""

from __future__ import annotations

import os

from typing_extensions import override

from .dummy import Dummy


class DummyWithCPU(Dummy):
    """A Dummy that shows how busy the machine is on which Ockle runs.

    Data: ``cpu_percent``, runnable processes per processor as an average of the last minute; may be above 100.
    """

    @override
    async def updateData(self) -> None:
        self.data["cpu_percent"] = round(100 * os.getloadavg()[0] / (os.cpu_count() or 1), 1)
