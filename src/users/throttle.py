"""Slows guessing down, without shutting anybody else out."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from ..common.errors import CommandError

FREE = 5
"""Failures before there is a wait."""
LONGEST_S = 300.0
FORGET_S = 3600.0
LARGEST = 10_000
"""Keys that are remembered; beyond, the oldest is forgotten."""


@dataclass(slots=True)
class _Tries:
    failures: int = 0
    last: float = 0.0


class Throttle:
    """Counts failures by key, such as (user, address): each one after the first few doubles the wait for that key.

    ``now``  monotonic seconds
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._tries: dict[Hashable, _Tries] = {}

    def begin(self, key: Hashable) -> None:
        """Count a try as failed until ``forget`` says otherwise: tries at the same time count, too.

        Raises CommandError "throttled" while the key has to wait; such a try does not count.
        """
        with self._lock:
            now = self._now()
            tries = self._tries.pop(key, None) or _Tries()
            if now - tries.last > FORGET_S:
                tries.failures = 0
            self._tries[key] = tries  # at the end: the newest
            left = tries.last + _wait_s(tries.failures) - now
            if left > 0:
                raise CommandError(
                    f"too many failed tries: wait {max(1, round(left))} s", "throttled", {"retry_s": round(left, 1)}
                )
            tries.failures += 1
            tries.last = now
            if len(self._tries) > LARGEST:
                del self._tries[next(iter(self._tries))]

    def forget(self, key: Hashable) -> None:
        """Take it that the try was a good one."""
        with self._lock:
            self._tries.pop(key, None)


def surroundings(address: str) -> str:
    """Return what slows down together with ``address``: of IPv6 the network, as a host has 2**64 addresses in it."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 6 and found.ipv4_mapped is None and not found.is_loopback:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return address


def _wait_s(failures: int) -> float:
    return 0.0 if failures < FREE else min(LONGEST_S, 2.0 ** min(failures - FREE, 30))
