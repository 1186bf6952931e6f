"""A daemon reduced to its store: notes intents and orders, "sends" what is durable, and says what it was promised.

Its standard output is what the world saw: "send N" for each command that left, "acked N" for each order that an
operator was told is kept. Orders are drawn from the number alone, so that a judge knows them without being told.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from pathlib import Path
from typing import Any

from ockle.common.errors import StoreBroken, StoreError
from ockle.store.recovery import make_sound
from ockle.store.store import Store

from ..common import dice

BROKEN, REFUSED_TO_START, SERVERS = 74, 2, 5
GIVE_UP = 5
"""Refusals in a row after which it has shown that it refuses."""


def order(number: int) -> tuple[str, dict[str, Any]]:
    """Return the server that order ``number`` is about, and what its row shall hold."""
    draw = dice(number, "order")
    forced = draw.choice((None, "on", "off"))
    return f"s{draw.randrange(SERVERS)}", {
        "desired": draw.choice(("on", "off")),
        "forced": forced,
        "forced_note": f"note {number}" if forced else "",
        "held": draw.choice(("", f"held {number}")),
        "shutdown_sent": draw.random() < 0.3,
        "error": "x" * draw.randrange(2000),
    }


def after(number: int) -> dict[str, dict[str, Any]]:
    """Return what the servers' rows hold after all orders up to ``number``."""
    rows: dict[str, dict[str, Any]] = {}
    for one in range(1, number + 1):
        name, values = order(one)
        rows[name] = values
    return rows


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def end(error: StoreBroken) -> None:
    say(f"broken {error}")
    os._exit(BROKEN)


async def work(store: Store, rounds: int) -> None:
    refused = 0
    for number in range(1, rounds + 1):
        name, values = order(number)
        store.put("servers", name, **values)
        store.put("intents", number, server=name, verb="on", object=f"{name}.psu", at=1.0)
        store.log.put("events", number, text=f"order {number}", data={})
        try:
            await store.commit()
        except StoreError as error:
            say(f"refused {number} {error}")
            refused += 1
            if refused > GIVE_UP:
                return
            continue
        say(f"acked {number}")
        say(f"send {number}")
        refused = 0
        await store.log.flush()
    await store.close()


def main() -> int:
    folder, rounds, largest = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    if largest:  # no file may grow beyond: a disk that takes a part of what is written
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    try:
        said = make_sound(folder / "state.db")
        if said:
            say(f"restored {said}")
        store = Store.for_file(folder / "state.db")
        store.on_broken = end
        store.open()
    except StoreError as error:
        say(f"no start {error}")
        return REFUSED_TO_START
    asyncio.run(work(store, rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
