"""Bytes that change by themselves in the database, its write-ahead log or the second copy."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ockle.store.snapshots import Snapshots

from .judge import broken, look
from .worker import after

ROUNDS = 40


@dataclass(frozen=True)
class Flip:
    """``what``: noticed (and told), harmless (all is as it was), or unseen (something of less weight changed)."""

    where: str
    what: str
    findings: list[str]


def base(folder: Path) -> None:
    """Make a store with a snapshot of its first half, closed in order."""
    for _half in range(2):
        worker = [sys.executable, "-m", "campaigns.storage.worker", str(folder), str(ROUNDS), "0"]
        subprocess.run(worker, check=True, capture_output=True, timeout=60)
        Snapshots(folder / "state.db").take()


def flip(source: Path, folder: Path, draw: random.Random) -> Flip:
    """Copy the store, change one byte of the database, and start on it."""
    shutil.copytree(source, folder)
    name = "state.db" if draw.random() < 0.9 else draw.choice(("state.critical-a", "state.critical-b"))
    file = folder / name
    data = bytearray(file.read_bytes())
    place = draw.randrange(len(data))
    before = look_at_all(source)
    data[place] ^= draw.choice((1 << draw.randrange(8), draw.randrange(1, 256)))
    file.write_bytes(data)
    left = look(folder)
    findings = broken(left, ROUNDS, set(), ROUNDS)
    if left.refused:
        findings.append(f"it does not come up: {left.refused}")
    now = (left.servers, left.intents)
    what = "noticed" if left.told else "harmless" if now == before else "unseen"
    return Flip(f"{name} byte {place}", what, findings)


def look_at_all(source: Path) -> tuple[object, object]:
    """Return what the sound store holds, from a copy: looking may write."""
    known = _known.get(source)
    if known is None:
        copy = source.with_name(f"{source.name}-looked-at")
        shutil.copytree(source, copy)
        left = look(copy)
        assert set(after(ROUNDS)) == set(left.servers)
        known = _known[source] = (left.servers, left.intents)
    return known


_known: dict[Path, tuple[object, object]] = {}
