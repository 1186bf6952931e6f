"""Repeats a question over a network that loses some, and takes the answer to whichever of them comes first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from .clock import TICK_S

T = TypeVar("T")


async def repeated(ask: Callable[[], Coroutine[Any, Any, T | None]], timeout: float, repetitions: int) -> T | None:
    """Ask, and ask again at even distances; return the first answer within ``timeout`` seconds, None for silence.

    ``ask``  one question; None: it knows already that there is no answer to come. What it raises ends the matter

    An earlier question is still listened for while a later one is under way: a device that answers after half of the
    time limit would never be heard otherwise.
    """
    loop = asyncio.get_running_loop()
    began, each = loop.time(), timeout / (repetitions + 1)
    asked: list[asyncio.Task[T | None]] = []
    try:
        for number in range(1, repetitions + 2):
            asked.append(loop.create_task(ask()))
            while (left := began + number * each - loop.time()) > TICK_S:
                open_ones = [one for one in asked if not one.done()]
                if not open_ones:
                    await asyncio.sleep(left)
                    continue
                answered, _ = await asyncio.wait(open_ones, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                for one in answered:
                    if (answer := one.result()) is not None:
                        return answer
        return None
    finally:
        for one in asked:
            one.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
