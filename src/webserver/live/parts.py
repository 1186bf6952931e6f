"""A page whose parts change by themselves: each part by its key, and which of them a browser has not got yet."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

REMEMBERED = 64
"""Looks whose parts are remembered; a browser that has an older one gets everything anew."""


@dataclass(frozen=True)
class Parts:
    """``html``: key -> part; ``lists``: list -> its keys, in the order in which they are shown."""

    html: Mapping[str, str]
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def marks(self) -> dict[str, str]:
        """Return a short name of each part, and of each list's order."""
        lists = {f"={name}": _mark("\n".join(keys)) for name, keys in self.lists.items()}
        return lists | {key: _mark(part) for key, part in self.html.items()}

    @cached_property
    def rev(self) -> str:
        """The same for the same content."""
        return _mark(repr(sorted(self.marks.items())))


class Changes:
    """Says what of a page has changed since a revision. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, dict[str, str]] = OrderedDict()

    def note(self, parts: Parts) -> str:
        """Return the revision of what is there now: the same content, the same revision."""
        rev = parts.rev
        with self._lock:
            self._known[rev] = parts.marks
            self._known.move_to_end(rev)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return rev

    def since(self, rev: str, parts: Parts) -> dict[str, Any]:
        """Return ``rev`` and ``same``, or ``html`` and ``lists`` of what changed since; all if ``rev`` is forgotten."""
        with self._lock:
            before = self._known.get(rev, {})
        marks, now = parts.marks, self.note(parts)
        if rev == now:
            return {"rev": now, "same": True}
        return {
            "rev": now,
            "html": {key: part for key, part in parts.html.items() if before.get(key) != marks[key]},
            "lists": {n: list(keys) for n, keys in parts.lists.items() if before.get(f"={n}") != marks[f"={n}"]},
        }


def _mark(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()
