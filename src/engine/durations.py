"""What a start or a stop of each server took the last times, so that plans can say how long they last."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from statistics import median, quantiles

from ..common.errors import StoreError
from ..networkTree.plan import Expected, expected_seconds
from ..networkTree.ServerNetwork import ServerNetwork
from ..store.store import Store

log = logging.getLogger(__name__)

KEEP = 10


class Durations:
    """Seconds by server and action ("on" or "off"), the newest KEEP of each."""

    def __init__(self, store: Store) -> None:
        self._log = store.log
        store.log.on_return.append(self._put_all)
        self._known: dict[str, list[float]] = {}

    def load(self) -> None:
        """Without what was kept, the plans guess until they have learned anew."""
        try:
            self._known = {
                row["name"]: [float(value) for value in row["seconds"]] for row in self._log.load("durations")
            }
        except (StoreError, ValueError, TypeError) as error:  # the latter two: what is there is no list of numbers
            log.warning("learned durations cannot be read: %s", error)

    def learn(self, server: str, action: str, seconds: float) -> None:
        key = f"{action} {server}"
        values = [*self._known.get(key, ()), round(seconds, 3)][-KEEP:]
        self._known[key] = values
        self._log.put("durations", key, seconds=values)

    def rename(self, renamed: Mapping[str, str]) -> None:
        """Keep what was learned of servers that have other names now; new -> old."""
        known = {
            f"{action} {new}": self._known.pop(f"{action} {old}")
            for new, old in renamed.items()
            for action in ("on", "off")
            if f"{action} {old}" in self._known
        }
        self._known.update(known)
        self._put_all()

    def _put_all(self) -> None:
        for key, values in self._known.items():
            self._log.put("durations", key, seconds=values)

    def expect(self, network: ServerNetwork, server: str, action: str) -> Expected:
        """Return what to expect: the median of what was seen, else a guess from the server's limits."""
        values = self._known.get(f"{action} {server}")
        if not values:
            return expected_seconds(network.getServernode(server), action)
        worst = quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]
        return Expected(median(values), worst, learned=True)

    def known(self, server: str) -> dict[str, list[float]]:
        """Return the seconds that the last switchings of a server took, oldest first: "on" and "off" -> seconds."""
        return {action: list(self._known.get(f"{action} {server}", ())) for action in ("on", "off")}
