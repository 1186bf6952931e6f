"""What a page shows, asked of the daemon at most once a second however many browsers look."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from ..ockle_client.connection import ConnectionFailed

Call = Callable[..., dict[str, Any]]
T = TypeVar("T")
FRESH_S = 1.0


class Looks(Generic[T]):
    """May be used from any thread: one asks, and the others take what there is meanwhile.

    ``ask``  what there is; raises ConnectionFailed, and ClientError for what is to be told
    ``old``  the same, when the daemon does not answer any more
    """

    def __init__(self, ask: Callable[[Call], T], old: Callable[[T], T] = lambda look: look) -> None:
        self._ask, self._old = ask, old
        self._lock = threading.Lock()
        self._look: T | None = None
        self._until = 0.0

    def look(self, call: Call) -> T:
        """Return what there is, at most a second old unless the daemon is slow or gone.

        Raises what ``ask`` raises as long as nothing is known.
        """
        known = self._look
        if known is not None and time.monotonic() < self._until:
            return known
        if known is None:
            self._lock.acquire()
        elif not self._lock.acquire(blocking=False):
            return known
        try:
            if self._look is None or time.monotonic() >= self._until:
                self._look = self._renewed(call)
                self._until = time.monotonic() + FRESH_S
            return self._look
        finally:
            self._lock.release()

    def forget(self) -> None:
        """Ask anew the next time: something was changed just now."""
        self._until = 0.0

    def _renewed(self, call: Call) -> T:
        try:
            fresh = self._ask(call)
        except ConnectionFailed:
            if self._look is None:
                raise
            return self._old(self._look)
        return self._look if fresh == self._look else fresh  # what is the same stays the same, and is not drawn anew
