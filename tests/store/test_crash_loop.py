"""A daemon that dies again and again over the same work stops doing it; one that is restarted in order does not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ockle.engine.crash_loop import CrashLoop
from ockle.store.recovery import SAFE_MODE
from ockle.store.store import Store


def starts(folder: Path, *what: str, limit: int = 3) -> list[bool]:
    """Start a daemon once per word and end it: "killed", "stopped" or "lasted". Returns when it was in safe mode."""
    seen = []

    async def one(end: str) -> None:
        store = Store.for_file(folder / "state.db")
        store.open()
        loop = CrashLoop(store, limit)
        await loop.note_start()
        seen.append(any(row["name"] == SAFE_MODE and row["value"] for row in store.load("meta")))
        if end in ("stopped", "lasted"):
            loop.forget()
        await store.close()

    for word in what:
        asyncio.run(one(word))
    return seen


def open_work(folder: Path, run: str = "running", intent: str | None = None) -> None:
    async def write() -> None:
        store = Store.for_file(folder / "state.db")
        store.open()
        store.put("runs", 4, state=run, created=1.0, body={})
        store.put("intents", 9, server="nas", verb="on", outcome=intent)
        await store.close()

    asyncio.run(write())


@pytest.mark.parametrize(("run", "intent"), [("running", "verified"), ("done", None)])
def test_the_third_start_with_the_same_work_only_watches(tmp_path: Path, run: str, intent: str | None) -> None:
    open_work(tmp_path, run, intent)
    assert starts(tmp_path, "killed", "killed", "killed") == [False, False, True]
    open_work(tmp_path, "done", "verified")
    assert starts(tmp_path, "killed") == [True]  # until a person has looked


@pytest.mark.parametrize("end", ["stopped", "lasted"])
def test_a_start_that_ended_well_counts_no_more(tmp_path: Path, end: str) -> None:
    open_work(tmp_path)
    assert starts(tmp_path, "killed", "killed", end, limit=4) == [False] * 3
    assert starts(tmp_path, "killed", "killed", "killed") == [False, False, True]


def test_without_open_work_or_with_other_work_nothing_happens(tmp_path: Path) -> None:
    assert not any(starts(tmp_path, *["killed"] * 5))
    open_work(tmp_path, "running", "verified")
    assert not any(starts(tmp_path, "killed", "killed"))
    open_work(tmp_path, "done", None)
    assert not any(starts(tmp_path, "killed", "killed"))


def test_0_means_never(tmp_path: Path) -> None:
    open_work(tmp_path)
    assert not any(starts(tmp_path, *["killed"] * 6, limit=0))
