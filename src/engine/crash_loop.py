"""Notices a daemon that dies again and again over the same work, so that it stops doing that work."""

from __future__ import annotations

import json
from typing import Any

from ..store.recovery import SAFE_MODE
from ..store.store import Store

UP_LONG_ENOUGH_S = 300.0
"""A daemon that lived so long has not died of what it did at its start."""
_ROW = "starts"


class CrashLoop:
    """Counts starts that found work of a daemon that had ended without being asked to.

    ``limit``  so many of them in a row, each within ``UP_LONG_ENOUGH_S`` of the one before and with the same work
               open, lead to safe mode; 0: never
    """

    def __init__(self, store: Store, limit: int) -> None:
        self._store = store
        self._limit = limit

    async def note_start(self) -> None:
        """Count this start, durably, before anything else is done. Raises StoreError."""
        before = self._before()
        work = self._open_work()
        same = sorted(set(before["work"]) & set(work))
        count = before["count"] + 1 if same else int(bool(work))
        self._store.put("meta", _ROW, value=json.dumps({"count": count, "work": work}))
        if self._limit and count >= self._limit:
            reason = f"the daemon was started {count} times and did not last, each time with {', '.join(same)} open"
            self._store.put("meta", SAFE_MODE, value=reason)
        await self._store.commit()

    def forget(self) -> None:
        """Note, for the next commit, that all is well: it has been up long enough, or is stopped as asked."""
        self._store.put("meta", _ROW, value="")

    def _before(self) -> dict[str, Any]:
        kept = {row["name"]: row["value"] for row in self._store.load("meta")}
        try:
            found = json.loads(kept.get(_ROW) or "{}")
            return {"count": int(found.get("count", 0)), "work": [str(name) for name in found.get("work", ())]}
        except (ValueError, TypeError, AttributeError):
            return {"count": 0, "work": []}

    def _open_work(self) -> list[str]:
        runs = [f"run {row['id']}" for row in self._store.load("runs", order="-id") if row["state"] == "running"]
        cut_off = {f"{row['server']} {row['verb']}" for row in self._store.load("intents", unset="outcome")}
        return [*runs, *sorted(cut_off)]
