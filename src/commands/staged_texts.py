"""Texts that come in parts because a message to the daemon is short: kept for a few minutes, until they are used."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from ..common.clock import Clock
from ..common.errors import CommandError

KEPT_S = 300.0
MOST_TEXTS, MOST_CHARACTERS = 4, 8_000_000


@dataclass(slots=True)
class _Text:
    begun: float
    parts: list[str] = field(default_factory=list)
    size: int = 0


class StagedTexts:
    """May be used from any thread; the oldest text goes when there are too many."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._texts: OrderedDict[str, _Text] = OrderedDict()

    def add(self, part: str, name: str = "") -> str:
        """Put ``part`` at the end of a text, of a new one without ``name``; returns the text's name.

        Raises CommandError when there is no such text (any more), or when it becomes too long.
        """
        with self._lock:
            self._expire()
            if not name:
                name = secrets.token_hex(8)
                self._texts[name] = _Text(self._clock.now())
                while len(self._texts) > MOST_TEXTS:
                    self._texts.popitem(last=False)
            text = self._get(name)
            text.size += len(part)
            if text.size > MOST_CHARACTERS:
                del self._texts[name]
                raise CommandError(f"a text of more than {MOST_CHARACTERS} characters is too long", "too_long")
            text.parts.append(part)
            return name

    def take(self, name: str) -> str:
        """Return the whole text, which is forgotten. Raises CommandError when there is none."""
        with self._lock:
            self._expire()
            text = self._get(name)
            del self._texts[name]
            return "".join(text.parts)

    def _get(self, name: str) -> _Text:
        if name not in self._texts:
            raise CommandError("there is no such text any more: send it again", "not_found")
        return self._texts[name]

    def _expire(self) -> None:
        now = self._clock.now()
        for name, text in list(self._texts.items()):
            if now - text.begun > KEPT_S:
                del self._texts[name]
