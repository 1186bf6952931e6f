"""Looks at what is left on the disk, as the next daemon does, and compares it with what the world was told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ockle.common.errors import StoreError
from ockle.store.critical import SERVER_COLUMNS
from ockle.store.recovery import make_sound
from ockle.store.store import Store

from .worker import after

Rows = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Left:
    """``said``: why the store was replaced, "" when it was not; ``refused``: why it could not be opened."""

    said: str
    refused: str
    servers: Rows
    intents: set[int]

    @property
    def told(self) -> bool:
        """Whether a person is told that something is wrong."""
        return bool(self.said or self.refused)


def look(folder: Path) -> Left:
    """Start on the folder as a daemon does."""
    file = folder / "state.db"
    try:
        said = make_sound(file)
        store = Store.for_file(file)
        store.open()
    except StoreError as error:
        return Left("", str(error), {}, set())
    servers = {row["name"]: row for row in store.load("servers")}
    intents = {row["id"] for row in store.load("intents")}
    asyncio.run(store.close())
    return Left(said, "", servers, intents)


def kept(row: dict[str, Any] | None) -> dict[str, Any]:
    """Return what must not be lost of a server's row."""
    found = row or {}
    return {name: found.get(name) for name in SERVER_COLUMNS if found.get(name) not in (None, "", False)}


def broken(left: Left, acked: int, sent: set[int], tried: int) -> list[str]:
    """Return the broken promises.

    ``acked``  the last order that was acknowledged; ``tried``: the last that was given, which may be there or not
    """
    if left.refused:
        return []  # it does not start, and says why
    wanted = {name: [kept(row)] for name, row in after(acked).items()}
    for number in range(acked + 1, tried + 1):
        for name, row in after(number).items():
            wanted.setdefault(name, [{}]).append(kept(row))
    found = [
        f"force, hold or order of {name} is {kept(left.servers.get(name))}, not {values[0]}"
        for name, values in wanted.items()
        if kept(left.servers.get(name)) not in values
    ]
    if not left.told and (missing := sent - left.intents):
        found.append(f"sent without a durable intent: {sorted(missing)}")
    return found
