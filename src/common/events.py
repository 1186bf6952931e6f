"""The event bus: what happened, in order, for whoever wants to know."""

from __future__ import annotations

import itertools
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from .clock import Clock, SystemClock

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    ``seq``     rises by one with each event of this run of the daemon
    ``time``    seconds since 1970 UTC
    ``kind``    ``state`` (of a server), ``outlet``, ``control``, ``test``, ``run``, ``step``, ``desired``, ``force``,
                ``device``, ``config``, ``plugin``, ``daemon`` or a plugin's own
    ``server``  its name, or ""
    ``text``    one sentence for a person
    ``data``    plain JSON values
    """

    seq: int
    time: float
    kind: str
    server: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


Listener = Callable[[Event], None]


class EventBus:
    """Publishes events to listeners and keeps the newest. May be used from any thread.

    A listener is called in the thread that publishes; it must return at once (put into a queue). What it raises is
    logged and ends there.
    """

    def __init__(self, keep: int = 10_000, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._kept: deque[Event] = deque(maxlen=keep)
        self._listeners: tuple[Listener, ...] = ()

    def publish(self, kind: str, text: str, server: str = "", **data: Any) -> Event:
        with self._lock:
            event = Event(next(self._numbers), self._clock.wall(), kind, server, text, data)
            self._kept.append(event)
            listeners = self._listeners
        for listener in listeners:
            try:
                listener(event)
            except Exception:  # foreign code: who listens must not harm who publishes, the engine for one
                log.exception("a listener failed at the event %r", event.text)
        return event

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` for every event from now on; the returned function ends it."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            with self._lock:
                self._listeners = tuple(one for one in self._listeners if one is not listener)

        return unsubscribe

    def restore(self, events: Iterable[Event]) -> None:
        """Put kept events of an earlier run, oldest first, before all others; numbers go on after them."""
        with self._lock:
            earlier = list(events)
            newest = max((event.seq for event in earlier), default=0)
            self._kept.extendleft(reversed(earlier))
            self._numbers = itertools.count(max(newest, max((e.seq for e in self._kept), default=0)) + 1)

    def since(self, seq: int) -> list[Event]:
        """Return the kept events after ``seq``, oldest first."""
        with self._lock:
            return [event for event in self._kept if event.seq > seq]
