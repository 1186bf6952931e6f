"""What a start or a stop of each server took the last times, so that plans can say how long they last."""

from __future__ import annotations

from statistics import median

from ..networkTree.plan import expected_seconds
from ..networkTree.ServerNetwork import ServerNetwork
from ..store.store import Store

KEEP = 10


class Durations:
    """Seconds by server and action ("on" or "off"), the newest KEEP of each."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, list[float]] = {}

    def load(self) -> None:
        self._known = {row["name"]: list(row["seconds"]) for row in self._store.load("durations")}

    def learn(self, server: str, action: str, seconds: float) -> None:
        key = f"{action} {server}"
        values = [*self._known.get(key, ()), round(seconds, 3)][-KEEP:]
        self._known[key] = values
        self._store.put("durations", key, seconds=values)

    def expect(self, network: ServerNetwork, server: str, action: str) -> float:
        """Return the seconds to expect: the median of what was seen, else a guess from the server's limits."""
        values = self._known.get(f"{action} {server}")
        return median(values) if values else expected_seconds(network.getServernode(server), action)
