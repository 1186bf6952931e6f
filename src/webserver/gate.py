"""Lets few of those in at a time who have not logged in: each of them keeps a thread waiting that others need."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from .ockle_client.connection import ClientError
from .texts import _


class Gate:
    """``most`` at a time, ``most_each`` of them from one address. May be used from any thread; nobody waits."""

    def __init__(self, most: int, most_each: int) -> None:
        self._most, self._most_each = most, most_each
        self._lock = threading.Lock()
        self._inside: Counter[str] = Counter()

    @contextmanager
    def entered(self, address: str) -> Iterator[None]:
        """Be inside meanwhile. Raises ClientError "throttled" when there is no room."""
        with self._lock:
            if self._inside.total() >= self._most or self._inside[address] >= self._most_each:
                text = _("Too many are logging in at this moment: try again.")
                raise ClientError("throttled", text, {"retry_s": 1.0})
            self._inside[address] += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside[address] -= 1
                self._inside += Counter()  # who has left altogether is forgotten
