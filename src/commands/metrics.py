"""The command by which monitoring looks: getMetrics."""

from __future__ import annotations

import threading
import time

from ..common.services import DaemonServices
from ..engine.metrics.collect import collect
from ..engine.metrics.process import process_families
from .group import CommandGroup, Data

FRESH_S = 1.0
"""Who asks again within this time gets the same answer: many that ask cost what one costs."""


class MetricsCommands(CommandGroup):
    """A viewer may look."""

    def __init__(self, daemon: DaemonServices) -> None:
        super().__init__(daemon)
        self._lock = threading.Lock()
        self._found: tuple[float, Data] | None = None
        self.add("getMetrics", self.get)

    def get(self, data: Data) -> Data:
        """Return ``families`` of metrics: name, type, help, and ``samples``, each a suffix, labels and a number.

        Of a ``stateset`` only the present ``state`` is told; ``states`` are all that there are. Counters begin anew
        when the daemon starts.
        """
        with self._lock:
            if self._found is None or time.monotonic() - self._found[0] > FRESH_S:
                families = [*self.loop(collect(self.engine)), *process_families()]
                self._found = time.monotonic(), {"families": [one.as_dict() for one in families]}
            return self._found[1]
